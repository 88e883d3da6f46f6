// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// XpulpV2 on two halves or four bytes.

#include "InstructionTable.h"

#include <algorithm>
#include <type_traits>

using namespace tinyformer::pulp;

namespace {

using U = uint32_t;

template <class T> constexpr unsigned laneBits = 8 * sizeof(T);
template <class T> constexpr unsigned laneCount = 4 / sizeof(T);

template <class T> T lane(U value, unsigned index) {
  return T(value >> (laneBits<T> * index));
}

/// A lane's bits in their place.
template <class T> U placed(T value, unsigned index) {
  return U(std::make_unsigned_t<T>(value)) << (laneBits<T> * index);
}

//===-- Lane by lane ------------------------------------------------------===//

// Results are cut to the lane: nothing saturates.
struct Add {
  template <class T> static T apply(T x, T y) { return T(x + y); }
};
struct Subtract {
  template <class T> static T apply(T x, T y) { return T(x - y); }
};
/// The sum is cut to the lane before it is halved.
struct Average {
  template <class T> static T apply(T x, T y) { return T(T(x + y) >> 1); }
};
struct Minimum {
  template <class T> static T apply(T x, T y) { return std::min(x, y); }
};
struct Maximum {
  template <class T> static T apply(T x, T y) { return std::max(x, y); }
};
struct ShiftRight {
  template <class T> static T apply(T x, T y) {
    return T(x >> (y & (laneBits<T> - 1)));
  }
};
struct ShiftLeft {
  template <class T> static T apply(T x, T y) {
    return T(U(x) << (y & (laneBits<T> - 1)));
  }
};
struct Or {
  template <class T> static T apply(T x, T y) { return T(x | y); }
};
struct Xor {
  template <class T> static T apply(T x, T y) { return T(x ^ y); }
};
struct And {
  template <class T> static T apply(T x, T y) { return T(x & y); }
};

/// All ones where the comparison holds.
template <class T> T allOnes(bool holds) { return holds ? T(-1) : T(0); }
struct Equal {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x == y); }
};
struct NotEqual {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x != y); }
};
struct Greater {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x > y); }
};
struct GreaterEqual {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x >= y); }
};
struct Less {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x < y); }
};
struct LessEqual {
  template <class T> static T apply(T x, T y) { return allOnes<T>(x <= y); }
};

/// Scalar: the lowest lane of b is used for all.
template <class T, class Operation, bool Scalar>
uint32_t lanewise(U a, U b, U, U) {
  U result = 0;
  for (unsigned i = 0; i < laneCount<T>; ++i)
    result |=
        placed(Operation::apply(lane<T>(a, i), lane<T>(b, Scalar ? 0 : i)), i);
  return result;
}

template <class T> uint32_t absolute(U a, U, U, U) {
  U result = 0;
  for (unsigned i = 0; i < laneCount<T>; ++i) {
    const T value = lane<T>(a, i);
    result |= placed(value < 0 ? T(-value) : value, i);
  }
  return result;
}

//===-- Dot products ------------------------------------------------------===//

template <class A, class B, bool Scalar, bool Accumulate>
uint32_t dot(U a, U b, U old, U) {
  U sum = Accumulate ? old : 0;
  for (unsigned i = 0; i < laneCount<A>; ++i)
    sum += U(int32_t(lane<A>(a, i))) * U(int32_t(lane<B>(b, Scalar ? 0 : i)));
  return sum;
}

//===-- Moving lanes ------------------------------------------------------===//

template <class T> uint32_t extractLane(U a, U b, U, U) {
  return U(int32_t(lane<T>(a, b & (laneCount<T> - 1))));
}

template <class T> uint32_t insertLane(U a, U b, U old, U) {
  const unsigned index = b & (laneCount<T> - 1);
  return (old & ~placed(T(-1), index)) | placed(T(a), index);
}

template <class T> uint32_t shuffle(U a, U b, U, U) {
  U result = 0;
  for (unsigned i = 0; i < laneCount<T>; ++i)
    result |= placed(lane<T>(a, lane<T>(b, i) & (laneCount<T> - 1)), i);
  return result;
}

/// The bit above the lane number selects rs1, else it is rD.
template <class T> uint32_t shuffleTwo(U a, U b, U old, U) {
  U result = 0;
  for (unsigned i = 0; i < laneCount<T>; ++i) {
    const T selector = lane<T>(b, i);
    const U source = selector & laneCount<T> ? a : old;
    result |= placed(lane<T>(source, selector & (laneCount<T> - 1)), i);
  }
  return result;
}

