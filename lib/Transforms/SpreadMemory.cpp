// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several memories: first-fit, where buffers that found no place are placed
// earlier the next time, those that have no choice before all; for few buffers,
// all ways to distribute them.

#include "TinyFormer/Transforms/MemoryPlanner.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

using namespace tinyformer;

namespace {

constexpr size_t alwaysExact = 10;
constexpr uint64_t searchWork = 100'000'000;

/// For each buffer its memory, and a place there.
struct Assignment {
  std::vector<unsigned> memories;
  std::vector<uint64_t> offsets;
};

uint64_t alignTo(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool mayBeIn(const Buffer &buffer, unsigned memory) {
  return buffer.place == Buffer::Anywhere ||
         (buffer.place == Buffer::InFirst) == (memory == 0);
}

bool mayAllBeIn(const std::vector<Buffer> &buffers, unsigned memory) {
  return std::all_of(buffers.begin(), buffers.end(), [&](const Buffer &buffer) {
    return mayBeIn(buffer, memory);
  });
}

/// Buffers whose sizes are multiples of the smallest alignment, as the planner
/// for one arena has them. Parts of the problem must not round otherwise.
std::vector<Buffer> roundSizes(std::vector<Buffer> buffers) {
  uint64_t granule = std::numeric_limits<uint64_t>::max();
  for (Buffer &buffer : buffers) {
    buffer.alignment = std::max<uint64_t>(buffer.alignment, 1);
    granule = std::min(granule, buffer.alignment);
  }
  for (Buffer &buffer : buffers)
    buffer.size = alignTo(buffer.size, granule);
  return buffers;
}

/// Plans the buffers of one memory by themselves; what is already there stays
/// if that is no larger.
Arena planPart(const std::vector<Buffer> &buffers, unsigned memory,
               Assignment &assignment) {
  std::vector<Buffer> part;
  std::vector<size_t> indices;
  uint64_t size = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (assignment.memories[i] == memory) {
      part.push_back(buffers[i]);
      indices.push_back(i);
      size = std::max(size, assignment.offsets[i] + buffers[i].size);
    }
  Plan plan = planMemory(part);
  // The planner rounds more if this part is aligned more than the whole.
  if (size <= plan.size)
    return {size, std::min(size, plan.lowerBound)};
  for (size_t i = 0; i < indices.size(); ++i)
    assignment.offsets[indices[i]] = plan.offsets[i];
  return {plan.size, plan.lowerBound};
}

/// Places buffers one after the other at the lowest place that is free for
/// their lifetimes, in the first memory that has one.
class FirstFit {
public:
  FirstFit(const std::vector<Buffer> &buffers,
           const std::vector<uint64_t> &capacities)
      : buffers(buffers), capacities(capacities), offsets(buffers.size()),
        blame(buffers.size(), 0) {}

  /// Places for all buffers, if all found one.
  std::optional<Assignment> run() {
    uint64_t work = buffers.size() * buffers.size() * capacities.size();
    uint64_t rounds = std::min<uint64_t>(1000, searchWork / (20 * work) + 1);
    for (uint64_t round = 0; round < rounds; ++round)
      if (placeAll())
        return Assignment{memories, offsets};
    return std::nullopt;
  }

private:
  /// Those that found no place before come first, then the largest.
  std::vector<unsigned> getOrder() const {
    std::vector<unsigned> order(buffers.size());
    std::iota(order.begin(), order.end(), 0);
    auto key = [&](unsigned i) {
      return std::tuple(blame[i], buffers[i].place != Buffer::Anywhere,
                        buffers[i].size, buffers[i].end - buffers[i].start);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](unsigned a, unsigned b) { return key(a) > key(b); });
    return order;
  }

  bool placeAll() {
    memories.assign(buffers.size(), unplaced);
    bool complete = true;
    for (unsigned index : getOrder())
      if (!place(index)) {
        ++blame[index];
        complete = false;
      }
    return complete;
  }

  bool place(unsigned index) {
    for (unsigned memory = 0; memory < capacities.size(); ++memory) {
      if (!mayBeIn(buffers[index], memory))
        continue;
      uint64_t offset = findGap(index, memory);
      if (offset + buffers[index].size > capacities[memory])
        continue;
      memories[index] = memory;
      offsets[index] = offset;
      return true;
    }
    return false;
  }

  uint64_t findGap(unsigned index, unsigned memory) const {
    const Buffer &buffer = buffers[index];
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (unsigned i = 0; i < buffers.size(); ++i)
      if (memories[i] == memory && buffers[i].start <= buffer.end &&
          buffer.start <= buffers[i].end)
        taken.push_back({offsets[i], offsets[i] + buffers[i].size});
    std::sort(taken.begin(), taken.end());
    uint64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + buffer.size <= begin)
        break;
      offset = std::max(offset, alignTo(end, buffer.alignment));
    }
    return offset;
  }

  static constexpr unsigned unplaced = std::numeric_limits<unsigned>::max();

  const std::vector<Buffer> &buffers;
  const std::vector<uint64_t> &capacities;
  std::vector<unsigned> memories;
  std::vector<uint64_t> offsets;
  /// How often a buffer found no place.
  std::vector<unsigned> blame;
};

