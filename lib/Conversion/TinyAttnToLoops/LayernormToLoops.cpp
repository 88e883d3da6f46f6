// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayernormToLoops.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

Value shiftLeft(LoopBuilder &b, Value value, Value amount) {
  return arith::ShLIOp::create(b, value, amount);
}

Value shiftRight(LoopBuilder &b, Value value, Value amount) {
  return arith::ShRUIOp::create(b, value, amount);
}

/// V'·2^(2f) and f = ⌊clz32(V') / 2⌋, for V' that is not 0, by halving.
std::pair<Value, Value> buildNormalization(LoopBuilder &b, Value value) {
  Value halfShift = b.i32(0);
  for (int64_t step : {8, 4, 2, 1}) {
    Value small = b.compare(arith::CmpIPredicate::ult, value,
                            b.i32(int64_t(1) << (32 - 2 * step)));
    value = b.select(small, shiftLeft(b, value, b.i32(2 * step)), value);
    halfShift = b.select(small, b.add(halfShift, b.i32(step)), halfShift);
  }
  return {value, halfShift};
}

} // namespace

/// A bit of the root at a time.
Value tinyattn::buildRoot(LoopBuilder &b, Value value) {
  LoopBuilder::Scalars inits{value, b.i32(0), b.i32(1 << 30)};
  return b.reduce(
      16, inits, [&](Value, ValueRange scalars) -> LoopBuilder::Scalars {
        Value rest = scalars[0], root = scalars[1];
        Value bit = scalars[2];
        Value trial = b.add(root, bit);
        Value fits = b.compare(arith::CmpIPredicate::uge, rest, trial);
        Value half = shiftRight(b, root, b.i32(1));
        rest = b.select(fits, b.sub(rest, trial), rest);
        root = b.select(fits, b.add(half, bit), half);
        return {rest, root, shiftRight(b, bit, b.i32(2))};
      })[1];
}

Value tinyattn::buildVariance(LoopBuilder &b, int64_t width, int64_t epsilon,
                              Value sum, Value squares) {
  int64_t shift = LayernormOp::getVarianceShift(width, epsilon);
  if (shift == 0) {
    Value square = b.mul(sum, sum);
    Value variance = b.sub(b.mul(squares, b.i32(width)), square);
    return b.add(variance, b.i32(epsilon));
  }
  Value wideSum = b.widen(sum);
  Value square = b.mul(wideSum, wideSum);
  Value variance = b.sub(b.mul(b.widen(squares), b.i64(width)), square);
  int64_t roundUp = (int64_t(1) << (2 * shift)) - 1;
  variance = b.add(variance, b.i64(epsilon + roundUp));
  variance = shiftRight(b, variance, b.i64(2 * shift));
  return arith::TruncIOp::create(b, b.getI32Type(), variance);
}

Value tinyattn::buildInverseDeviation(LoopBuilder &b, LayernormOp op, Value sum,
                                      Value squares) {
  int64_t width = getShape(op.getInput())[1];
  int64_t epsilon = *op.getVarianceEpsilon();
  int64_t varianceShift = LayernormOp::getVarianceShift(width, epsilon);
  Value variance = buildVariance(b, width, epsilon, sum, squares);
  auto [normalized, halfShift] = buildNormalization(b, variance);
  Value root = buildRoot(b, normalized);
  Value inverse = arith::DivUIOp::create(b, b.i32(int64_t(1) << 31), root);
  // One of the two shifts is by 0.
  Value amount =
      b.sub(halfShift, b.i32(LayernormOp::getHalfLog(width) + varianceShift));
  Value left = b.max(amount, b.i32(0));
  Value right = b.sub(left, amount);
  return shiftRight(b, shiftLeft(b, inverse, left), right);
}

namespace {
struct LayernormToLoops : OpRewritePattern<LayernormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LayernormOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), y = op.getInits().front();
    int64_t rows = getShape(x)[0], width = getShape(x)[1];

    b.forEach(rows, [&](ValueRange row) {
      Value m = row.front();
      LoopBuilder::Scalars zeros{b.i32(0), b.i32(0)};
      LoopBuilder::Scalars sums = b.reduce(
          width, zeros, [&](Value k, ValueRange sums) -> LoopBuilder::Scalars {
            Value element = b.load(x, {m, k});
            Value sum = b.add(sums[0], element);
            return {sum, b.multiplyAdd(sums[1], element, element)};
          });
      Value inverse = buildInverseDeviation(b, op, sums[0], sums[1]);
      b.forEach(width, [&](ValueRange column) {
        Value k = column.front();
        Value deviation =
            b.sub(b.mul(b.load(x, {m, k}), b.i32(width)), sums[0]);
        Value t = b.multiplyAdd(b.i32(1 << 15), deviation, inverse);
        t = arith::ShRSIOp::create(b, t, b.i32(16));
        b.store(scale(b, op, t, k), y, {m, k});
      });
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// clamp(((t·G_k + B_k + 2^(s-1)) >> s) + z).
  static Value scale(LoopBuilder &b, LayernormOp op, Value t, Value k) {
    Value weight = b.load(op.getWeight(), k);
    Value bias = b.load(op.getBias(), k);
    if (op.getRequant()->getWide()) {
      t = b.widen(t);
      weight = b.widen(weight);
      bias = b.widen(bias);
    }
    return b.roundAndClamp(b.multiplyAdd(bias, t, weight), *op.getRequant());
  }
};

} // namespace

void tinyattn::populateLayernormToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<LayernormToLoops>(patterns.getContext());
}
