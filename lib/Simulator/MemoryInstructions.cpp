// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads, stores and hardware loops, those of RV32I included.

#include "InstructionTable.h"

using namespace tinyformer::pulp;

namespace {

struct Width {
  const char *suffix;
  uint8_t bytes;
  bool isSigned;
  uint32_t funct3;
  /// Of the forms with a register as offset.
  uint32_t funct7;
};

constexpr Width loads[] = {
    {"b", 1, true, 0, 0x00},   {"h", 2, true, 1, 0x08},
    {"w", 4, false, 2, 0x10},  {"bu", 1, false, 4, 0x20},
    {"hu", 2, false, 5, 0x28},
};
constexpr Width stores[] = {
    {"b", 1, false, 0, 0}, {"h", 2, false, 1, 0}, {"w", 4, false, 2, 0}};

void addAccess(Table &table, const std::string &prefix, Kind kind,
               const Width &width, uint32_t mask, uint32_t match,
               Format format) {
  table.push_back({prefix + width.suffix, mask, match, format, kind, nullptr,
                   false, width.bytes, width.isSigned});
}

void addLoads(Table &table) {
  const Kind load = Kind::Load;
  for (const Width &width : loads) {
    const uint32_t indexed = bits(0x03, 7, width.funct7);
    const uint32_t postIndexed = bits(0x0b, 7, width.funct7);
    addAccess(table, "l", load, width, funct3Mask, bits(0x03, width.funct3),
              Format::Load);
    addAccess(table, "p.l", load, width, funct3Mask, bits(0x0b, width.funct3),
              Format::LoadPost);
    addAccess(table, "p.l", load, width, funct7Mask, indexed,
              Format::LoadIndexed);
    addAccess(table, "p.l", load, width, funct7Mask, postIndexed,
              Format::LoadPostIndexed);
  }
  table.push_back({"p.elw", funct3Mask, bits(0x03, 6), Format::Load,
                   Kind::EventLoad, nullptr, false, 4});
}

void addStores(Table &table) {
  const Kind store = Kind::Store;
  for (const Width &width : stores) {
    const uint32_t indexed = width.funct3 + 4;
    addAccess(table, "s", store, width, funct3Mask, bits(0x23, width.funct3),
              Format::Store);
    addAccess(table, "p.s", store, width, funct3Mask, bits(0x2b, width.funct3),
              Format::StorePost);
    addAccess(table, "p.s", store, width, funct7Mask, bits(0x23, indexed),
              Format::StoreIndexed);
    addAccess(table, "p.s", store, width, funct7Mask, bits(0x2b, indexed),
              Format::StorePostIndexed);
  }
}

void addLoops(Table &table) {
  // Bit 7 is the number of the loop; the bits above it are zero.
  const uint32_t mask = 0x7f7f;
  table.push_back(
      {"lp.starti", mask, bits(0x7b, 0), Format::LoopAddress, Kind::LoopStart});
  table.push_back(
      {"lp.endi", mask, bits(0x7b, 1), Format::LoopAddress, Kind::LoopEnd});
  table.push_back(
      {"lp.count", mask, bits(0x7b, 2), Format::LoopCount, Kind::LoopCount});
  table.push_back({"lp.counti", mask, bits(0x7b, 3), Format::LoopCountImmediate,
                   Kind::LoopCount});
  table.push_back(
      {"lp.setup", mask, bits(0x7b, 4), Format::LoopSetup, Kind::LoopSetup});
  table.push_back({"lp.setupi", mask, bits(0x7b, 5), Format::LoopSetupImmediate,
                   Kind::LoopSetup});
}

} // namespace

void tinyformer::pulp::addMemoryInstructions(Table &table) {
  addLoads(table);
  addStores(table);
  addLoops(table);
}
