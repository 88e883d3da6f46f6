// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a word to operands: finds the row of the table and places registers and
// immediates where the core wants them.

#include "InstructionTable.h"

#include <algorithm>
#include <array>

using namespace tinyformer::pulp;

namespace {

uint32_t field(uint32_t word, unsigned high, unsigned low) {
  return word << (31 - high) >> (31 - high + low);
}

uint32_t signExtend(uint32_t value, unsigned width) {
  return uint32_t(int32_t(value << (32 - width)) >> (32 - width));
}

uint32_t immediateI(uint32_t word) { return uint32_t(int32_t(word) >> 20); }
uint32_t immediateS(uint32_t word) {
  return signExtend(field(word, 31, 25) << 5 | field(word, 11, 7), 12);
}
uint32_t immediateB(uint32_t word) {
  return signExtend(field(word, 31, 31) << 12 | field(word, 7, 7) << 11 |
                        field(word, 30, 25) << 5 | field(word, 11, 8) << 1,
                    13);
}
uint32_t immediateJ(uint32_t word) {
  return signExtend(field(word, 31, 31) << 20 | field(word, 19, 12) << 12 |
                        field(word, 20, 20) << 11 | field(word, 30, 21) << 1,
                    21);
}
/// The lowest bit of a vector immediate is at bit 25.
uint32_t immediateVector(uint32_t word) {
  return field(word, 24, 20) << 1 | field(word, 25, 25);
}

/// A vector immediate in every lane; bytes if the lowest bit of funct3 is set.
uint32_t inEveryLane(uint32_t word, bool isSigned) {
  const uint32_t raw = immediateVector(word);
  const uint32_t value = isSigned ? signExtend(raw, 6) : raw;
  return field(word, 12, 12) ? (value & 0xff) * 0x01010101u
                             : (value & 0xffff) * 0x00010001u;
}

void useImmediate(Instruction &i, uint32_t value) {
  i.immediate = value;
  i.hasImmediate = true;
  i.b = 0;
}

void placeAccess(Instruction &i, uint32_t word) {
  const bool stores = i.kind == Kind::Store;
  const Format format = i.info->format;
  const bool indexed =
      format == Format::LoadIndexed || format == Format::LoadPostIndexed ||
      format == Format::StoreIndexed || format == Format::StorePostIndexed;
  i.postIncrement =
      format == Format::LoadPost || format == Format::LoadPostIndexed ||
      format == Format::StorePost || format == Format::StorePostIndexed;
  const uint8_t rdField = i.rd;
  // A store's rd is the register that is stored.
  if (stores)
    i.rd = i.b;
  if (indexed)
    i.b = stores ? rdField : i.b;
  else
    useImmediate(i, stores ? immediateS(word) : immediateI(word));
  if (!stores && i.postIncrement && i.rd == i.a)
    i.complaint = Complaint::LoadsOwnBase;
}

/// The label of a hardware loop counts half-words from the instruction.
void placeLoop(Instruction &i, uint32_t word, uint32_t pc) {
  i.n = field(word, 7, 7);
  i.rd = i.b = 0;
  switch (i.info->format) {
  case Format::LoopAddress:
    i.a = 0;
    i.target = pc + 2 * field(word, 31, 20);
    return;
  case Format::LoopCountImmediate:
    i.a = 0;
    return useImmediate(i, field(word, 31, 20));
  case Format::LoopSetup:
    i.target = pc + 2 * field(word, 31, 20);
    return;
  case Format::LoopSetupImmediate:
    i.a = 0;
    i.target = pc + 2 * field(word, 19, 15);
    return useImmediate(i, field(word, 31, 20));
  default:
    return;
  }
}

void placeCsr(Instruction &i, uint32_t word) {
  i.n = field(word, 13, 12);
  i.hasImmediate = i.info->format == Format::CsrImmediate;
  i.immediate = field(word, 31, 20);
  i.target = i.hasImmediate ? i.a : 0;
  i.b = 0;
  if (i.hasImmediate)
    i.a = 0;
}

void placeOperands(Instruction &i, uint32_t word, uint32_t pc) {
  const Format format = i.info->format;
  i.rd = field(word, 11, 7);
  i.a = field(word, 19, 15);
  i.b = field(word, 24, 20);
  switch (format) {
  case Format::None:
    i.rd = i.a = i.b = 0;
    return;
  case Format::Upper:
  case Format::UpperPc:
    i.a = 0;
    return useImmediate(i, (word & 0xfffff000) +
                               (format == Format::UpperPc ? pc : 0));
  case Format::Jump:
    i.a = i.b = 0;
    i.target = pc + immediateJ(word);
    return;
  case Format::JumpRegister:
  case Format::Immediate:
    return useImmediate(i, immediateI(word));
  case Format::Branch:
  case Format::BranchImmediate:
    i.target = pc + immediateB(word);
    if (format == Format::BranchImmediate)
      useImmediate(i, signExtend(i.b, 5));
    i.rd = 0;
    return;
  case Format::Registers:
    return;
  case Format::OneRegister:
    if (i.b != 0)
      i.complaint = Complaint::NeedsZero;
    i.b = 0;
    return;
  case Format::Shift:
    return useImmediate(i, i.b);
  case Format::Clip:
    return useImmediate(i, ((1u << i.b) - 1) >> 1);
  case Format::Normalise:
    i.n = field(word, 29, 25);
    return;
  case Format::BitField:
    return useImmediate(i, field(word, 29, 20));
  case Format::VectorSigned:
  case Format::VectorUnsigned:
    return useImmediate(i, inEveryLane(word, format == Format::VectorSigned));
  case Format::Lane:
    return useImmediate(i, immediateVector(word));
  case Format::Csr:
  case Format::CsrImmediate:
    return placeCsr(i, word);
  default:
    break;
  }
  if (format >= Format::LoopAddress)
    return placeLoop(i, word, pc);
  placeAccess(i, word);
}

/// Rows by opcode and funct3, those with more bits in their mask first.
class Index {
public:
  Index() {
    for (const InstructionInfo &row : instructionTable())
      for (uint32_t funct3 = 0; funct3 < 8; ++funct3)
        if (((funct3 << 12 ^ row.match) & row.mask & 0x7000) == 0)
          buckets[bucketOf(row.match & 0x7f, funct3)].push_back(&row);
    for (auto &bucket : buckets)
      std::stable_sort(bucket.begin(), bucket.end(), [](auto *x, auto *y) {
        return __builtin_popcount(x->mask) > __builtin_popcount(y->mask);
      });
  }

