// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// XpulpV2 on whole registers: comparison, bits, clipping, multiplication and
// normalised arithmetic.

#include "InstructionTable.h"

#include <algorithm>

using namespace tinyformer::pulp;

namespace {

using U = uint32_t;
using S = int32_t;

//===-- Comparison and bits -----------------------------------------------===//

uint32_t absolute(U a, U, U, U) { return S(a) < 0 ? 0 - a : a; }
uint32_t lessEqual(U a, U b, U, U) { return S(a) <= S(b); }
uint32_t lessEqualUnsigned(U a, U b, U, U) { return a <= b; }
uint32_t minimum(U a, U b, U, U) { return std::min(S(a), S(b)); }
uint32_t minimumUnsigned(U a, U b, U, U) { return std::min(a, b); }
uint32_t maximum(U a, U b, U, U) { return std::max(S(a), S(b)); }
uint32_t maximumUnsigned(U a, U b, U, U) { return std::max(a, b); }
uint32_t equal(U a, U b, U, U) { return a == b; }
uint32_t notEqual(U a, U b, U, U) { return a != b; }

uint32_t rotateRight(U a, U b, U, U) {
  const U amount = b & 31;
  return amount == 0 ? a : a >> amount | a << (32 - amount);
}

uint32_t firstOne(U a, U, U, U) { return a == 0 ? 32 : __builtin_ctz(a); }
uint32_t lastOne(U a, U, U, U) { return a == 0 ? 32 : 31 - __builtin_clz(a); }
uint32_t countOnes(U a, U, U, U) { return __builtin_popcount(a); }
/// How many bits behind the sign equal it; 0 of 0.
uint32_t leadingBits(U a, U, U, U) {
  return a == 0 ? 0 : __builtin_clrsb(S(a));
}

uint32_t extendHalf(U a, U, U, U) { return int16_t(a); }
uint32_t extendHalfUnsigned(U a, U, U, U) { return uint16_t(a); }
uint32_t extendByte(U a, U, U, U) { return int8_t(a); }
uint32_t extendByteUnsigned(U a, U, U, U) { return uint8_t(a); }

/// The order of the comparisons matters for a negative bound.
uint32_t clip(U a, U bound, U, U) {
  if (S(a) > S(bound))
    return bound;
  return int64_t(S(a)) + S(bound) + 1 < 0 ? ~bound : a;
}
uint32_t clipUnsigned(U a, U bound, U, U) {
  if (S(a) > S(bound))
    return bound;
  return S(a) < 0 ? 0 : a;
}

//===-- Bit fields: width - 1 in bits 9:5, offset in bits 4:0 of b --------===//

U widthOf(U b) { return (b >> 5 & 31) + 1; }
U offsetOf(U b) { return b & 31; }
U lowBits(U width) { return width == 32 ? ~U(0) : (U(1) << width) - 1; }
U fieldMask(U b) { return lowBits(widthOf(b)) << offsetOf(b); }

uint32_t extract(U a, U b, U, U) {
  const U unused = 32 - widthOf(b);
  return S(U(S(a) >> offsetOf(b)) << unused) >> unused;
}
uint32_t extractUnsigned(U a, U b, U, U) {
  return a >> offsetOf(b) & lowBits(widthOf(b));
}
uint32_t insert(U a, U b, U old, U) {
  return (a << offsetOf(b) & fieldMask(b)) | (old & ~fieldMask(b));
}
uint32_t clearBits(U a, U b, U, U) { return a & ~fieldMask(b); }
uint32_t setBits(U a, U b, U, U) { return a | fieldMask(b); }

//===-- Multiplication and normalised arithmetic --------------------------===//

/// Half of the last bit that a shift by n drops.
U rounding(U n) { return n == 0 ? 0 : U(1) << (n - 1); }

template <bool Signed> U shift(U value, U n) {
  return Signed ? U(S(value) >> n) : value >> n;
}

uint32_t multiplyAdd(U a, U b, U old, U) { return old + a * b; }
uint32_t multiplySubtract(U a, U b, U old, U) { return old - a * b; }

/// Products of halves. All sums wrap at 32 bits.
template <bool Signed, bool High, bool Accumulate, bool Round>
uint32_t multiplyHalves(U a, U b, U old, U n) {
  const U x = High ? a >> 16 : a & 0xffff, y = High ? b >> 16 : b & 0xffff;
  const U product = Signed ? U(S(int16_t(x)) * int16_t(y)) : x * y;
  const U sum = product + (Accumulate ? old : 0) + (Round ? rounding(n) : 0);
  return shift<Signed>(sum, n);
}

template <bool Signed, bool Subtract, bool Round>
uint32_t normalise(U a, U b, U, U n) {
  const U sum = Subtract ? a - b : a + b;
  return shift<Signed>(sum + (Round ? rounding(n) : 0), n);
}

/// The same with the amount in a register and rd as the first operand.
template <bool Signed, bool Subtract, bool Round>
uint32_t normaliseByRegister(U a, U b, U old, U) {
  return normalise<Signed, Subtract, Round>(old, a, 0, b & 31);
}

//===-- Rows --------------------------------------------------------------===//

void addBinary(Table &table, const char *mnemonic, U funct3, U funct7,
               Compute compute, bool readsDestination = false) {
  table.push_back({mnemonic, funct7Mask, bits(0x33, funct3, funct7),
                   Format::Registers, Kind::Compute, compute,
                   readsDestination});
}

void addUnary(Table &table, const char *mnemonic, U funct3, U funct7,
              Compute compute) {
  table.push_back({mnemonic, unaryMask, bits(0x33, funct3, funct7),
                   Format::OneRegister, Kind::Compute, compute});
}

void addComparison(Table &table) {
  addUnary(table, "p.abs", 0, 0x02, absolute);
  addBinary(table, "p.slet", 2, 0x02, lessEqual);
  addBinary(table, "p.sletu", 3, 0x02, lessEqualUnsigned);
  addBinary(table, "p.min", 4, 0x02, minimum);
  addBinary(table, "p.minu", 5, 0x02, minimumUnsigned);
  addBinary(table, "p.max", 6, 0x02, maximum);
  addBinary(table, "p.maxu", 7, 0x02, maximumUnsigned);
  table.push_back({"p.beqimm", funct3Mask, bits(0x63, 2),
                   Format::BranchImmediate, Kind::Branch, equal});
  table.push_back({"p.bneimm", funct3Mask, bits(0x63, 3),
                   Format::BranchImmediate, Kind::Branch, notEqual});
}

void addBits(Table &table) {
  addBinary(table, "p.ror", 5, 0x04, rotateRight);
  addUnary(table, "p.ff1", 0, 0x08, firstOne);
  addUnary(table, "p.fl1", 1, 0x08, lastOne);
  addUnary(table, "p.clb", 2, 0x08, leadingBits);
  addUnary(table, "p.cnt", 3, 0x08, countOnes);
  addUnary(table, "p.exths", 4, 0x08, extendHalf);
  addUnary(table, "p.exthz", 5, 0x08, extendHalfUnsigned);
  addUnary(table, "p.extbs", 6, 0x08, extendByte);
  addUnary(table, "p.extbz", 7, 0x08, extendByteUnsigned);
}

void addClip(Table &table, const char *mnemonic, U funct3, Compute compute) {
  table.push_back({mnemonic, funct7Mask, bits(0x33, funct3, 0x0a), Format::Clip,
                   Kind::Compute, compute});
  const std::string byRegister = std::string(mnemonic) + "r";
  addBinary(table, byRegister.c_str(), funct3 + 4, 0x0a, compute);
}

void addBitField(Table &table, const char *mnemonic, U funct3, Compute compute,
                 bool readsDestination = false) {
  table.push_back({mnemonic, funct2Mask, bits(0x33, funct3, 0x60),
                   Format::BitField, Kind::Compute, compute, readsDestination});
  const std::string byRegister = std::string(mnemonic) + "r";
  addBinary(table, byRegister.c_str(), funct3, 0x40, compute, readsDestination);
}

/// Four rows: plain, normalised and rounded, where plain is normalised by 0.
template <bool Signed, bool High, bool Accumulate>
void addHalves(Table &table, const std::string &mnemonic) {
  const U funct7 = (Signed ? 0x40 : 0) | (High ? 0x20 : 0);
  const U funct3 = Accumulate ? 1 : 0;
  const auto exact = multiplyHalves<Signed, High, Accumulate, false>;
  const auto rounded = multiplyHalves<Signed, High, Accumulate, true>;
  table.push_back({mnemonic, funct7Mask, bits(0x5b, funct3, funct7),
                   Format::Registers, Kind::Compute, exact, Accumulate});
  table.push_back({mnemonic + "N", funct2Mask, bits(0x5b, funct3, funct7),
                   Format::Normalise, Kind::Compute, exact, Accumulate});
  table.push_back({mnemonic + "rn", funct2Mask, bits(0x5b, funct3 + 4, funct7),
                   Format::Normalise, Kind::Compute, rounded, Accumulate});
}

/// Two rows: the amount as an immediate, and in a register.
template <bool Signed, bool Subtract, bool Round>
void addNormalised(Table &table, const std::string &mnemonic) {
  const U funct3 = (Subtract ? 3 : 2) + (Round ? 4 : 0);
  const U funct7 = Signed ? 0 : 0x40;
  table.push_back({mnemonic, funct2Mask, bits(0x5b, funct3, funct7),
                   Format::Normalise, Kind::Compute,
                   normalise<Signed, Subtract, Round>});
  table.push_back({mnemonic + "r", funct7Mask,
                   bits(0x5b, funct3, funct7 | 0x20), Format::Registers,
                   Kind::Compute, normaliseByRegister<Signed, Subtract, Round>,
                   true});
}

void addMultiplication(Table &table) {
  addBinary(table, "p.mac", 0, 0x21, multiplyAdd, true);
  addBinary(table, "p.msu", 1, 0x21, multiplySubtract, true);
  addHalves<true, false, false>(table, "p.muls");
  addHalves<true, true, false>(table, "p.mulhhs");
  addHalves<false, false, false>(table, "p.mulu");
  addHalves<false, true, false>(table, "p.mulhhu");
  addHalves<true, false, true>(table, "p.macs");
  addHalves<true, true, true>(table, "p.machhs");
  addHalves<false, false, true>(table, "p.macu");
  addHalves<false, true, true>(table, "p.machhu");
}

} // namespace

void tinyformer::pulp::addScalarInstructions(Table &table) {
  addComparison(table);
  addBits(table);
  addClip(table, "p.clip", 1, clip);
  addClip(table, "p.clipu", 2, clipUnsigned);
  addBitField(table, "p.extract", 0, extract);
  addBitField(table, "p.extractu", 1, extractUnsigned);
  addBitField(table, "p.insert", 2, insert, true);
  addBitField(table, "p.bclr", 3, clearBits);
  addBitField(table, "p.bset", 4, setBits);
  addMultiplication(table);
  addNormalised<true, false, false>(table, "p.addn");
  addNormalised<false, false, false>(table, "p.addun");
  addNormalised<true, false, true>(table, "p.addrn");
  addNormalised<false, false, true>(table, "p.addurn");
  addNormalised<true, true, false>(table, "p.subn");
  addNormalised<false, true, false>(table, "p.subun");
  addNormalised<true, true, true>(table, "p.subrn");
  addNormalised<false, true, true>(table, "p.suburn");
}
