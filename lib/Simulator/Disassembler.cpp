// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions as text.

#include "TinyFormer/Simulator/Instruction.h"

#include <cstdio>

using namespace tinyformer::pulp;

namespace {

template <class... Arguments>
std::string format(const char *pattern, Arguments... arguments) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, arguments...);
  return text;
}

std::string reg(unsigned number) { return registerName(number); }
std::string number(uint32_t value) { return std::to_string(int32_t(value)); }
std::string label(uint32_t address) { return format("0x%x", address); }

/// "8(a0!)", "a1(a0)"
std::string address(const Instruction &i) {
  const std::string offset = i.hasImmediate ? number(i.immediate) : reg(i.b);
  return offset + "(" + reg(i.a) + (i.postIncrement ? "!)" : ")");
}

/// The immediate of one lane.
uint32_t laneImmediate(const Instruction &i) {
  const bool isSigned = i.info->format == Format::VectorSigned;
  const bool bytes = i.word >> 12 & 1;
  if (bytes)
    return isSigned ? int8_t(i.immediate) : uint8_t(i.immediate);
  return isSigned ? int16_t(i.immediate) : uint16_t(i.immediate);
}

std::string loopOperands(const Instruction &i) {
  const std::string loop = "x" + std::to_string(i.n) + ", ";
  switch (i.info->format) {
  case Format::LoopAddress:
    return loop + label(i.target);
  case Format::LoopCount:
    return loop + reg(i.a);
  case Format::LoopCountImmediate:
    return loop + number(i.immediate);
  case Format::LoopSetup:
    return loop + reg(i.a) + ", " + label(i.target);
  default:
    return loop + number(i.immediate) + ", " + label(i.target);
  }
}

std::string operands(const Instruction &i) {
  const std::string rd = reg(i.rd), rdA = rd + ", " + reg(i.a);
  switch (i.info->format) {
  case Format::None:
    return "";
  case Format::Upper:
  case Format::UpperPc:
    return rd + ", " + label(i.word >> 12);
  case Format::Jump:
    return rd + ", " + label(i.target);
  case Format::Branch:
    return reg(i.a) + ", " + reg(i.b) + ", " + label(i.target);
  case Format::BranchImmediate:
    return reg(i.a) + ", " + number(i.immediate) + ", " + label(i.target);
  case Format::Registers:
    return rdA + ", " + reg(i.b);
  case Format::OneRegister:
    return rdA;
  case Format::Immediate:
  case Format::Shift:
  case Format::Lane:
    return rdA + ", " + number(i.immediate);
  case Format::Clip:
    return rdA + ", " + number(i.word >> 20 & 31);
  case Format::Normalise:
    return rdA + ", " + reg(i.b) + ", " + number(i.n);
  case Format::BitField:
    return rdA + ", " + number((i.immediate >> 5) + 1) + ", " +
           number(i.immediate & 31);
  case Format::VectorSigned:
  case Format::VectorUnsigned:
    return rdA + ", " + number(laneImmediate(i));
  case Format::Csr:
    return rd + ", " + label(i.immediate) + ", " + reg(i.a);
  case Format::CsrImmediate:
    return rd + ", " + label(i.immediate) + ", " + number(i.target);
  default:
    break;
  }
  if (i.info->format >= Format::LoopAddress)
    return loopOperands(i);
  return rd + ", " + address(i);
}

} // namespace

const char *tinyformer::pulp::registerName(unsigned number) {
  static const char *const names[32] = {
      "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
      "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
      "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  return names[number & 31];
}

std::string tinyformer::pulp::disassemble(const Instruction &instruction) {
  if (instruction.info == nullptr)
    return format(instruction.size == 2 ? ".half 0x%04x" : ".word 0x%08x",
                  instruction.word);
  const std::string text = operands(instruction);
  if (text.empty())
    return instruction.info->mnemonic;
  return instruction.info->mnemonic + " " + text;
}
