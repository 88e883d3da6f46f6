// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RV32C: each compressed instruction is short for a 32-bit one.

#include "TinyFormer/Simulator/Instruction.h"

using namespace tinyformer::pulp;

namespace {

uint32_t field(uint32_t bits, unsigned high, unsigned low) {
  return bits >> low & ((1u << (high - low + 1)) - 1);
}
uint32_t bit(uint32_t bits, unsigned from, unsigned to) {
  return (bits >> from & 1) << to;
}
uint32_t signExtend(uint32_t value, unsigned width) {
  return uint32_t(int32_t(value << (32 - width)) >> (32 - width));
}
/// One of the eight registers that three bits reach.
uint32_t shortRegister(uint32_t bits, unsigned low) {
  return 8 + field(bits, low + 2, low);
}

uint32_t typeI(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1,
               uint32_t immediate) {
  return immediate << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
uint32_t typeR(uint32_t funct7, uint32_t funct3, uint32_t rd, uint32_t rs1,
               uint32_t rs2) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
}
uint32_t storeWord(uint32_t rs2, uint32_t rs1, uint32_t offset) {
  return field(offset, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 |
         field(offset, 4, 0) << 7 | 0x23;
}
uint32_t branch(uint32_t funct3, uint32_t rs1, uint32_t offset) {
  return bit(offset, 12, 31) | field(offset, 10, 5) << 25 | rs1 << 15 |
         funct3 << 12 | field(offset, 4, 1) << 8 | bit(offset, 11, 7) | 0x63;
}
uint32_t jump(uint32_t rd, uint32_t offset) {
  return bit(offset, 20, 31) | field(offset, 10, 1) << 21 |
         bit(offset, 11, 20) | field(offset, 19, 12) << 12 | rd << 7 | 0x6f;
}

uint32_t wordOffset(uint32_t bits) {
  return field(bits, 12, 10) << 3 | bit(bits, 6, 2) | bit(bits, 5, 6);
}
uint32_t shortImmediate(uint32_t bits) {
  return signExtend(bit(bits, 12, 5) | field(bits, 6, 2), 6);
}
uint32_t jumpOffset(uint32_t bits) {
  return signExtend(bit(bits, 12, 11) | bit(bits, 11, 4) |
                        field(bits, 10, 9) << 8 | bit(bits, 8, 10) |
                        bit(bits, 7, 6) | bit(bits, 6, 7) |
                        field(bits, 5, 3) << 1 | bit(bits, 2, 5),
                    12);
}
uint32_t branchOffset(uint32_t bits) {
  return signExtend(bit(bits, 12, 8) | field(bits, 11, 10) << 3 |
                        field(bits, 6, 5) << 6 | field(bits, 4, 3) << 1 |
                        bit(bits, 2, 5),
                    9);
}

uint32_t expandQuadrant0(uint32_t bits) {
  const uint32_t rd = shortRegister(bits, 2), rs1 = shortRegister(bits, 7);
  switch (field(bits, 15, 13)) {
  case 0: { // c.addi4spn
    const uint32_t amount = field(bits, 12, 11) << 4 | field(bits, 10, 7) << 6 |
                            bit(bits, 6, 2) | bit(bits, 5, 3);
    return amount == 0 ? 0 : typeI(0x13, 0, rd, 2, amount);
  }
  case 2: // c.lw
    return typeI(0x03, 2, rd, rs1, wordOffset(bits));
  case 6: // c.sw
    return storeWord(rd, rs1, wordOffset(bits));
  default:
    return 0;
  }
}

uint32_t expandArithmetic(uint32_t bits) {
  const uint32_t rd = shortRegister(bits, 7), rs2 = shortRegister(bits, 2);
  const uint32_t amount = field(bits, 6, 2);
  const bool upper = field(bits, 12, 12);
  switch (field(bits, 11, 10)) {
  case 0: // c.srli
    return upper ? 0 : typeI(0x13, 5, rd, rd, amount);
  case 1: // c.srai
    return upper ? 0 : typeI(0x13, 5, rd, rd, amount | 0x400);
  case 2: // c.andi
    return typeI(0x13, 7, rd, rd, shortImmediate(bits));
  default:
    break;
  }
  if (upper)
    return 0;
  switch (field(bits, 6, 5)) {
  case 0: // c.sub
    return typeR(0x20, 0, rd, rd, rs2);
  case 1: // c.xor
    return typeR(0, 4, rd, rd, rs2);
  case 2: // c.or
    return typeR(0, 6, rd, rd, rs2);
  default: // c.and
    return typeR(0, 7, rd, rd, rs2);
  }
}

/// c.addi16sp and c.lui
uint32_t expandUpper(uint32_t bits) {
  const uint32_t rd = field(bits, 11, 7), immediate = shortImmediate(bits);
  if (immediate == 0)
    return 0;
  if (rd != 2)
    return immediate << 12 | rd << 7 | 0x37;
  const uint32_t amount =
      signExtend(bit(bits, 12, 9) | bit(bits, 6, 4) | bit(bits, 5, 6) |
                     field(bits, 4, 3) << 7 | bit(bits, 2, 5),
                 10);
  return typeI(0x13, 0, 2, 2, amount);
}

uint32_t expandQuadrant1(uint32_t bits) {
  const uint32_t rd = field(bits, 11, 7);
  switch (field(bits, 15, 13)) {
  case 0: // c.addi
    return typeI(0x13, 0, rd, rd, shortImmediate(bits));
  case 1: // c.jal
    return jump(1, jumpOffset(bits));
  case 2: // c.li
    return typeI(0x13, 0, rd, 0, shortImmediate(bits));
  case 3:
    return expandUpper(bits);
  case 4:
    return expandArithmetic(bits);
  case 5: // c.j
    return jump(0, jumpOffset(bits));
  case 6: // c.beqz
    return branch(0, shortRegister(bits, 7), branchOffset(bits));
  default: // c.bnez
    return branch(1, shortRegister(bits, 7), branchOffset(bits));
  }
}

/// c.jr, c.mv, c.ebreak, c.jalr and c.add
uint32_t expandMoves(uint32_t bits) {
  const uint32_t rd = field(bits, 11, 7), rs2 = field(bits, 6, 2);
  const bool upper = field(bits, 12, 12);
  if (rs2 != 0)
    return typeR(0, 0, rd, upper ? rd : 0, rs2);
  if (rd == 0)
    return upper ? 0x00100073 : 0;
  return typeI(0x67, 0, upper ? 1 : 0, rd, 0);
}

uint32_t expandQuadrant2(uint32_t bits) {
  const uint32_t rd = field(bits, 11, 7);
  switch (field(bits, 15, 13)) {
  case 0: // c.slli
    return field(bits, 12, 12) ? 0 : typeI(0x13, 1, rd, rd, field(bits, 6, 2));
  case 2: { // c.lwsp
    const uint32_t offset =
        bit(bits, 12, 5) | field(bits, 6, 4) << 2 | field(bits, 3, 2) << 6;
    return rd == 0 ? 0 : typeI(0x03, 2, rd, 2, offset);
  }
  case 4:
    return expandMoves(bits);
  case 6: // c.swsp
    return storeWord(field(bits, 6, 2), 2,
                     field(bits, 12, 9) << 2 | field(bits, 8, 7) << 6);
  default:
    return 0;
  }
}

} // namespace

uint32_t tinyformer::pulp::expandCompressed(uint16_t bits) {
  switch (bits & 3) {
  case 0:
    return expandQuadrant0(bits);
  case 1:
    return expandQuadrant1(bits);
  default:
    return expandQuadrant2(bits);
  }
}
