// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a row of work is cut into shares for the cores of a cluster, free of
// MLIR.

#ifndef TINYFORMER_COSTMODEL_SHARES_H
#define TINYFORMER_COSTMODEL_SHARES_H

#include <cstdint>
#include <vector>

namespace tinyformer {

/// A piece of work that one core does.
struct WorkUnit {
  double cycles;
  /// Whether a share may begin with it.
  bool mayBegin = true;
};

struct Shares {
  /// Share c is the units from starts[c] to starts[c + 1] - 1.
  std::vector<int64_t> starts;
  /// Of the largest share.
  double cycles;
};

/// Cuts `units` into `count` shares, some of them perhaps empty, of which the
/// largest is as small as it can be, to half a cycle.
Shares shareOut(const std::vector<WorkUnit> &units, int64_t count);

} // namespace tinyformer

#endif // TINYFORMER_COSTMODEL_SHARES_H
