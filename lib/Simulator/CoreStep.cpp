// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way of most instructions: fetching, stalling, computing, and L1.

#include "Retire.h"

#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

using namespace tinyformer::pulp;

namespace {

template <class T> T read(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

uint32_t readBytes(const uint8_t *bytes, const Instruction &i) {
  switch (i.bytes) {
  case 4:
    return read<uint32_t>(bytes);
  case 2:
    return i.isSigned ? uint32_t(read<int16_t>(bytes)) : read<uint16_t>(bytes);
  default:
    return i.isSigned ? uint32_t(read<int8_t>(bytes)) : *bytes;
  }
}

void writeBytes(uint8_t *bytes, const Instruction &i, uint32_t value) {
  switch (i.bytes) {
  case 4:
    std::memcpy(bytes, &value, 4);
    return;
  case 2:
    std::memcpy(bytes, &value, 2);
    return;
  default:
    *bytes = uint8_t(value);
  }
}

} // namespace

// Both are one function with all that they call, but what is declared not to
// be: they decide how fast the simulator is.

[[gnu::flatten]] void Core::step() { advance(); }

[[gnu::flatten]] void Core::runAlone(uint64_t until) {
  while (readyAt < until && !cluster.scheduleChanged)
    advance();
}

inline void Core::advance() {
  const Instruction &i = fetch();
  if (waitsForCode(i) || waitsForData(i))
    return;
  next = pc + i.size;
  execute(i);
}

inline const Instruction &Core::fetch() {
  if (pc - pageAddress >= CodeCache::pageBytes)
    turnPage();
  Instruction &i = (*page)[(pc - pageAddress) / 2];
  if (i.kind == Kind::Undecoded)
    decodeInto(i);
  return i;
}

inline bool Core::waitsForCode(const Instruction &i) {
  constexpr uint32_t lineBytes = 1u << lineBits;
  const bool isHere = pc - lineAddress + i.size <= lineBytes;
  return !isHere && fetchedPc != pc && fetchLines(i);
}

inline bool Core::waitsForData(const Instruction &i) {
  if (i.reads & loaded) {
    loaded = 0;
    stall(i, timing::loadUseStall, Event::LoadStalls);
    return true;
  }
  if (i.kind == Kind::JumpRegister && (written & i.reads)) {
    written = 0;
    stall(i, timing::jumpRegisterStall, Event::JumpStalls);
    return true;
  }
  return false;
}

inline void Core::execute(const Instruction &i) {
  switch (i.kind) {
  case Kind::Compute:
    return compute(i, 1);
  case Kind::MultiplyHigh:
    return compute(i, timing::multiplyHigh);
  case Kind::Divide: {
    const bool isSigned = (i.word >> 12 & 1) == 0;
    return compute(i, timing::divide(isSigned, x[i.b]));
  }
  case Kind::Load:
  case Kind::Store:
    return access(i);
  case Kind::EventLoad:
    return eventLoad(i);
  case Kind::Branch:
    return branch(i);
  case Kind::Jump:
    return jump(i, i.target);
  case Kind::JumpRegister:
    return jump(i, (x[i.a] + i.immediate) & ~1u);
  case Kind::LoopStart:
  case Kind::LoopEnd:
  case Kind::LoopCount:
  case Kind::LoopSetup:
    setLoop(i);
    return retire(i, 1);
  case Kind::Csr:
    return controlRegister(i);
  case Kind::Fence:
    return retire(i, 1);
  case Kind::FenceInstructions:
    fail("fence.i: code that changes itself is not modelled");
  case Kind::Wait:
    retire(i, 1);
    state = CoreState::Halted;
    return cluster.changeSchedule();
  case Kind::Breakpoint:
    return breakpoint(i);
  case Kind::EnvironmentCall:
    fail("ecall: there is no environment to call");
  case Kind::Undecoded:
  case Kind::Illegal:
    break;
  }
  failInstruction(i);
}

void Core::compute(const Instruction &i, unsigned cycles) {
  writeRegister(i.rd, i.compute(x[i.a], secondOperand(i), x[i.rd], i.n));
  retire(i, cycles);
}

void Core::access(const Instruction &i) {
  pendingAddress = x[i.a] + (i.postIncrement ? 0 : secondOperand(i));
  ++counters[i.kind == Kind::Load ? Event::Loads : Event::Stores];
  const bool crosses = crossesWord(pendingAddress, i.bytes);
  if (crosses) {
    ++counters[Event::Misaligned];
    ++counters.functionMisaligned[i.function];
  }
  if (uint8_t *bytes = cluster.l1At(pendingAddress, i.bytes))
    return accessL1(i, bytes, crosses);
  if (cluster.l2.holds(pendingAddress, i.bytes))
    return accessL2(i, crosses);
  accessPeripheral(i);
}

void Core::accessL1(const Instruction &i, uint8_t *bytes, bool crosses) {
  const unsigned accesses = crosses ? 2 : 1;
  if (cluster.isAlone || !cluster.config.contention || isFabric())
    return finishAccess(
        i, bytes, isFabric() ? accesses * timing::l1FromFabric : accesses);
  pending = &i;
  needsSecondWord = crosses;
  pendingSince = readyAt;
  state = CoreState::Contending;
  cluster.banks.request(Banks::bankOf(pendingAddress), index);
}

void Core::finishAccess(const Instruction &i, uint8_t *bytes, uint64_t cycles) {
  checkRace(i);
  if (i.kind == Kind::Store) {
    writeBytes(bytes, i, x[i.rd]);
    return finishStore(i, cycles);
  }
  const uint32_t value = readBytes(bytes, i);
  if (isTestAndSet())
    std::memset(bytes, 0xff, i.bytes);
  finishLoad(i, value, cycles);
}

void Core::finishLoad(const Instruction &i, uint32_t value, uint64_t cycles) {
  if (i.postIncrement)
    writeRegister(i.a, x[i.a] + secondOperand(i));
  writeRegister(i.rd, value);
  retire(i, cycles);
}

void Core::finishStore(const Instruction &i, uint64_t cycles) {
  if (i.postIncrement)
    writeRegister(i.a, x[i.a] + secondOperand(i));
  retire(i, cycles);
}
