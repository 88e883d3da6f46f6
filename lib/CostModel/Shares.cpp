// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/Shares.h"

#include <algorithm>

using namespace tinyformer;

/// Fills one share after the other with no more than `capacity` cycles each, if
/// `count` of them are enough. Never worse than another cut with that capacity:
/// no share could begin later.
static bool fill(const std::vector<WorkUnit> &units, int64_t count,
                 double capacity, Shares &shares) {
  shares = {{0}, 0};
  double inShare = 0;
  for (size_t begin = 0, end; begin < units.size(); begin = end) {
    // What must not be cut.
    double cycles = units[begin].cycles;
    for (end = begin + 1; end < units.size() && !units[end].mayBegin; ++end)
      cycles += units[end].cycles;
    if (cycles > capacity)
      return false;
    if (inShare + cycles > capacity) {
      shares.starts.push_back(int64_t(begin));
      inShare = 0;
    }
    inShare += cycles;
    shares.cycles = std::max(shares.cycles, inShare);
  }
  if (int64_t(shares.starts.size()) > count)
    return false;
  shares.starts.resize(count + 1, int64_t(units.size()));
  return true;
}

Shares tinyformer::shareOut(const std::vector<WorkUnit> &units, int64_t count) {
  double low = 0, high = 0;
  for (const WorkUnit &unit : units)
    high += unit.cycles;
  Shares best, tried;
  fill(units, count, high, best);
  while (high - low > 0.5) {
    double middle = (low + high) / 2;
    if (fill(units, count, middle, tried)) {
      best = tried;
      high = std::min(middle, tried.cycles);
    } else {
      low = middle;
    }
  }
  return best;
}
