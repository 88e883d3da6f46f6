// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the estimates of bytes and of cycles share.

#ifndef TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_SCHEDULEESTIMATES_H
#define TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_SCHEDULEESTIMATES_H

#include "TinyFormer/Transforms/AttentionSchedule.h"

#include <algorithm>
#include <cstdint>

namespace tinyformer {

/// Bytes of the arena of one layer, as a perfect planner lays its buffers.
uint64_t getArenaBytes(const AttentionShape &shape, ScheduleKind kind,
                       int64_t rows);

/// Calls `body` with each part of `total` that `step` cuts off.
template <typename Body> void forParts(int64_t total, int64_t step, Body body) {
  for (int64_t rest = total; rest > 0; rest -= step)
    body(std::min(rest, step));
}

} // namespace tinyformer

#endif // TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_SCHEDULEESTIMATES_H
