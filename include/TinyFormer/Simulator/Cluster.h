// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine: cores in lock step, memories, event unit, DMA and caches.

#ifndef TINYFORMER_SIMULATOR_CLUSTER_H
#define TINYFORMER_SIMULATOR_CLUSTER_H

#include "TinyFormer/Simulator/Banks.h"
#include "TinyFormer/Simulator/Config.h"
#include "TinyFormer/Simulator/Core.h"
#include "TinyFormer/Simulator/Dma.h"
#include "TinyFormer/Simulator/EventUnit.h"
#include "TinyFormer/Simulator/InstructionCache.h"
#include "TinyFormer/Simulator/Memory.h"
#include "TinyFormer/Simulator/Program.h"
#include "TinyFormer/Simulator/RaceDetector.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tinyformer::pulp {

/// What a run cost: of the measured function, or of everything.
struct Report {
  uint64_t cycles = 0;
  /// By core, the fabric controller last.
  std::array<Counters, coreSlots> counters;
};

class Cluster {
public:
  /// Loads `program`, which must live as long as the cluster.
  Cluster(const Program &program, const ClusterConfig &config);
  Cluster(const Cluster &) = delete;

  /// Goes on until the program says that it is done, which is true, or for
  /// about `slice` cycles. Throws SimulationFault.
  bool run(uint64_t slice = Dma::never);

  void read(uint32_t address, uint8_t *bytes, uint32_t size);
  void write(uint32_t address, const uint8_t *bytes, uint32_t size);

  /// Called with each line that a core prints, and with each instruction's
  /// line if `trace` is set.
  std::function<void(std::string_view)> trace;
  std::string output;

  uint32_t exitCode() const { return status; }
  /// Whether the function to measure was entered and left.
  bool wasMeasured() const { return measurement == Measurement::Done; }
  Report report() const;
  const Core &core(unsigned index) const { return *cores[index]; }
  const ClusterConfig &configuration() const { return config; }
  const Program &executable() const { return program; }

private:
  friend class Core;
  enum class Measurement { Waiting, Running, Done };

  // Cluster.cpp
  void load();
  void findStacks();
  void runAlone(Core &core, uint64_t end);
  void runCycle();
  uint64_t nextCycle();
  void findRunning();
  void checkLimit() const;
  [[noreturn]] void failAsleep() const;
  uint8_t *memoryAt(uint32_t address, uint32_t bytes);
  /// L1, by either of its addresses, or null.
  uint8_t *l1At(uint32_t address, uint32_t bytes) {
    if (l1.holds(address, bytes))
      return l1.at(address);
    const uint32_t aliased = address - testAndSetBase + l1Base;
    return l1.holds(aliased, bytes) ? l1.at(aliased) : nullptr;
  }
  void copyTransfer(const Transfer &transfer);
  void noticeTransfer(const Transfer &transfer);
  void changeSchedule() { scheduleChanged = true; }
  void beginMeasurement(const Core &core, uint32_t returnAddress,
                        uint32_t stackPointer);
  void endMeasurement(const Core &core);
  void traceInstruction(const Core &core, const Instruction &i,
                        uint32_t result);
  /// Where a store must not go: a segment of the program.
  bool isReadOnly(uint32_t address) const;

  // Peripherals.cpp
  /// The cycles of an access by `core`, or 0 where nothing is.
  unsigned peripheralLatency(uint32_t address) const;
  uint32_t loadPeripheral(Core &core, uint32_t address);
  void storePeripheral(Core &core, uint32_t address, uint32_t value);
  void storeClusterControl(Core &core, uint32_t offset, uint32_t value);
  void startCores(Core &starter, uint32_t mask);
  void print(Core &core, uint32_t address, char character);
  void exit(uint32_t status);

  const Program &program;
  const ClusterConfig config;
  Memory l1;
  Memory l2;
  CodeCache codeCache;
  Banks banks;
  InstructionCaches caches;
  EventUnit events;
  Dma dma;
  RaceDetector races;
  std::vector<std::unique_ptr<Core>> cores;

  std::vector<Core *> running;
  uint64_t now = 0;
  /// One core runs and nothing contends with it.
  bool isAlone = false;
  bool scheduleChanged = true;
  bool hasExited = false;
  uint32_t status = 0;
  std::array<uint32_t, maxClusterCores> bootAddresses{};
  std::array<std::string, coreSlots> lines;

  Measurement measurement = Measurement::Waiting;
  uint32_t measuredEntry = 1;
  uint32_t topFunction = ~0u;
  unsigned measuringCore = 0;
  uint32_t measureReturn = 0;
  uint32_t measureStack = 0;
  uint64_t measuredFrom = 0;
  Report measured;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_CLUSTER_H
