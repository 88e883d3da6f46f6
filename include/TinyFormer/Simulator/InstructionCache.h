// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instruction caches: a small one in each core, one that the cluster's cores
// share, and the fabric controller's own.

#ifndef TINYFORMER_SIMULATOR_INSTRUCTIONCACHE_H
#define TINYFORMER_SIMULATOR_INSTRUCTIONCACHE_H

#include "TinyFormer/Simulator/Config.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tinyformer::pulp {

/// Bytes of a line are 1 << lineBits.
constexpr unsigned lineBits = 4;

/// Tags of a set-associative cache with four ways, replaced pseudo-randomly.
class CacheTags {
public:
  explicit CacheTags(unsigned sets);

  struct Way {
    uint32_t line;
    /// When a refill that is under way ends.
    uint64_t filledAt;
  };

  /// The way that holds `line` of set `index`, or null.
  const Way *find(uint32_t line, uint32_t index) const;
  /// Gives a way of set `index` to `line`, there at `filledAt`.
  void fill(uint32_t line, uint32_t index, uint64_t filledAt);
  void flush();

private:
  static constexpr unsigned ways = 4;
  unsigned nextWay();

  std::vector<Way> entries;
  uint8_t randomState = 0;
};

class InstructionCaches {
public:
  explicit InstructionCaches(bool isModelled);

  /// Cycles until `core` has `line`, which it asks for at `now`.
  uint64_t fetch(unsigned core, uint32_t line, uint64_t now);

  void enableCluster(bool on) { clusterEnabled = on; }
  void enableFabric(bool on) { fabricEnabled = on; }
  void flush();

private:
  struct Bank {
    CacheTags tags;
    /// One refill at a time.
    uint64_t busyUntil = 0;
  };
  uint64_t fetchShared(uint32_t line, uint64_t now);
  uint64_t fetchFabric(uint32_t line, uint64_t now);

  bool isModelled;
  bool clusterEnabled = false;
  bool fabricEnabled = false;
  std::vector<CacheTags> buffers;
  std::vector<Bank> banks;
  CacheTags fabric;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_INSTRUCTIONCACHE_H
