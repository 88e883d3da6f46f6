// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayernormToLoops.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Both divide unsigned.
Value divide(LoopBuilder &b, Value dividend, Value divisor) {
  return arith::DivUIOp::create(b, dividend, divisor);
}

Value shiftRight(LoopBuilder &b, Value value, Value amount) {
  return arith::ShRUIOp::create(b, value, amount);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// The loops of one row. Entries of the table are looked up twice, since they
/// have four times the size of what is stored.
class IntegerSoftmaxBuilder : public LoopBuilder {
public:
  IntegerSoftmaxBuilder(IntegerSoftmaxOp op, RewriterBase &rewriter)
      : LoopBuilder(op, rewriter), op(op) {}

  void normalize(ValueRange row) {
    int64_t width = getShape(op.getInput()).back();
    Value largest = reduce(width, i32(-128), [&](Value j, Value largest) {
      return max(largest, load(op.getInput(), at(row, j)));
    });
    Value sum = reduce(width, i32(0), [&](Value j, Value sum) {
      return add(sum, exponential(lookUp(largest, row, j)));
    });
    Value inverse =
        isShift() ? divide(*this, i32((levels() - 1) * 256), sum) : Value();
    forEach(width, [&](ValueRange j) {
      Value entry = lookUp(largest, row, j.front());
      Value result = isShift()
                         ? shiftRight(*this, inverse, entry)
                         : divide(*this, mul(entry, i32(levels() - 1)), sum);
      store(result, op.getInits().front(), at(row, j.front()));
    });
  }

private:
  bool isShift() { return op.getKind() == IntegerSoftmaxKind::Shift; }
  int64_t levels() { return op.getLevels(); }

  Value lookUp(Value largest, ValueRange row, Value j) {
    Value distance = sub(largest, load(op.getInput(), at(row, j)));
    Value position =
        arith::IndexCastUIOp::create(*this, getIndexType(), distance);
    return load(op.getTable(), position);
  }

  Value exponential(Value entry) {
    return isShift() ? shiftRight(*this, i32(256), entry) : entry;
  }

  static SmallVector<Value, 4> at(ValueRange row, Value j) {
    SmallVector<Value, 4> indices(row);
    indices.push_back(j);
    return indices;
  }

  IntegerSoftmaxOp op;
};

struct IntegerSoftmaxToLoops : OpRewritePattern<IntegerSoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(IntegerSoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    IntegerSoftmaxBuilder b(op, rewriter);
    b.forEach(getShape(op.getInput()).drop_back(),
              [&](ValueRange row) { b.normalize(row); });
    rewriter.eraseOp(op);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Layer normalisation
//===----------------------------------------------------------------------===//

/// trunc(deviation·weight / divisor) in 64 bits, without a division of 64 bits,
/// which would be a call. |deviation| and the divisor are below 2^8, so that
/// |product| is below 2^39: its upper part has 23 bits, and the remainder of
/// that division and the lower 16 bits together have 24.
Value buildQuotient(LoopBuilder &b, Value deviation, Value weight,
                    Value divisor) {
  Value product = b.mul(b.widen(deviation), b.widen(weight));
  Value negative = b.compare(arith::CmpIPredicate::slt, product, b.i64(0));
  Value size = b.select(negative, b.sub(b.i64(0), product), product);
  auto truncate = [&](Value value) {
    return arith::TruncIOp::create(b, b.getI32Type(), value);
  };
  Value upper = truncate(shiftRight(b, size, b.i64(16)));
  Value lower = arith::AndIOp::create(b, truncate(size), b.i32(0xffff));
  Value first = divide(b, upper, divisor);
  Value rest = b.sub(upper, b.mul(first, divisor));
  rest = arith::ShLIOp::create(b, rest, b.i32(16));
  Value second = divide(b, arith::OrIOp::create(b, rest, lower), divisor);
  Value quotient = arith::ShLIOp::create(b, b.widen(first), b.i64(16));
  quotient = b.add(quotient, b.widen(second));
  return b.select(negative, b.sub(b.i64(0), quotient), quotient);
}

struct IntegerLayernormToLoops : OpRewritePattern<IntegerLayernormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(IntegerLayernormOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), y = op.getInits().front();
    int64_t rows = getShape(x)[0], width = getShape(x)[1];

    b.forEach(rows, [&](ValueRange row) {
      Value m = row.front();
      auto element = [&](Value k) {
        return b.sub(b.load(x, {m, k}), b.i32(op.getInputZeroPoint()));
      };
      Value sum = b.reduce(width, b.i32(0), [&](Value k, Value sum) {
        return b.add(sum, element(k));
      });
      Value mean = arith::DivSIOp::create(b, sum, b.i32(width));
      Value squares = b.reduce(width, b.i32(0), [&](Value k, Value squares) {
        Value deviation = b.sub(element(k), mean);
        return b.multiplyAdd(squares, deviation, deviation);
      });
      Value variance = b.add(divide(b, squares, b.i32(width)), b.i32(1));
      Value divisor = buildRoot(b, variance);
      b.forEach(width, [&](ValueRange column) {
        Value k = column.front();
        Value quotient = buildQuotient(b, b.sub(element(k), mean),
                                       b.load(op.getWeight(), k), divisor);
        Value result = b.add(quotient, b.widen(b.load(op.getBias(), k)));
        result = arith::ShRSIOp::create(b, result, b.i64(op.getShift()));
        result = b.min(b.max(result, b.i64(-128)), b.i64(127));
        b.store(result, y, {m, k});
      });
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void tinyattn::populateIntegerToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<IntegerSoftmaxToLoops, IntegerLayernormToLoops>(
      patterns.getContext());
}
