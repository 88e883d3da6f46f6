// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Static memory planning: buffers with known lifetimes get offsets in one
// arena, or in one for each of several memories. Free of MLIR types, so that it
// can be tested against brute force.

#ifndef TINYFORMER_TRANSFORMS_MEMORYPLANNER_H
#define TINYFORMER_TRANSFORMS_MEMORYPLANNER_H

#include <cstdint>
#include <vector>

namespace tinyformer {

/// Something to place. It is alive from `start` to `end`, both inclusive.
struct Buffer {
  uint64_t size;
  unsigned start, end;
  /// A power of two.
  uint64_t alignment = 1;
  /// Of several memories.
  enum Place { Anywhere, InFirst, NotInFirst } place = Anywhere;
};

struct Plan {
  /// One for each buffer, a multiple of its alignment.
  std::vector<uint64_t> offsets;
  /// Bytes that the arena needs. All sizes here are rounded up to the smallest
  /// alignment of the problem, because no buffer starts between its multiples.
  uint64_t size = 0;
  /// The largest sum of bytes alive at one time: no plan is smaller.
  uint64_t lowerBound = 0;
};

/// Places the buffers such that those that are alive at the same time do not
/// overlap. The plan is the smallest possible for up to 10 buffers, and
/// whenever the search finishes within its budget or meets the lower bound;
/// else it is the best that was found. The result depends on nothing but the
/// argument.
Plan planMemory(const std::vector<Buffer> &buffers);

/// What one memory holds: see `Plan`.
struct Arena {
  uint64_t size = 0;
  uint64_t lowerBound = 0;
};

/// A plan for several memories.
struct SpreadPlan {
  /// The plan for one memory that is large enough.
  Plan whole;
  /// Whether a way was found; if not, the rest is empty.
  bool fits = false;
  /// For each buffer the index of its memory, and its offset there.
  std::vector<unsigned> memories;
  std::vector<uint64_t> offsets;
  /// For each memory; empty where nothing lies in it.
  std::vector<Arena> arenas;
};

/// Places the buffers in memories of these capacities, the preferred one first.
/// All go to the first memory that holds all, as `planMemory` places them; only
/// if there is none, or some buffers may not be there, they are spread. For up
/// to 10 buffers a way is found if
/// there is one. The result depends on nothing but the arguments.
SpreadPlan spreadMemory(const std::vector<Buffer> &buffers,
                        const std::vector<uint64_t> &capacities);

} // namespace tinyformer

#endif // TINYFORMER_TRANSFORMS_MEMORYPLANNER_H