  const InstructionInfo *find(uint32_t word) const {
    for (const InstructionInfo *row :
         buckets[bucketOf(word & 0x7f, field(word, 14, 12))])
      if ((word & row->mask) == row->match)
        return row;
    return nullptr;
  }

private:
  static uint32_t bucketOf(uint32_t opcode, uint32_t funct3) {
    return opcode >> 2 << 3 | funct3;
  }
  std::array<std::vector<const InstructionInfo *>, 256> buckets;
};

} // namespace

const std::vector<InstructionInfo> &tinyformer::pulp::instructionTable() {
  static const Table table = [] {
    Table rows;
    addBaseInstructions(rows);
    addScalarInstructions(rows);
    addMemoryInstructions(rows);
    addVectorInstructions(rows);
    return rows;
  }();
  return table;
}

Instruction tinyformer::pulp::decode(uint32_t bits, uint32_t pc) {
  static const Index index;
  Instruction i;
  i.size = isCompressed(bits) ? 2 : 4;
  i.word = isCompressed(bits) ? expandCompressed(uint16_t(bits)) : bits;
  // A word of zeros is the encoding that is illegal for ever.
  i.info = i.word == 0 ? nullptr : index.find(i.word);
  if (i.info == nullptr) {
    i.word = isCompressed(bits) ? bits & 0xffff : bits;
    i.complaint = Complaint::Unknown;
    i.kind = Kind::Illegal;
    return i;
  }
  i.kind = i.info->kind;
  i.compute = i.info->compute;
  i.bytes = i.info->bytes;
  i.isSigned = i.info->isSigned;
  placeOperands(i, i.word, pc);
  const bool readsRd = i.info->readsDestination || i.kind == Kind::Store;
  i.reads = 1u << i.a | 1u << i.b | (readsRd ? 1u << i.rd : 0);
  i.reads &= ~1u;
  i.writes = (i.kind != Kind::Store ? 1u << i.rd : 0) |
             (i.postIncrement ? 1u << i.a : 0);
  i.writes &= ~1u;
  const bool isLoad = i.kind == Kind::Load || i.kind == Kind::EventLoad;
  i.loads = isLoad ? 1u << i.rd & ~1u : 0;
  if (i.complaint != Complaint::None)
    i.kind = Kind::Illegal;
  i.writesStackPointer = i.writes >> 2 & 1;
  return i;
}
