// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ElementwiseKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

/// Hardware loops run at least once.
static void buildLoop(XpulpBuilder &b, Value count,
                      SmallVector<Value> &pointers, PointerBody body) {
  Value any =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, count, b.constant(0));
  auto branch = scf::IfOp::create(
      b, any,
      [&](OpBuilder &inner, Location loc) {
        XpulpBuilder b(loc, inner);
        auto moved =
            b.loop(count, pointers, [&](XpulpBuilder &b, ValueRange arguments) {
              XpulpBuilder::Values inside(arguments);
              body(b, inside);
              return inside;
            });
        scf::YieldOp::create(b, moved);
      },
      [&](OpBuilder &inner, Location loc) {
        scf::YieldOp::create(inner, loc, pointers);
      });
  pointers.assign(branch.result_begin(), branch.result_end());
}

void pulp::buildPieces(XpulpBuilder &b, Value count, int32_t log2Size,
                       SmallVector<Value> pointers, PointerBody piece,
                       PointerBody element) {
  buildLoop(b, b.make<xpulp::SrliOp>(count, log2Size), pointers, piece);
  Value rest = b.make<xpulp::AndiOp>(count, (1 << log2Size) - 1);
  buildLoop(b, rest, pointers, element);
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

void LookupKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Value table = arguments[1];
  auto piece = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    // The second word stands between the first one and its use.
    std::array<Value, 2> words;
    for (Value &word : words)
      word = b.loadAndStep(at[0], {4});
    for (Value word : words) {
      SmallVector<Value> bytes;
      for (int32_t lane = 0; lane < 4; ++lane)
        bytes.push_back(b.make<xpulp::PvExtractBOp>(word, lane));
      for (Value &byte : bytes)
        byte = b.make<xpulp::LbuRegOp>(table, byte);
      b.storeAndStep(b.packBytes(bytes), at[1], {4});
    }
  };
  auto element = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    Value x = b.loadAndStep<xpulp::LbPostOp, xpulp::LbPostRegOp>(at[0], {1});
    b.storeByteAndStep(b.make<xpulp::LbuRegOp>(table, x), at[1], {1});
  };
  buildPieces(b, arguments[3], /*log2Size=*/3, {arguments[0], arguments[2]},
              piece, element);
}

//===----------------------------------------------------------------------===//
// Add
//===----------------------------------------------------------------------===//

std::string AddKernel::getName() const {
  return (inHalves ? "tf_add_halves_s" : "tf_add_s") + std::to_string(shift);
}

/// The sums of the products of four bytes each, with both multipliers.
static SmallVector<Value> addProducts(XpulpBuilder &b, Value lhs, Value rhs,
                                      Value m0, Value m1) {
  SmallVector<Value> sums;
  for (int32_t lane = 0; lane < 4; ++lane)
    sums.push_back(b.make<xpulp::PvExtractBOp>(lhs, lane));
  for (Value &sum : sums)
    sum = b.make<xpulp::MulOp>(sum, m0);
  for (int32_t lane = 0; lane < 4; ++lane) {
    Value byte = b.make<xpulp::PvExtractBOp>(rhs, lane);
    sums[lane] = b.make<xpulp::PMacOp>(byte, m1, sums[lane]);
  }
  return sums;
}

/// The same by products of halves. `upper` picks the upper halves of both.
static SmallVector<Value> addHalves(XpulpBuilder &b, Value lhs, Value rhs,
                                    Value multipliers, Value upper) {
  std::array<Value, 2> pairs;
  pairs[0] = b.make<xpulp::PvPackHOp>(rhs, lhs);
  pairs[1] = b.make<xpulp::PvShuffle2HOp>(rhs, upper, lhs);
  SmallVector<Value> sums;
  for (Value pair : pairs) {
    Value odd = b.make<xpulp::PvSraSciHOp>(pair, 8);
    Value even = b.make<xpulp::PvSllSciHOp>(pair, 8);
    even = b.make<xpulp::PvSraSciHOp>(even, 8);
    for (Value bytes : {even, odd})
      sums.push_back(b.make<xpulp::PvDotspHOp>(bytes, multipliers));
  }
  return sums;
}

void AddKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Value offset = arguments.back();
  // Of rhs and lhs: half 1 of each.
  Value upper = inHalves ? b.constant(0x00030001) : Value();
  auto add = [&](XpulpBuilder &b, Value lhs, Value rhs) {
    return inHalves ? addHalves(b, lhs, rhs, arguments[4], upper)
                    : addProducts(b, lhs, rhs, arguments[4], arguments[5]);
  };
  auto piece = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    // Two words of each, so that no load is used at once.
    std::array<Value, 2> lhs, rhs;
    for (Value &word : lhs)
      word = b.loadAndStep(at[0], {4});
    for (Value &word : rhs)
      word = b.loadAndStep(at[1], {4});
    for (int i : {0, 1}) {
      SmallVector<Value> sums = add(b, lhs[i], rhs[i]);
      for (Value &sum : sums)
        sum = b.addAndRound(sum, offset, shift);
      for (Value &sum : sums)
        sum = b.saturate(sum);
      b.storeAndStep(b.packBytes(sums), at[2], {4});
    }
  };
  auto element = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    std::array<Value, 2> bytes;
    for (int i : {0, 1})
      bytes[i] = b.loadAndStep<xpulp::LbPostOp, xpulp::LbPostRegOp>(at[i], {1});
    Value sum;
    if (inHalves) {
      Value pair = b.make<xpulp::PvPackHOp>(bytes[1], bytes[0]);
      sum = b.make<xpulp::PvDotspHOp>(pair, arguments[4]);
    } else {
      sum = b.make<xpulp::MulOp>(bytes[0], arguments[4]);
      sum = b.make<xpulp::PMacOp>(bytes[1], arguments[5], sum);
    }
    sum = b.saturate(b.addAndRound(sum, offset, shift));
    b.storeByteAndStep(sum, at[2], {1});
  };
  buildPieces(b, arguments[3], /*log2Size=*/3,
              {arguments[0], arguments[1], arguments[2]}, piece, element);
}

//===----------------------------------------------------------------------===//
// Copy
//===----------------------------------------------------------------------===//

void CopyKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  auto piece = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    Value first = b.loadAndStep(at[0], {4});
    Value second = b.loadAndStep(at[0], {4});
    b.storeAndStep(first, at[1], {4});
    b.storeAndStep(second, at[1], {4});
  };
  auto element = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    Value byte = b.loadBytesAndStep(1, at[0], {1});
    xpulp::NopOp::create(b);
    b.storeByteAndStep(byte, at[1], {1});
  };
  buildPieces(b, arguments[2], /*log2Size=*/3, {arguments[0], arguments[1]},
              piece, element);
}

//===----------------------------------------------------------------------===//
// Fill
//===----------------------------------------------------------------------===//

void FillKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Value word = arguments[1];
  auto piece = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    for (int i = 0; i < 4; ++i)
      b.storeAndStep(word, at[0], {4});
  };
  auto element = [&](XpulpBuilder &b, SmallVector<Value> &at) {
    b.storeByteAndStep(word, at[0], {1});
    for (unsigned i = 1; i < xpulp::minBodySize; ++i)
      xpulp::NopOp::create(b);
  };
  buildPieces(b, arguments[2], /*log2Size=*/4, {arguments[0]}, piece, element);
}
