// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of the instruction table, one extension each.

#ifndef TINYFORMER_LIB_SIMULATOR_INSTRUCTIONTABLE_H
#define TINYFORMER_LIB_SIMULATOR_INSTRUCTIONTABLE_H

#include "TinyFormer/Simulator/Instruction.h"

namespace tinyformer::pulp {

using Table = std::vector<InstructionInfo>;

void addBaseInstructions(Table &table);
void addScalarInstructions(Table &table);
void addMemoryInstructions(Table &table);
void addVectorInstructions(Table &table);

constexpr uint32_t opcodeMask = 0x7f;
constexpr uint32_t funct3Mask = 0x707f;
constexpr uint32_t funct7Mask = 0xfe00707f;
/// funct7 and an rs2 that must be x0.
constexpr uint32_t unaryMask = 0xfff0707f;
/// The two upmost bits, as normalised arithmetic and bit fields use them.
constexpr uint32_t funct2Mask = 0xc000707f;
constexpr uint32_t funct6Mask = 0xfc00707f;

constexpr uint32_t bits(uint32_t opcode, uint32_t funct3 = 0,
                        uint32_t funct7 = 0) {
  return funct7 << 25 | funct3 << 12 | opcode;
}

} // namespace tinyformer::pulp

#endif // TINYFORMER_LIB_SIMULATOR_INSTRUCTIONTABLE_H