uint32_t shuffleHalvesImmediate(U a, U b, U, U) {
  return placed(lane<uint16_t>(a, b & 1), 0) |
         placed(lane<uint16_t>(a, b >> 1 & 1), 1);
}

/// Six bits say what the lower three bytes are, the mnemonic the highest.
template <unsigned Top> uint32_t shuffleBytesImmediate(U a, U b, U, U) {
  U result = placed(lane<uint8_t>(a, Top), 3);
  for (unsigned i = 0; i < 3; ++i)
    result |= placed(lane<uint8_t>(a, b >> (2 * i) & 3), i);
  return result;
}

uint32_t packHalves(U a, U b, U, U) { return a << 16 | (b & 0xffff); }
uint32_t packHigh(U a, U b, U old, U) {
  return (a & 0xff) << 24 | (b & 0xff) << 16 | (old & 0xffff);
}
uint32_t packLow(U a, U b, U old, U) {
  return (old & 0xffff0000) | (a & 0xff) << 8 | (b & 0xff);
}

//===-- Rows --------------------------------------------------------------===//

void add(Table &table, const std::string &mnemonic, U funct6, U funct3,
         Format format, Compute compute, bool readsDestination = false,
         U mask = funct6Mask) {
  table.push_back({mnemonic, mask, bits(0x57, funct3, funct6 << 1), format,
                   Kind::Compute, compute, readsDestination});
}

/// The six forms of an instruction on two vectors.
void addForms(Table &table, const std::string &mnemonic, U funct6,
              Format immediate, Compute halves, Compute halvesScalar,
              Compute bytes, Compute bytesScalar, bool accumulates) {
  const Format registers = Format::Registers;
  add(table, mnemonic + ".h", funct6, 0, registers, halves, accumulates);
  add(table, mnemonic + ".sc.h", funct6, 4, registers, halvesScalar,
      accumulates);
  add(table, mnemonic + ".sci.h", funct6, 6, immediate, halves, accumulates);
  add(table, mnemonic + ".b", funct6, 1, registers, bytes, accumulates);
  add(table, mnemonic + ".sc.b", funct6, 5, registers, bytesScalar,
      accumulates);
  add(table, mnemonic + ".sci.b", funct6, 7, immediate, bytes, accumulates);
}

/// The lanes of both operands, and the immediate, are signed or not.
template <class Operation, bool Signed>
void addLanewise(Table &table, const std::string &mnemonic, U funct6) {
  using Half = std::conditional_t<Signed, int16_t, uint16_t>;
  using Byte = std::conditional_t<Signed, int8_t, uint8_t>;
  addForms(table, mnemonic, funct6,
           Signed ? Format::VectorSigned : Format::VectorUnsigned,
           lanewise<Half, Operation, false>, lanewise<Half, Operation, true>,
           lanewise<Byte, Operation, false>, lanewise<Byte, Operation, true>,
           false);
}

template <bool ASigned, bool BSigned, bool Accumulate>
void addDot(Table &table, const std::string &mnemonic, U funct6) {
  using AHalf = std::conditional_t<ASigned, int16_t, uint16_t>;
  using AByte = std::conditional_t<ASigned, int8_t, uint8_t>;
  using BHalf = std::conditional_t<BSigned, int16_t, uint16_t>;
  using BByte = std::conditional_t<BSigned, int8_t, uint8_t>;
  addForms(table, mnemonic, funct6,
           BSigned ? Format::VectorSigned : Format::VectorUnsigned,
           dot<AHalf, BHalf, false, Accumulate>,
           dot<AHalf, BHalf, true, Accumulate>,
           dot<AByte, BByte, false, Accumulate>,
           dot<AByte, BByte, true, Accumulate>, Accumulate);
}

