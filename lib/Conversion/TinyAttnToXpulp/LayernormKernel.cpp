// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayernormKernel.h"

#include "../TinyAttnToLoops/LayernormToLoops.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

std::string LayernormKernel::getName() const {
  return llvm::formatv("tf_layernorm_k{0}_e{1}_s{2}_z{3}{4}_{5}_{6}", width,
                       varianceEpsilon, shift, zeroPoint < 0 ? "m" : "",
                       std::abs(zeroPoint), inputStride, resultStride);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The bytes of `words` on top of `sums`.
static void addWords(XpulpBuilder &b, ArrayRef<Value> words,
                     MutableArrayRef<Value> sums) {
  for (Value word : words) {
    sums[0] = b.make<xpulp::PvSdotspSciBOp>(word, sums[0], 1);
    sums[1] = b.make<xpulp::PvSdotspBOp>(word, word, sums[1]);
  }
}

std::pair<Value, Value> LayernormKernel::buildSums(XpulpBuilder &b,
                                                   Value row) const {
  // No load is used by the next instruction.
  constexpr int64_t group = 4;
  auto addGroup = [](XpulpBuilder &b, MutableArrayRef<Value> values,
                     int64_t count) {
    SmallVector<Value> words;
    for (int64_t i = 0; i < count; ++i)
      words.push_back(b.loadAndStep(values[0], {4}));
    addWords(b, words, values.drop_front());
  };
  int64_t words = width / 4;
  auto sums = b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
    XpulpBuilder::Values values{row, b.constant(0), b.constant(0)};
    if (words >= group)
      values = b.loop(int32_t(words / group), values,
                      [&](XpulpBuilder &b, ValueRange arguments) {
                        XpulpBuilder::Values inside(arguments);
                        addGroup(b, inside, group);
                        return inside;
                      });
    addGroup(b, values, words % group);
    if (int64_t rest = width % 4) {
      Value word = b.loadBytesAndStep(rest, values[0], {0});
      if (rest == 3)
        word = b.make<xpulp::PExtractuOp>(word, 24, 0);
      addWords(b, word, MutableArrayRef(values).drop_front());
    }
    return {values[1], values[2]};
  });
  return {sums[0], sums[1]};
}

//===----------------------------------------------------------------------===//
// Inverse of the deviation
//===----------------------------------------------------------------------===//

/// ⌊√value⌋ of 32 unsigned bits, the uppermost two of which are not both 0: the
/// root has 16 bits, the first one 1. A bit at a time.
static Value buildSquareRoot(XpulpBuilder &b, Value value) {
  return b.loop(
      15, {b.constant(1 << 15), b.constant(1 << 14)},
      [&](XpulpBuilder &b, ValueRange arguments) -> XpulpBuilder::Values {
        Value root = arguments[0], bit = arguments[1];
        Value trial = b.make<xpulp::AddOp>(root, bit);
        Value square = b.make<xpulp::MulOp>(trial, trial);
        Value fits = b.make<xpulp::PSletuOp>(square, value);
        return {b.make<xpulp::PMacOp>(fits, bit, root),
                b.make<xpulp::SrliOp>(bit, 1)};
      })[0];
}

Value LayernormKernel::buildInverseDeviation(XpulpBuilder &b, Value sum,
                                             Value squares) const {
  LoopBuilder scalars(b.getLoc(), b);
  Value variance = buildVariance(scalars, width, varianceEpsilon, sum, squares);
  // The highest bit's number is not above 31, so that 31 minus it is XOR.
  Value highest = b.make<xpulp::PFl1Op>(variance);
  Value zeros = b.make<xpulp::XoriOp>(highest, 31);
  Value halfShift = b.make<xpulp::SrliOp>(zeros, 1);
  Value doubled = b.make<xpulp::SlliOp>(halfShift, 1);
  Value normalized = b.make<xpulp::SllOp>(variance, doubled);
  Value root = buildSquareRoot(b, normalized);
  Value inverse = b.make<xpulp::DivuOp>(
      b.constant(std::numeric_limits<int32_t>::min()), root);
  // One of the two shifts is by 0.
  int64_t target = LayernormOp::getHalfLog(width) +
                   LayernormOp::getVarianceShift(width, varianceEpsilon);
  Value amount = b.add(halfShift, -target);
  Value left = b.make<xpulp::PMaxOp>(amount, b.constant(0));
  Value right = b.make<xpulp::SubOp>(left, amount);
  Value shifted = b.make<xpulp::SllOp>(inverse, left);
  return b.make<xpulp::SrlOp>(shifted, right);
}

