// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small things: configurations, division, names, messages.

#include "TinyFormer/Simulator/Config.h"
#include "TinyFormer/Simulator/Counters.h"
#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Memory.h"
#include "TinyFormer/Simulator/Timing.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

using namespace tinyformer::pulp;

//===-- Configurations ----------------------------------------------------===//

ClusterConfig tinyformer::pulp::configFor(const std::string &chip) {
  ClusterConfig config;
  config.chip = chip;
  if (chip == "gap9")
    config.l1Bytes = 128 * 1024;
  else if (chip == "pulp-open")
    config.l1Bytes = 64 * 1024;
  else
    throw std::invalid_argument("there is no chip '" + chip +
                                "' with a PULP cluster; known are gap9 and "
                                "pulp-open");
  return config;
}

const ClusterConfig &
tinyformer::pulp::checkConfig(const ClusterConfig &config) {
  constexpr uint32_t most = testAndSetBase - l1Base;
  if (config.cores < 1 || config.cores > maxClusterCores)
    throw std::invalid_argument(message("the cluster has 1 to %u cores, not %u",
                                        maxClusterCores, config.cores));
  if (config.l1Bytes < 4096 || config.l1Bytes > most ||
      config.l1Bytes % 64 != 0)
    throw std::invalid_argument(
        message("L1 of %u bytes: it may have 4096 to %u, in rows of %u banks",
                config.l1Bytes, most, bankCount));
  if (config.raceGranule != 1 && config.raceGranule != 4)
    throw std::invalid_argument(
        message("races are found by bytes (1) or words (4), not by %u bytes",
                config.raceGranule));
  return config;
}

//===-- Timing ------------------------------------------------------------===//

unsigned timing::divide(bool isSigned, uint32_t divisor) {
  constexpr unsigned byZero = 35, byMinusOne = 34, fewest = 3;
  if (divisor == 0)
    return byZero;
  if (!isSigned || int32_t(divisor) > 0)
    return unsigned(__builtin_clz(divisor)) + 3;
  if (divisor == ~0u)
    return byMinusOne;
  return std::max(unsigned(__builtin_clz(0u - divisor)) + 2, fewest);
}

//===-- Counters ----------------------------------------------------------===//

const char *tinyformer::pulp::eventName(Event event) {
  static const char *const names[eventCount] = {
      "cycles",
      "instructions",
      "load_stalls",
      "jump_stalls",
      "fetch_stalls",
      "loads",
      "stores",
      "jumps",
      "branches",
      "taken_branches",
      "compressed",
      "event_loads",
      "external_loads",
      "external_stores",
      "external_load_cycles",
      "external_store_cycles",
      "contention",
      "misaligned",
      "barrier_cycles",
      "event_cycles",
      "dma_wait_cycles",
  };
  return names[unsigned(event)];
}

void Counters::addCycles(uint32_t function, uint32_t layer, uint64_t cycles) {
  functionCycles[function] += cycles;
  std::vector<uint64_t> &inLayer = layerCycles[layer];
  if (inLayer.empty())
    inLayer.resize(functionCycles.size());
  inLayer[function] += cycles;
}

void Counters::clear() {
  events.fill(0);
  std::fill(functionCycles.begin(), functionCycles.end(), 0);
  for (std::vector<uint64_t> &inLayer : layerCycles)
    inLayer.clear();
  std::fill(functionMisaligned.begin(), functionMisaligned.end(), 0);
}

void PerformanceCounters::synchronise(const Counters &counters) {
  const bool isCounting = mode & 1;
  for (unsigned i = 0; i < performanceCounterCount; ++i) {
    if (isCounting && (selected >> i & 1))
      values[i] += uint32_t(counters.events[i] - marks[i]);
    marks[i] = counters.events[i];
  }
}

//===-- Code --------------------------------------------------------------===//

CodeCache::Page *CodeCache::page(uint32_t pc) {
  const uint32_t address = pc & ~(pageBytes - 1);
  for (Entry &entry : pages)
    if (entry.address == address)
      return entry.page.get();
  pages.push_back({address, std::make_unique<Page>()});
  return pages.back().page.get();
}

//===-- Messages ----------------------------------------------------------===//

std::string tinyformer::pulp::message(const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(size_t(size), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}
