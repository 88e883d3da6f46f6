// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// First-fit along several orders, the best order improved by moving buffers
// that reach the top to its front; then branch and bound from the best plan.

#include "TinyFormer/Transforms/MemoryPlanner.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

using namespace tinyformer;

namespace {

constexpr size_t alwaysExact = 10;
constexpr uint64_t searchWork = 50'000'000;
constexpr uint64_t improvementWork = 20'000'000;

using Order = std::vector<unsigned>;

uint64_t alignTo(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// The buffers with rounded sizes, and who is alive together with whom.
struct Problem {
  explicit Problem(const std::vector<Buffer> &given) : buffers(given) {
    uint64_t granule = std::numeric_limits<uint64_t>::max();
    for (Buffer &buffer : buffers) {
      buffer.alignment = std::max<uint64_t>(buffer.alignment, 1);
      granule = std::min(granule, buffer.alignment);
    }
    neighbours.resize(buffers.size());
    for (Buffer &buffer : buffers)
      buffer.size = alignTo(buffer.size, granule);
    for (unsigned a = 0; a < buffers.size(); ++a)
      for (unsigned b = 0; b < a; ++b)
        if (overlap(buffers[a], buffers[b])) {
          neighbours[a].push_back(b);
          neighbours[b].push_back(a);
        }
    findTimes();
  }

  /// Empty buffers are in nobody's way.
  static bool overlap(const Buffer &a, const Buffer &b) {
    return a.size != 0 && b.size != 0 && a.start <= b.end && b.start <= a.end;
  }

  /// What is alive grows at starts only: these are the times to look at.
  void findTimes() {
    for (const Buffer &buffer : buffers)
      times.push_back(buffer.start);
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    live.assign(times.size(), 0);
    for (const Buffer &buffer : buffers) {
      auto first = std::lower_bound(times.begin(), times.end(), buffer.start);
      auto last = std::upper_bound(first, times.end(), buffer.end);
      spans.push_back(
          {unsigned(first - times.begin()), unsigned(last - times.begin())});
      for (unsigned t = spans.back().first; t < spans.back().second; ++t)
        live[t] += buffer.size;
    }
    for (uint64_t bytes : live)
      lowerBound = std::max(lowerBound, bytes);
  }

  std::vector<Buffer> buffers;
  std::vector<std::vector<unsigned>> neighbours;
  std::vector<unsigned> times;
  /// For each time, the bytes alive.
  std::vector<uint64_t> live;
  /// For each buffer, its first time and the one after its last.
  std::vector<std::pair<unsigned, unsigned>> spans;
  uint64_t lowerBound = 0;
};

/// Places the buffers one after the other, each into the lowest gap.
Plan placeInOrder(const Problem &problem, const Order &order) {
  Plan plan;
  plan.offsets.assign(problem.buffers.size(), 0);
  plan.lowerBound = problem.lowerBound;
  std::vector<bool> placed(problem.buffers.size());
  std::vector<std::pair<uint64_t, uint64_t>> taken;
  for (unsigned index : order) {
    const Buffer &buffer = problem.buffers[index];
    taken.clear();
    for (unsigned other : problem.neighbours[index])
      if (placed[other])
        taken.push_back({plan.offsets[other],
                         plan.offsets[other] + problem.buffers[other].size});
    std::sort(taken.begin(), taken.end());
    uint64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + buffer.size <= begin)
        break;
      offset = std::max(offset, alignTo(end, buffer.alignment));
    }
    plan.offsets[index] = offset;
    plan.size = std::max(plan.size, offset + buffer.size);
    placed[index] = true;
  }
  return plan;
}