//===----------------------------------------------------------------------===//
// Scaling
//===----------------------------------------------------------------------===//

Value LayernormKernel::finish(XpulpBuilder &b, Value sum) const {
  return b.saturate(zeroPoint == 0 ? sum : b.add(sum, zeroPoint));
}

void LayernormKernel::buildScaling(XpulpBuilder &b, Value row, Value weight,
                                   Value bias, Value result, Value slope,
                                   Value offset) const {
  auto buildWord = [&](XpulpBuilder &b, MutableArrayRef<Value> at) {
    Value word = b.loadAndStep(at[0], {4});
    std::array<Value, 2> weights;
    for (Value &pair : weights)
      pair = b.loadAndStep(at[1], {4});
    SmallVector<Value> sums, scaled;
    for (int i = 0; i < 4; ++i)
      sums.push_back(b.loadAndStep(at[2], {4}));
    for (int32_t lane = 0; lane < 4; ++lane)
      scaled.push_back(b.make<xpulp::PvExtractBOp>(word, lane));
    for (Value &value : scaled)
      value = b.make<xpulp::MulOp>(value, slope);
    // t is the upper half of the sum; weights of odd columns are upper halves.
    for (int i : {0, 2})
      scaled[i] = b.make<xpulp::PAddnOp>(scaled[i], offset, 16);
    for (int i : {1, 3})
      scaled[i] = b.make<xpulp::AddOp>(scaled[i], offset);
    for (int i : {0, 2})
      sums[i] =
          b.make<xpulp::PSMacrnOp>(scaled[i], weights[i / 2], sums[i], shift);
    for (int i : {1, 3})
      sums[i] =
          b.make<xpulp::PHhsMacrnOp>(scaled[i], weights[i / 2], sums[i], shift);
    for (Value &sum : sums)
      sum = finish(b, sum);
    b.storeAndStep(b.packBytes(sums), at[3], {4});
  };
  auto buildByte = [&](XpulpBuilder &b, MutableArrayRef<Value> at) {
    Value x = b.loadAndStep<xpulp::LbPostOp, xpulp::LbPostRegOp>(at[0], {1});
    Value factor = b.loadBytesAndStep(2, at[1], {2});
    Value sum = b.loadAndStep(at[2], {4});
    Value scaled = b.make<xpulp::MulOp>(x, slope);
    scaled = b.make<xpulp::PAddnOp>(scaled, offset, 16);
    sum = b.make<xpulp::PSMacrnOp>(scaled, factor, sum, shift);
    b.storeByteAndStep(finish(b, sum), at[3], {1});
  };
  b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
    XpulpBuilder::Values at{row, weight, bias, result};
    if (width >= 4)
      at = b.loop(int32_t(width / 4), at,
                  [&](XpulpBuilder &b, ValueRange arguments) {
                    XpulpBuilder::Values inside(arguments);
                    buildWord(b, inside);
                    return inside;
                  });
    for (int64_t i = 0; i < width % 4; ++i)
      buildByte(b, at);
    return {};
  });
}

void LayernormKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value rows = arith::IndexCastOp::create(b, b.getIndexType(), arguments[4]);
  auto loop = scf::ForOp::create(b, index(0), rows, index(1),
                                 ValueRange{arguments[0], arguments[3]});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getRegionIterArg(0), result = loop.getRegionIterArg(1);
  auto [sum, squares] = buildSums(b, row);
  Value inverse = buildInverseDeviation(b, sum, squares);
  // (K·x - S)·I + 2^15 = x·(K·I) + (2^15 - S·I).
  Value slope = b.make<xpulp::MulOp>(inverse, b.constant(width));
  Value offset = b.make<xpulp::PMsuOp>(sum, inverse, b.constant(1 << 15));
  buildScaling(b, row, arguments[1], arguments[2], result, slope, offset);
  scf::YieldOp::create(
      b, ValueRange{b.add(row, inputStride), b.add(result, resultStride)});
}
