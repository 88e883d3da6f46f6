// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RV32IM, Zicsr and Zifencei.

#include "InstructionTable.h"

using namespace tinyformer::pulp;

namespace {

using U = uint32_t;
using S = int32_t;

uint32_t second(U, U b, U, U) { return b; }
uint32_t add(U a, U b, U, U) { return a + b; }
uint32_t subtract(U a, U b, U, U) { return a - b; }
uint32_t shiftLeft(U a, U b, U, U) { return a << (b & 31); }
uint32_t shiftRight(U a, U b, U, U) { return a >> (b & 31); }
uint32_t shiftRightSigned(U a, U b, U, U) { return S(a) >> (b & 31); }
uint32_t less(U a, U b, U, U) { return S(a) < S(b); }
uint32_t lessUnsigned(U a, U b, U, U) { return a < b; }
uint32_t exclusiveOr(U a, U b, U, U) { return a ^ b; }
uint32_t inclusiveOr(U a, U b, U, U) { return a | b; }
uint32_t conjunction(U a, U b, U, U) { return a & b; }

uint32_t equal(U a, U b, U, U) { return a == b; }
uint32_t notEqual(U a, U b, U, U) { return a != b; }
uint32_t atLeast(U a, U b, U, U) { return S(a) >= S(b); }
uint32_t atLeastUnsigned(U a, U b, U, U) { return a >= b; }

uint32_t multiply(U a, U b, U, U) { return a * b; }
uint32_t multiplyHigh(U a, U b, U, U) {
  return uint64_t(int64_t(S(a)) * S(b)) >> 32;
}
uint32_t multiplyHighMixed(U a, U b, U, U) {
  return uint64_t(int64_t(S(a)) * int64_t(b)) >> 32;
}
uint32_t multiplyHighUnsigned(U a, U b, U, U) { return uint64_t(a) * b >> 32; }

/// The one quotient that 32 bits cannot hold.
bool overflows(U a, U b) { return a == 0x80000000u && b == ~U(0); }

uint32_t divide(U a, U b, U, U) {
  if (b == 0)
    return ~U(0);
  return overflows(a, b) ? a : U(S(a) / S(b));
}
uint32_t divideUnsigned(U a, U b, U, U) { return b == 0 ? ~U(0) : a / b; }
uint32_t remainder(U a, U b, U, U) {
  if (b == 0)
    return a;
  return overflows(a, b) ? 0 : U(S(a) % S(b));
}
uint32_t remainderUnsigned(U a, U b, U, U) { return b == 0 ? a : a % b; }

void addRegisters(Table &table, const char *mnemonic, U funct3, U funct7,
                  Compute compute, Kind kind = Kind::Compute) {
  table.push_back({mnemonic, funct7Mask, bits(0x33, funct3, funct7),
                   Format::Registers, kind, compute});
}

void addImmediate(Table &table, const char *mnemonic, U funct3,
                  Compute compute) {
  table.push_back({mnemonic, funct3Mask, bits(0x13, funct3), Format::Immediate,
                   Kind::Compute, compute});
}

void addShift(Table &table, const char *mnemonic, U funct3, U funct7,
              Compute compute) {
  table.push_back({mnemonic, funct7Mask, bits(0x13, funct3, funct7),
                   Format::Shift, Kind::Compute, compute});
}

void addBranch(Table &table, const char *mnemonic, U funct3, Compute compute) {
  table.push_back({mnemonic, funct3Mask, bits(0x63, funct3), Format::Branch,
                   Kind::Branch, compute});
}

void addArithmetic(Table &table) {
  table.push_back(
      {"lui", opcodeMask, bits(0x37), Format::Upper, Kind::Compute, second});
  table.push_back({"auipc", opcodeMask, bits(0x17), Format::UpperPc,
                   Kind::Compute, second});
  addImmediate(table, "addi", 0, add);
  addImmediate(table, "slti", 2, less);
  addImmediate(table, "sltiu", 3, lessUnsigned);
  addImmediate(table, "xori", 4, exclusiveOr);
  addImmediate(table, "ori", 6, inclusiveOr);
  addImmediate(table, "andi", 7, conjunction);
  addShift(table, "slli", 1, 0x00, shiftLeft);
  addShift(table, "srli", 5, 0x00, shiftRight);
  addShift(table, "srai", 5, 0x20, shiftRightSigned);
  addRegisters(table, "add", 0, 0x00, add);
  addRegisters(table, "sub", 0, 0x20, subtract);
  addRegisters(table, "sll", 1, 0x00, shiftLeft);
  addRegisters(table, "slt", 2, 0x00, less);
  addRegisters(table, "sltu", 3, 0x00, lessUnsigned);
  addRegisters(table, "xor", 4, 0x00, exclusiveOr);
  addRegisters(table, "srl", 5, 0x00, shiftRight);
  addRegisters(table, "sra", 5, 0x20, shiftRightSigned);
  addRegisters(table, "or", 6, 0x00, inclusiveOr);
  addRegisters(table, "and", 7, 0x00, conjunction);
}

void addMultiplication(Table &table) {
  const Kind high = Kind::MultiplyHigh, slow = Kind::Divide;
  addRegisters(table, "mul", 0, 0x01, multiply);
  addRegisters(table, "mulh", 1, 0x01, multiplyHigh, high);
  addRegisters(table, "mulhsu", 2, 0x01, multiplyHighMixed, high);
  addRegisters(table, "mulhu", 3, 0x01, multiplyHighUnsigned, high);
  addRegisters(table, "div", 4, 0x01, divide, slow);
  addRegisters(table, "divu", 5, 0x01, divideUnsigned, slow);
  addRegisters(table, "rem", 6, 0x01, remainder, slow);
  addRegisters(table, "remu", 7, 0x01, remainderUnsigned, slow);
}

void addControl(Table &table) {
  table.push_back({"jal", opcodeMask, bits(0x6f), Format::Jump, Kind::Jump});
  table.push_back({"jalr", funct3Mask, bits(0x67), Format::JumpRegister,
                   Kind::JumpRegister});
  addBranch(table, "beq", 0, equal);
  addBranch(table, "bne", 1, notEqual);
  addBranch(table, "blt", 4, less);
  addBranch(table, "bge", 5, atLeast);
  addBranch(table, "bltu", 6, lessUnsigned);
  addBranch(table, "bgeu", 7, atLeastUnsigned);
}

void addSystem(Table &table) {
  const auto exact = ~U(0);
  table.push_back(
      {"fence", funct3Mask, bits(0x0f, 0), Format::None, Kind::Fence});
  table.push_back({"fence.i", funct3Mask, bits(0x0f, 1), Format::None,
                   Kind::FenceInstructions});
  table.push_back(
      {"ecall", exact, 0x00000073, Format::None, Kind::EnvironmentCall});
  table.push_back(
      {"ebreak", exact, 0x00100073, Format::None, Kind::Breakpoint});
  table.push_back({"wfi", exact, 0x10500073, Format::None, Kind::Wait});
  const char *names[] = {"csrrw", "csrrs", "csrrc"};
  for (U operation = 1; operation <= 3; ++operation) {
    const std::string name = names[operation - 1];
    table.push_back(
        {name, funct3Mask, bits(0x73, operation), Format::Csr, Kind::Csr});
    table.push_back({name + "i", funct3Mask, bits(0x73, operation + 4),
                     Format::CsrImmediate, Kind::Csr});
  }
}

} // namespace

void tinyformer::pulp::addBaseInstructions(Table &table) {
  addArithmetic(table);
  addMultiplication(table);
  addControl(table);
  addSystem(table);
}