/// All ways to distribute few buffers, those in preferred memories first. A
/// memory that is too small for some buffers is too small for more.
class Exhaustive {
public:
  Exhaustive(const std::vector<Buffer> &buffers,
             const std::vector<uint64_t> &capacities)
      : buffers(buffers), capacities(capacities), masks(capacities.size(), 0) {}

  std::optional<Assignment> run() {
    if (!visit(0))
      return std::nullopt;
    Assignment assignment{std::vector<unsigned>(buffers.size(), 0),
                          std::vector<uint64_t>(buffers.size(), 0)};
    for (unsigned memory = 0; memory < masks.size(); ++memory) {
      std::vector<uint64_t> offsets = getPlan(masks[memory]).offsets;
      for (size_t i = 0, next = 0; i < buffers.size(); ++i)
        if (masks[memory] >> i & 1) {
          assignment.memories[i] = memory;
          assignment.offsets[i] = offsets[next++];
        }
    }
    return assignment;
  }

private:
  bool visit(unsigned index) {
    if (index == buffers.size())
      return true;
    for (size_t memory = 0; memory < masks.size(); ++memory) {
      if (!mayBeIn(buffers[index], memory))
        continue;
      masks[memory] |= 1u << index;
      if (getPlan(masks[memory]).size <= capacities[memory] && visit(index + 1))
        return true;
      masks[memory] &= ~(1u << index);
    }
    return false;
  }

  const Plan &getPlan(unsigned mask) {
    auto [entry, isNew] = plans.try_emplace(mask);
    if (!isNew)
      return entry->second;
    std::vector<Buffer> part;
    for (size_t i = 0; i < buffers.size(); ++i)
      if (mask >> i & 1)
        part.push_back(buffers[i]);
    return entry->second = planMemory(part);
  }

  const std::vector<Buffer> &buffers;
  const std::vector<uint64_t> &capacities;
  /// For each memory, which buffers lie in it.
  std::vector<unsigned> masks;
  std::map<unsigned, Plan> plans;
};

} // namespace

SpreadPlan tinyformer::spreadMemory(const std::vector<Buffer> &given,
                                    const std::vector<uint64_t> &capacities) {
  SpreadPlan spread;
  spread.whole = planMemory(given);
  for (unsigned memory = 0; memory < capacities.size(); ++memory) {
    if (spread.whole.size > capacities[memory] || !mayAllBeIn(given, memory))
      continue;
    spread.fits = true;
    spread.memories.assign(given.size(), memory);
    spread.offsets = spread.whole.offsets;
    spread.arenas.resize(capacities.size());
    spread.arenas[memory] = {spread.whole.size, spread.whole.lowerBound};
    return spread;
  }
  uint64_t total =
      std::accumulate(capacities.begin(), capacities.end(), uint64_t(0));
  if (capacities.size() < 2 || spread.whole.lowerBound > total)
    return spread;

  std::vector<Buffer> buffers = roundSizes(given);
  std::optional<Assignment> assignment = FirstFit(buffers, capacities).run();
  if (!assignment && buffers.size() <= alwaysExact)
    assignment = Exhaustive(buffers, capacities).run();
  if (!assignment)
    return spread;
  for (unsigned memory = 0; memory < capacities.size(); ++memory)
    spread.arenas.push_back(planPart(buffers, memory, *assignment));
  spread.fits = true;
  spread.memories = std::move(assignment->memories);
  spread.offsets = std::move(assignment->offsets);
  return spread;
}
