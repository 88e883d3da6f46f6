// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds words that two cores touch without a barrier between them, one of
// them writing. Vector clocks: an access is ordered behind another if a
// barrier, a start or a lock has told its core of the other's clock.

#ifndef TINYFORMER_SIMULATOR_RACEDETECTOR_H
#define TINYFORMER_SIMULATOR_RACEDETECTOR_H

#include "TinyFormer/Simulator/Config.h"

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

namespace tinyformer::pulp {

struct Race {
  unsigned otherCore;
  uint32_t otherPc;
  bool otherWrote;
};

class RaceDetector {
public:
  explicit RaceDetector(uint32_t granule);

  /// Records an access; true, with `race` filled, if it races with another.
  bool access(unsigned core, uint32_t address, uint32_t bytes, bool isWrite,
              uint32_t pc, Race &race);

  /// Whether the last access to this aligned place was by the same core since
  /// its last barrier, writing if this one writes: then it tells nothing new.
  bool isRepeated(unsigned core, uint32_t address, uint32_t bytes,
                  bool isWrite) const {
    const uint32_t offset = address - l1Base;
    if (offset >= testAndSetBase - l1Base || (address & 3) + bytes > 4 ||
        bytes > 1u << shift)
      return false;
    return (stamps[offset >> shift] | !isWrite) == (ownStamps[core] | 1);
  }

  /// A barrier opened for a set of cores.
  void meet(uint32_t cores);
  /// `starter` let `core` begin.
  void start(unsigned starter, unsigned core);
  /// A test-and-set of `address`: from now on it is a lock and not data.
  void acquire(unsigned core, uint32_t address);

private:
  using Clock = std::array<uint32_t, coreSlots>;
  struct Cell {
    uint32_t writeClock = 0;
    uint32_t writePc = 0;
    unsigned writer = 0;
    Clock readClock{};
    std::array<uint32_t, coreSlots> readPc{};
  };
  static constexpr unsigned pageBits = 8;
  using Page = std::array<Cell, 1u << pageBits>;

  void advance(unsigned core) {
    ownStamps[core] = ++clocks[core][core] << 5 | core << 1;
  }
  Cell &cell(uint32_t index);
  bool touch(unsigned core, Cell &cell, bool isWrite, uint32_t pc, Race &race);
  bool isLock(unsigned core, uint32_t address, bool isWrite);
  static void join(Clock &into, const Clock &from);

  unsigned shift;
  std::array<Clock, coreSlots> clocks{};
  /// For each cell of L1, who touched it last, and when by its own clock.
  /// The lowest bit tells a write.
  std::vector<uint32_t> stamps;
  std::array<uint32_t, coreSlots> ownStamps{};
  std::vector<std::unique_ptr<Page>> l1Pages;
  std::vector<std::unique_ptr<Page>> l2Pages;
  std::unordered_map<uint32_t, Clock> locks;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_RACEDETECTOR_H