void addArithmetic(Table &table) {
  addLanewise<Add, true>(table, "pv.add", 0x00);
  addLanewise<Subtract, true>(table, "pv.sub", 0x02);
  addLanewise<Average, true>(table, "pv.avg", 0x04);
  addLanewise<Average, false>(table, "pv.avgu", 0x06);
  addLanewise<Minimum, true>(table, "pv.min", 0x08);
  addLanewise<Minimum, false>(table, "pv.minu", 0x0a);
  addLanewise<Maximum, true>(table, "pv.max", 0x0c);
  addLanewise<Maximum, false>(table, "pv.maxu", 0x0e);
  addLanewise<ShiftRight, false>(table, "pv.srl", 0x10);
  addLanewise<ShiftRight, true>(table, "pv.sra", 0x12);
  addLanewise<ShiftLeft, false>(table, "pv.sll", 0x14);
  addLanewise<Or, true>(table, "pv.or", 0x16);
  addLanewise<Xor, true>(table, "pv.xor", 0x18);
  addLanewise<And, true>(table, "pv.and", 0x1a);
  // The decoder refuses another rs2 than x0, for which silicon has no result.
  add(table, "pv.abs.h", 0x1c, 0, Format::OneRegister, absolute<int16_t>, false,
      funct7Mask);
  add(table, "pv.abs.b", 0x1c, 1, Format::OneRegister, absolute<int8_t>, false,
      funct7Mask);
}

void addComparison(Table &table) {
  addLanewise<Equal, true>(table, "pv.cmpeq", 0x01);
  addLanewise<NotEqual, true>(table, "pv.cmpne", 0x03);
  addLanewise<Greater, true>(table, "pv.cmpgt", 0x05);
  addLanewise<GreaterEqual, true>(table, "pv.cmpge", 0x07);
  addLanewise<Less, true>(table, "pv.cmplt", 0x09);
  addLanewise<LessEqual, true>(table, "pv.cmple", 0x0b);
  addLanewise<Greater, false>(table, "pv.cmpgtu", 0x0d);
  addLanewise<GreaterEqual, false>(table, "pv.cmpgeu", 0x0f);
  addLanewise<Less, false>(table, "pv.cmpltu", 0x11);
  addLanewise<LessEqual, false>(table, "pv.cmpleu", 0x13);
}

void addDots(Table &table) {
  addDot<false, false, false>(table, "pv.dotup", 0x20);
  addDot<false, true, false>(table, "pv.dotusp", 0x22);
  addDot<true, true, false>(table, "pv.dotsp", 0x26);
  addDot<false, false, true>(table, "pv.sdotup", 0x28);
  addDot<false, true, true>(table, "pv.sdotusp", 0x2a);
  addDot<true, true, true>(table, "pv.sdotsp", 0x2e);
}

void addMoves(Table &table) {
  const Format lane = Format::Lane, registers = Format::Registers;
  add(table, "pv.extract.h", 0x1e, 6, lane, extractLane<int16_t>);
  add(table, "pv.extract.b", 0x1e, 7, lane, extractLane<int8_t>);
  add(table, "pv.extractu.h", 0x24, 6, lane, extractLane<uint16_t>);
  add(table, "pv.extractu.b", 0x24, 7, lane, extractLane<uint8_t>);
  add(table, "pv.insert.h", 0x2c, 6, lane, insertLane<uint16_t>, true);
  add(table, "pv.insert.b", 0x2c, 7, lane, insertLane<uint8_t>, true);
  add(table, "pv.shuffle.h", 0x30, 0, registers, shuffle<uint16_t>);
  add(table, "pv.shuffle.sci.h", 0x30, 6, lane, shuffleHalvesImmediate);
  add(table, "pv.shuffle.b", 0x30, 1, registers, shuffle<uint8_t>);
  add(table, "pv.shufflei0.sci.b", 0x30, 7, lane, shuffleBytesImmediate<0>);
  add(table, "pv.shufflei1.sci.b", 0x3a, 7, lane, shuffleBytesImmediate<1>);
  add(table, "pv.shufflei2.sci.b", 0x3c, 7, lane, shuffleBytesImmediate<2>);
  add(table, "pv.shufflei3.sci.b", 0x3e, 7, lane, shuffleBytesImmediate<3>);
  add(table, "pv.shuffle2.h", 0x32, 0, registers, shuffleTwo<uint16_t>, true);
  add(table, "pv.shuffle2.b", 0x32, 1, registers, shuffleTwo<uint8_t>, true);
  add(table, "pv.pack.h", 0x34, 0, registers, packHalves, true, funct7Mask);
  add(table, "pv.packhi.b", 0x36, 1, registers, packHigh, true);
  add(table, "pv.packlo.b", 0x38, 1, registers, packLow, true);
}

} // namespace

void tinyformer::pulp::addVectorInstructions(Table &table) {
  addArithmetic(table);
  addComparison(table);
  addDots(table);
  addMoves(table);
}
