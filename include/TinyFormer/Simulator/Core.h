// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One core: registers, hardware loops, and what it waits for.

#ifndef TINYFORMER_SIMULATOR_CORE_H
#define TINYFORMER_SIMULATOR_CORE_H

#include "TinyFormer/Simulator/Config.h"
#include "TinyFormer/Simulator/Counters.h"
#include "TinyFormer/Simulator/Memory.h"

#include <array>
#include <string>
#include <vector>

namespace tinyformer::pulp {

class Cluster;
struct Race;
struct Transfer;

enum class CoreState : uint8_t {
  Off,        // not yet started
  Running,    //
  Contending, // waits for a bank of L1
  Asleep,     // in p.elw
  Halted,     // in wfi
};

struct HardwareLoop {
  uint32_t start = 0;
  /// Address of the last instruction of the body.
  uint32_t end = 0;
  uint32_t count = 0;
  /// The rules for bodies hold.
  bool isChecked = false;
  /// The body that was checked last.
  uint32_t checkedStart = 0;
  uint32_t checkedEnd = 0;
};

class Core {
public:
  Core(Cluster &cluster, unsigned index);

  /// Begins at `pc`; its clock is then `now`.
  void start(uint32_t pc, uint64_t now);
  /// Executes the instruction at the program counter, or one of its stalls.
  void step();
  /// Steps until cycle `until`, or until another core could run, too.
  void runAlone(uint64_t until);
  /// The bank that was requested serves this core in cycle `now`.
  void grant(uint64_t now);
  /// Ends a p.elw that loads `value`.
  void wake(uint32_t value, uint64_t now);
  /// Counts from zero, from cycle `now` on.
  void clearCounters(uint64_t now);
  /// Brings the counters up to date.
  void settle();

  /// Throws a SimulationFault with core, symbol and cycle.
  [[noreturn]] void fail(const std::string &what) const;

  bool isFabric() const { return index == fabricIndex; }
  /// "core 3", "the fabric controller"
  std::string name() const;
  uint32_t hart() const;
  /// Bytes of the deepest stack, or -1 if the program does not say where it is.
  int64_t stackBytes() const;

  const unsigned index;
  CoreState state = CoreState::Off;
  /// The cycle in which the next step happens.
  uint64_t readyAt = 0;
  uint32_t pc = 0;
  Counters counters;
  /// The stack must stay in here; empty if it is not known.
  uint32_t stackLow = 0;
  uint32_t stackHigh = 0;
  bool isTraced = false;

private:
  // Core.cpp, CoreStep.cpp and Retire.h
  void advance();
  const Instruction &fetch();
  [[gnu::noinline]] void turnPage();
  [[gnu::noinline]] void decodeInto(Instruction &i);
  bool waitsForCode(const Instruction &i);
  [[gnu::noinline]] bool fetchLines(const Instruction &i);
  bool waitsForData(const Instruction &i);
  void execute(const Instruction &i);
  [[noreturn]] void failInstruction(const Instruction &i) const;
  void compute(const Instruction &i, unsigned cycles);
  void retire(const Instruction &i, uint64_t cycles);
  void charge(const Instruction &i, uint64_t cycles);
  /// The cycles from here on are those of `function`.
  [[gnu::noinline]] void profile(uint32_t function);
  [[gnu::noinline]] void stall(const Instruction &i, uint64_t cycles,
                               Event event);
  [[gnu::noinline]] void checkStack();
  uint32_t secondOperand(const Instruction &i) const {
    return i.hasImmediate ? i.immediate : x[i.b];
  }
  void writeRegister(unsigned rd, uint32_t value) {
    x[rd] = value;
    x[0] = 0;
  }

  // CoreStep.cpp and CoreMemory.cpp
  void access(const Instruction &i);
  void accessL1(const Instruction &i, uint8_t *bytes, bool crosses);
  [[gnu::noinline]] void accessL2(const Instruction &i, bool crosses);
  [[gnu::noinline]] void accessPeripheral(const Instruction &i);
  void finishAccess(const Instruction &i, uint8_t *bytes, uint64_t cycles);
  void finishLoad(const Instruction &i, uint32_t value, uint64_t cycles);
  void finishStore(const Instruction &i, uint64_t cycles);
  void countExternal(const Instruction &i, uint64_t cycles);
  [[gnu::noinline]] void eventLoad(const Instruction &i);
  bool isTestAndSet() const {
    return pendingAddress - testAndSetBase < testAndSetBase - l1Base;
  }
  void checkRace(const Instruction &i);
  [[gnu::noinline]] void checkTransfers(const Instruction &i);
  [[gnu::noinline]] void findRace(const Instruction &i);
  [[noreturn]] [[gnu::noinline]] void
  failTransfer(const Instruction &i, const Transfer &transfer) const;
  [[noreturn]] [[gnu::noinline]] void failRace(const Instruction &i,
                                               const Race &race) const;
  [[noreturn]] void failAccess(const Instruction &i) const;
  std::string accessText(const Instruction &i) const;

  // CoreControl.cpp
  void branch(const Instruction &i);
  void jump(const Instruction &i, uint32_t target);
  void enterFunction(const Instruction &i, uint32_t target);
  void leaveFunction(uint32_t target);
  [[gnu::noinline]] void breakpoint(const Instruction &i);
  void semihosting();
  [[gnu::noinline]] void controlRegister(const Instruction &i);
  uint32_t readControl(uint32_t number);
  void writeControl(uint32_t number, uint32_t value);
  uint32_t *loopRegister(uint32_t number);

  // HardwareLoops.cpp
  [[gnu::noinline]] void setLoop(const Instruction &i);
  [[gnu::noinline]] uint32_t closeLoops(uint32_t next);
  void checkLoop(unsigned number);
  std::string bodyComplaint(const HardwareLoop &loop) const;
  void checkNesting() const;
  void suspendLoops(uint32_t returnAddress);
  void resumeLoops(uint32_t target);

  Cluster &cluster;
  const bool watchesRaces;
  std::array<uint32_t, 32> x{};
  uint32_t next = 0;
  /// Registers that the instruction before loaded, and wrote.
  uint32_t loaded = 0;
  uint32_t written = 0;
  std::array<HardwareLoop, 2> loops;
  uint32_t vectorBase = 0;
  PerformanceCounters performance;

  /// Decoded instructions around the program counter.
  CodeCache::Page *page = nullptr;
  uint32_t pageAddress = 0;
  /// Of the line that was fetched last.
  uint32_t lineAddress = ~0u;
  /// The program counter for which the caches were asked, or an odd number.
  uint32_t fetchedPc = 1;

  /// An access to memory that is not over yet.
  const Instruction *pending = nullptr;
  uint32_t pendingAddress = 0;
  bool needsSecondWord = false;
  uint64_t pendingSince = 0;
  uint64_t countedFrom = 0;
  bool sleepsForDma = false;

  /// The function that runs, and when its cycles were last counted.
  uint32_t profiled = 0;
  uint64_t profiledSince = 0;

  /// The layer that runs: a function that the top-level function called.
  uint32_t layer = 0;
  uint32_t layerReturn = 0;
  uint32_t layerStack = 0;

  struct Suspended {
    uint32_t returnAddress;
    uint32_t stackPointer;
    uint32_t callPc;
    std::array<HardwareLoop, 2> loops;
  };
  std::vector<Suspended> suspended;
  uint32_t deepestStack = ~0u;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_CORE_H
