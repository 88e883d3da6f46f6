// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The 16 banks of L1: one access for each bank and cycle, in turn.

#ifndef TINYFORMER_SIMULATOR_BANKS_H
#define TINYFORMER_SIMULATOR_BANKS_H

#include "TinyFormer/Simulator/Config.h"

#include <array>

namespace tinyformer::pulp {

class Banks {
public:
  static unsigned bankOf(uint32_t address) {
    return address >> 2 & (bankCount - 1);
  }

  void request(unsigned bank, unsigned core) {
    waiting[bank] |= 1u << core;
    busy |= 1u << bank;
  }

  bool anyRequest() const { return busy != 0; }

  /// One cycle: calls `grant(core)` for one requester of each bank, the next
  /// behind the last one served. What `grant` requests is for the next cycle.
  template <class Grant> void arbitrate(Grant grant) {
    std::array<uint8_t, bankCount> winners;
    unsigned count = 0;
    for (uint32_t left = busy; left != 0; left &= left - 1)
      winners[count++] = choose(unsigned(__builtin_ctz(left)));
    for (unsigned i = 0; i < count; ++i)
      grant(winners[i]);
  }

private:
  uint8_t choose(unsigned bank) {
    const uint32_t later = waiting[bank] & (~1u << lastServed[bank]);
    const unsigned core =
        unsigned(__builtin_ctz(later != 0 ? later : waiting[bank]));
    waiting[bank] &= ~(1u << core);
    if (waiting[bank] == 0)
      busy &= ~(1u << bank);
    lastServed[bank] = uint8_t(core);
    return uint8_t(core);
  }

  std::array<uint32_t, bankCount> waiting{};
  std::array<uint8_t, bankCount> lastServed{};
  uint32_t busy = 0;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_BANKS_H
