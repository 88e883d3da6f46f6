// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a core counts: the events of its performance counters, and cycles by
// function and by layer.

#ifndef TINYFORMER_SIMULATOR_COUNTERS_H
#define TINYFORMER_SIMULATOR_COUNTERS_H

#include <array>
#include <cstdint>
#include <vector>

namespace tinyformer::pulp {

/// The first 17 have the numbers of the performance counters' events.
enum class Event : uint8_t {
  Cycles,
  Instructions,
  LoadStalls,
  JumpStalls,
  FetchStalls,
  Loads,
  Stores,
  Jumps,
  Branches,
  TakenBranches,
  Compressed,
  EventLoads,
  ExternalLoads,
  ExternalStores,
  ExternalLoadCycles,
  ExternalStoreCycles,
  Contention,
  Misaligned,
  BarrierCycles,
  EventCycles,
  DmaWaitCycles,
  Count,
};

constexpr unsigned eventCount = unsigned(Event::Count);
constexpr unsigned performanceCounterCount = 17;

/// The name of an event in reports.
const char *eventName(Event event);

struct Counters {
  std::array<uint64_t, eventCount> events{};
  std::vector<uint64_t> functionCycles;
  /// Of each layer, the cycles by function; empty for functions that are none.
  std::vector<std::vector<uint64_t>> layerCycles;
  /// Accesses across words.
  std::vector<uint64_t> functionMisaligned;

  uint64_t &operator[](Event event) { return events[unsigned(event)]; }
  uint64_t operator[](Event event) const { return events[unsigned(event)]; }
  void addCycles(uint32_t function, uint32_t layer, uint64_t cycles);
  void clear();
};

/// The core's own view of its performance counters.
struct PerformanceCounters {
  uint32_t selected = 0;
  uint32_t mode = 0;
  std::array<uint32_t, performanceCounterCount> values{};
  std::array<uint64_t, performanceCounterCount> marks{};

  /// Brings `values` up to date.
  void synchronise(const Counters &counters);
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_COUNTERS_H
