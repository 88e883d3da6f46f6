// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happens behind every instruction, inline because it is every one.

#ifndef TINYFORMER_LIB_SIMULATOR_RETIRE_H
#define TINYFORMER_LIB_SIMULATOR_RETIRE_H

#include "TinyFormer/Simulator/Cluster.h"

namespace tinyformer::pulp {

inline void Core::charge(const Instruction &i, uint64_t cycles) {
  if (i.function != profiled)
    profile(i.function);
  readyAt += cycles;
}

inline void Core::retire(const Instruction &i, uint64_t cycles) {
  if (pc == loops[0].end || pc == loops[1].end)
    next = closeLoops(next);
  ++counters[Event::Instructions];
  counters[Event::Compressed] += i.size == 2;
  if (isTraced)
    cluster.traceInstruction(*this, i, x[i.rd]);
  charge(i, cycles);
  written = i.writes;
  loaded = i.loads;
  if (i.writesStackPointer)
    checkStack();
  pc = next;
}

inline bool crossesWord(uint32_t address, uint32_t bytes) {
  return (address & 3) + bytes > 4;
}

inline void Core::checkRace(const Instruction &i) {
  if (!watchesRaces)
    return;
  if (cluster.dma.hasUnobserved())
    checkTransfers(i);
  if (!cluster.races.isRepeated(index, pendingAddress, i.bytes,
                                i.kind == Kind::Store))
    findRace(i);
}

} // namespace tinyformer::pulp

#endif // TINYFORMER_LIB_SIMULATOR_RETIRE_H
