// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of a memory is free at each time. Free of MLIR types.

#ifndef TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROOM_H
#define TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROOM_H

#include "TinyFormer/Transforms/MemoryPlanner.h"

#include <algorithm>

namespace tinyformer {

/// What a memory has beside the buffers that are planned for it anyway. Where
/// these leave less than `least` bytes, some of them will have to go elsewhere.
class Room {
public:
  Room(uint64_t capacity, uint64_t least, const std::vector<Buffer> &buffers)
      : capacity(capacity) {
    unsigned end = 0;
    for (const Buffer &buffer : buffers)
      end = std::max(end, buffer.end + 1);
    used.resize(end, 0);
    for (const Buffer &buffer : buffers)
      for (unsigned time = buffer.start; time <= buffer.end; ++time)
        used[time] += round(buffer.size);
    uint64_t most = capacity - std::min(capacity, least);
    for (uint64_t &bytes : used)
      bytes = std::min(bytes, most);
  }

  /// Takes `bytes` from `start` to `end`, both inclusive, if they are free.
  bool take(unsigned start, unsigned end, uint64_t bytes) {
    if (used.size() <= end)
      used.resize(end + 1, 0);
    uint64_t most =
        *std::max_element(used.begin() + start, used.begin() + end + 1);
    if (most + round(bytes) > capacity)
      return false;
    for (unsigned time = start; time <= end; ++time)
      used[time] += round(bytes);
    return true;
  }

private:
  static uint64_t round(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

  uint64_t capacity;
  std::vector<uint64_t> used;
};

} // namespace tinyformer

#endif // TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROOM_H
