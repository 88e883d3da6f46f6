// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// L1 and L2, and the instructions decoded from them.

#ifndef TINYFORMER_SIMULATOR_MEMORY_H
#define TINYFORMER_SIMULATOR_MEMORY_H

#include "TinyFormer/Simulator/Instruction.h"

#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace tinyformer::pulp {

class Memory {
public:
  Memory(uint32_t base, uint32_t bytes)
      : base(base), size(bytes), content(bytes, powerUp) {}

  bool holds(uint32_t address, uint32_t bytes) const {
    const uint32_t offset = address - base;
    return offset < size && size - offset >= bytes;
  }
  uint8_t *at(uint32_t address) { return &content[address - base]; }

private:
  /// What memory holds at power-up is not defined; zeros would hide a missing
  /// initialisation.
  static constexpr uint8_t powerUp = 0xcd;

  uint32_t base;
  uint32_t size;
  std::vector<uint8_t> content;
};

/// Instructions, decoded when they are first reached. Code cannot change:
/// stores to it are errors.
class CodeCache {
public:
  static constexpr uint32_t pageBytes = 4096;
  using Page = std::array<Instruction, pageBytes / 2>;

  /// The page around `pc`.
  Page *page(uint32_t pc);

private:
  struct Entry {
    uint32_t address;
    std::unique_ptr<Page> page;
  };
  std::vector<Entry> pages;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_MEMORY_H