/// Orders that do well on different problems; ties keep the given order.
std::vector<Order> makeOrders(const Problem &problem) {
  Order all(problem.buffers.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<uint64_t> breadths;
  for (auto [first, last] : problem.spans)
    breadths.push_back(*std::max_element(problem.live.begin() + first,
                                         problem.live.begin() + last));
  auto size = [&](unsigned i) { return problem.buffers[i].size; };
  auto length = [&](unsigned i) -> uint64_t {
    return problem.buffers[i].end - problem.buffers[i].start + 1;
  };
  using Key = std::function<std::pair<uint64_t, uint64_t>(unsigned)>;
  const Key largestFirst[] = {
      [&](unsigned i) { return std::pair(size(i), length(i)); },
      [&](unsigned i) { return std::pair(length(i), size(i)); },
      [&](unsigned i) { return std::pair(size(i) * length(i), size(i)); },
      [&](unsigned i) { return std::pair(breadths[i], size(i)); },
      [&](unsigned i) { return std::pair(breadths[i], length(i)); },
      [&](unsigned i) {
        return std::pair(uint64_t(problem.neighbours[i].size()), size(i));
      },
  };
  std::vector<Order> orders{all};
  for (const Key &key : largestFirst) {
    orders.push_back(all);
    std::stable_sort(orders.back().begin(), orders.back().end(),
                     [&](unsigned a, unsigned b) { return key(a) > key(b); });
  }
  return orders;
}

/// Hill climbing over orders: a buffer at the top of the arena moves to a
/// place further to the front, drawn from a fixed pseudo-random sequence.
void improve(const Problem &problem, Order order, Plan &best) {
  uint64_t edges = problem.buffers.size();
  for (const std::vector<unsigned> &list : problem.neighbours)
    edges += list.size();
  uint64_t rounds = std::min<uint64_t>(2000, improvementWork / edges / 4);
  uint64_t state = 1;
  auto draw = [&](size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return size_t((state >> 33) % bound);
  };
  Plan current = best;
  for (uint64_t round = 0; round < rounds && best.size > problem.lowerBound;
       ++round) {
    std::vector<size_t> top;
    for (size_t i = 1; i < order.size(); ++i)
      if (current.offsets[order[i]] + problem.buffers[order[i]].size ==
          current.size)
        top.push_back(i);
    // Every other move is free, to leave plateaus.
    size_t from = top.empty() || round % 2 == 1 ? draw(order.size())
                                                : top[draw(top.size())];
    size_t to = draw(from + 1);
    Order moved = order;
    std::rotate(moved.begin() + to, moved.begin() + from,
                moved.begin() + from + 1);
    Plan plan = placeInOrder(problem, moved);
    if (plan.size > current.size)
      continue;
    order = std::move(moved);
    current = plan;
    if (plan.size < best.size)
      best = std::move(plan);
  }
}

/// Exact search. Any solution can be pushed down until each buffer, taken by
/// rising offset, lies directly on those below it: so it suffices to place
/// buffers by rising offset, each as low as it goes on what is there.
class BranchAndBound {
public:
  BranchAndBound(const Problem &problem, Plan &best)
      : problem(problem), best(best), heights(problem.times.size(), 0),
        remaining(problem.live), offsets(problem.buffers.size(), 0),
        placed(problem.buffers.size(), false) {
    size_t count = problem.buffers.size();
    nodes = count <= alwaysExact
                ? std::numeric_limits<uint64_t>::max()
                : searchWork / (count * (problem.times.size() + 1)) + 1;
    for (unsigned i = 0; i < count; ++i)
      if (problem.buffers[i].size == 0)
        placed[i] = true;
      else
        ++unplaced;
  }

  void run() { visit(/*floor=*/0, /*firstAtFloor=*/0, /*size=*/0); }

private:
  bool finished() const {
    return best.size == problem.lowerBound || nodes == 0;
  }

  /// No completion is smaller: what is left lies above both the floor and
  /// what is there.
  uint64_t getBound(uint64_t floor, uint64_t size) const {
    for (size_t t = 0; t < heights.size(); ++t)
      if (remaining[t] != 0)
        size = std::max(size, std::max(heights[t], floor) + remaining[t]);
    return size;
  }

  uint64_t getOffset(unsigned index) const {
    auto [first, last] = problem.spans[index];
    uint64_t height =
        *std::max_element(heights.begin() + first, heights.begin() + last);
    return alignTo(height, problem.buffers[index].alignment);
  }

  void visit(uint64_t floor, unsigned firstAtFloor, uint64_t size) {
    if (unplaced == 0) {
      if (size < best.size) {
        best.size = size;
        best.offsets = offsets;
      }
      return;
    }
    if (finished() || getBound(floor, size) >= best.size)
      return;
    --nodes;

    // Whatever fits below a candidate belongs there, before it.
    std::vector<std::pair<uint64_t, unsigned>> candidates;
    uint64_t lowestEnd = std::numeric_limits<uint64_t>::max();
    for (unsigned i = 0; i < placed.size(); ++i) {
      if (placed[i])
        continue;
      uint64_t offset = getOffset(i);
      lowestEnd = std::min(lowestEnd, offset + problem.buffers[i].size);
      if (offset > floor || (offset == floor && i >= firstAtFloor))
        candidates.push_back({offset, i});
    }
    std::sort(candidates.begin(), candidates.end(),
              [&](const auto &a, const auto &b) {
                return std::tuple(a.first, -problem.buffers[a.second].size,
                                  a.second) <
                       std::tuple(b.first, -problem.buffers[b.second].size,
                                  b.second);
              });
    for (auto [offset, index] : candidates) {
      if (offset >= lowestEnd || finished())
        return;
      place(index, offset, size);
    }
  }

  void place(unsigned index, uint64_t offset, uint64_t size) {
    auto [first, last] = problem.spans[index];
    uint64_t bytes = problem.buffers[index].size;
    std::vector<uint64_t> saved(heights.begin() + first,
                                heights.begin() + last);
    for (unsigned t = first; t < last; ++t) {
      heights[t] = offset + bytes;
      remaining[t] -= bytes;
    }
    offsets[index] = offset;
    placed[index] = true;
    --unplaced;
    visit(offset, index + 1, std::max(size, offset + bytes));
    ++unplaced;
    placed[index] = false;
    for (unsigned t = first; t < last; ++t)
      remaining[t] += bytes;
    std::copy(saved.begin(), saved.end(), heights.begin() + first);
  }

  const Problem &problem;
  Plan &best;
  /// For each time, the end of the highest buffer, and the bytes to place.
  std::vector<uint64_t> heights, remaining;
  std::vector<uint64_t> offsets;
  std::vector<bool> placed;
  size_t unplaced = 0;
  uint64_t nodes;
};

} // namespace

Plan tinyformer::planMemory(const std::vector<Buffer> &buffers) {
  if (buffers.empty())
    return Plan();
  Problem problem(buffers);
  Plan best;
  Order bestOrder;
  for (const Order &order : makeOrders(problem)) {
    Plan plan = placeInOrder(problem, order);
    if (bestOrder.empty() || plan.size < best.size) {
      best = std::move(plan);
      bestOrder = order;
    }
  }
  improve(problem, bestOrder, best);
  BranchAndBound(problem, best).run();
  return best;
}
