// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Simulator/RaceDetector.h"

#include <algorithm>

using namespace tinyformer::pulp;

RaceDetector::RaceDetector(uint32_t granule)
    : shift(unsigned(__builtin_ctz(granule))) {
  for (unsigned core = 0; core < coreSlots; ++core)
    advance(core);
  const uint32_t l1Cells = (testAndSetBase - l1Base) >> shift;
  stamps.resize(l1Cells);
  l1Pages.resize(l1Cells >> pageBits);
  l2Pages.resize((l2Bytes >> shift >> pageBits) + 1);
}

RaceDetector::Cell &RaceDetector::cell(uint32_t index) {
  const bool inL2 = index >= l2Base >> shift;
  const uint32_t offset = index - ((inL2 ? l2Base : l1Base) >> shift);
  auto &page = (inL2 ? l2Pages : l1Pages)[offset >> pageBits];
  if (page == nullptr)
    page = std::make_unique<Page>();
  return (*page)[offset & ((1u << pageBits) - 1)];
}

bool RaceDetector::access(unsigned core, uint32_t address, uint32_t bytes,
                          bool isWrite, uint32_t pc, Race &race) {
  if (!locks.empty() && isLock(core, address, isWrite))
    return false;
  const uint32_t last = (address + bytes - 1) >> shift;
  for (uint32_t index = address >> shift; index <= last; ++index) {
    if (touch(core, cell(index), isWrite, pc, race))
      return true;
    const uint32_t inL1 = index - (l1Base >> shift);
    if (inL1 < stamps.size())
      stamps[inL1] = ownStamps[core] | isWrite;
  }
  return false;
}

bool RaceDetector::touch(unsigned core, Cell &cell, bool isWrite, uint32_t pc,
                         Race &race) {
  const Clock &clock = clocks[core];
  if (cell.writeClock > clock[cell.writer]) {
    race = {cell.writer, cell.writePc, true};
    return true;
  }
  if (!isWrite) {
    cell.readClock[core] = clock[core];
    cell.readPc[core] = pc;
    return false;
  }
  for (unsigned other = 0; other < coreSlots; ++other)
    if (cell.readClock[other] > clock[other]) {
      race = {other, cell.readPc[other], false};
      return true;
    }
  cell.writer = core;
  cell.writeClock = clock[core];
  cell.writePc = pc;
  return false;
}

void RaceDetector::join(Clock &into, const Clock &from) {
  for (unsigned core = 0; core < coreSlots; ++core)
    into[core] = std::max(into[core], from[core]);
}

void RaceDetector::meet(uint32_t cores) {
  Clock together{};
  for (unsigned core = 0; core < maxClusterCores; ++core)
    if (cores >> core & 1)
      join(together, clocks[core]);
  for (unsigned core = 0; core < maxClusterCores; ++core)
    if (cores >> core & 1) {
      clocks[core] = together;
      advance(core);
    }
}

void RaceDetector::start(unsigned starter, unsigned core) {
  join(clocks[core], clocks[starter]);
  advance(starter);
}

void RaceDetector::acquire(unsigned core, uint32_t address) {
  join(clocks[core], locks[address >> 2]);
  stamps[(address - l1Base) >> shift] = 0;
}

/// Whoever writes a lock lets the next one that takes it know its clock.
bool RaceDetector::isLock(unsigned core, uint32_t address, bool isWrite) {
  const auto lock = locks.find(address >> 2);
  if (lock == locks.end())
    return false;
  if (isWrite) {
    lock->second = clocks[core];
    advance(core);
  }
  return true;
}
