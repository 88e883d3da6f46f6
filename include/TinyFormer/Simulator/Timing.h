// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cycles. What an instruction computes is in the instruction table; how long
// it takes is here. docs/simulators.md has the source of each figure.

#ifndef TINYFORMER_SIMULATOR_TIMING_H
#define TINYFORMER_SIMULATOR_TIMING_H

#include "TinyFormer/Simulator/Instruction.h"

namespace tinyformer::pulp::timing {

constexpr unsigned loadUseStall = 1;
constexpr unsigned jumpRegisterStall = 1;
constexpr unsigned branchTaken = 3;
constexpr unsigned branchNotTaken = 1;
constexpr unsigned jump = 2;
constexpr unsigned multiplyHigh = 5;

constexpr unsigned eventUnitAccess = 1;
constexpr unsigned clusterPeripheralAccess = 3;
constexpr unsigned l2FromCluster = 15;
constexpr unsigned apbAccess = 23;
/// The fabric controller is beside L2.
constexpr unsigned l2FromFabric = 1;
constexpr unsigned l1FromFabric = 15;

/// From an event, or the p.elw if that came later, to the next instruction.
constexpr unsigned eventLoad = 6;

constexpr unsigned dmaSetup = 15;
constexpr unsigned dmaBytesPerCycle = 8;

/// A line from the next level of instruction cache.
constexpr unsigned cacheRefill = 2;
/// A line from L2 through both levels.
constexpr unsigned cacheMiss = 18;

/// Cycles of a division by `divisor`.
unsigned divide(bool isSigned, uint32_t divisor);

} // namespace tinyformer::pulp::timing

#endif // TINYFORMER_SIMULATOR_TIMING_H
