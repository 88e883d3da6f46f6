// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Simulator/InstructionCache.h"

#include "TinyFormer/Simulator/Timing.h"

#include <algorithm>

using namespace tinyformer::pulp;

namespace {

constexpr unsigned bufferSets = 8;
constexpr unsigned sharedBanks = 2;
constexpr unsigned sharedSets = 32;
constexpr unsigned fabricSets = 32;
constexpr uint32_t noLine = ~0u;

/// What the path to L2 takes of a miss, beside the refill of each level.
constexpr unsigned l2Latency = timing::cacheMiss - 2 * timing::cacheRefill;

} // namespace

CacheTags::CacheTags(unsigned sets) : entries(sets * ways, {noLine, 0}) {}

const CacheTags::Way *CacheTags::find(uint32_t line, uint32_t index) const {
  const Way *way = &entries[index * ways];
  for (unsigned i = 0; i < ways; ++i, ++way)
    if (way->line == line)
      return way;
  return nullptr;
}

void CacheTags::fill(uint32_t line, uint32_t index, uint64_t filledAt) {
  entries[index * ways + nextWay()] = {line, filledAt};
}

void CacheTags::flush() {
  std::fill(entries.begin(), entries.end(), Way{noLine, 0});
}

/// The feedback shift register of the published model.
unsigned CacheTags::nextWay() {
  const unsigned taps =
      randomState >> 7 ^ randomState >> 3 ^ randomState >> 2 ^ randomState >> 1;
  randomState = uint8_t(randomState << 1 | (~taps & 1));
  return randomState >> 1 & (ways - 1);
}

InstructionCaches::InstructionCaches(bool isModelled)
    : isModelled(isModelled), buffers(maxClusterCores, CacheTags(bufferSets)),
      banks(sharedBanks, Bank{CacheTags(sharedSets)}), fabric(fabricSets) {}

uint64_t InstructionCaches::fetch(unsigned core, uint32_t line, uint64_t now) {
  if (!isModelled)
    return 0;
  if (core == fabricIndex)
    return fetchFabric(line, now);
  if (!clusterEnabled)
    return timing::cacheMiss;
  CacheTags &buffer = buffers[core];
  const uint32_t index = line % bufferSets;
  if (buffer.find(line, index) != nullptr)
    return 0;
  const uint64_t cycles = fetchShared(line, now) + timing::cacheRefill;
  buffer.fill(line, index, now + cycles);
  return cycles;
}

uint64_t InstructionCaches::fetchShared(uint32_t line, uint64_t now) {
  Bank &bank = banks[line % sharedBanks];
  const uint32_t index = line / sharedBanks % sharedSets;
  if (const CacheTags::Way *way = bank.tags.find(line, index))
    return way->filledAt > now ? way->filledAt - now : 0;
  const uint64_t start = std::max(now, bank.busyUntil);
  bank.busyUntil = start + l2Latency + timing::cacheRefill;
  bank.tags.fill(line, index, bank.busyUntil);
  return bank.busyUntil - now;
}

uint64_t InstructionCaches::fetchFabric(uint32_t line, uint64_t now) {
  const unsigned miss = timing::cacheRefill + timing::l2FromFabric;
  if (!fabricEnabled)
    return miss;
  const uint32_t index = line % fabricSets;
  if (fabric.find(line, index) != nullptr)
    return 0;
  fabric.fill(line, index, now + miss);
  return miss;
}

void InstructionCaches::flush() {
  for (CacheTags &buffer : buffers)
    buffer.flush();
  for (Bank &bank : banks)
    bank.tags.flush();
}
