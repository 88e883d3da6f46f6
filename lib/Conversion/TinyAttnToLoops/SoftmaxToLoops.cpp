// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// A row at a time, the exponentials in the place of the result.
class SoftmaxBuilder : public LoopBuilder {
public:
  SoftmaxBuilder(DestinationStyleOpInterface op, RewriterBase &rewriter)
      : LoopBuilder(op, rewriter), x(op.getDpsInputOperand(0)->get()),
        table(op.getDpsInputOperand(1)->get()),
        y(op.getDpsInitOperand(0)->get()) {}

  void forRows(llvm::function_ref<void(ValueRange row)> body) {
    forEach(getShape(x).drop_back(), body);
  }

  /// Unsigned bytes T[max - x]; gives their sum. The table may be `reversed`.
  Value exponentials(ValueRange row, bool reversed) {
    int64_t width = getShape(x).back();
    Value largest = reduce(width, i32(-128), [&](Value j, Value largest) {
      return max(largest, load(x, at(row, j)));
    });
    return reduce(width, i32(0), [&](Value j, Value sum) {
      Value distance = sub(largest, load(x, at(row, j)));
      if (reversed)
        distance = sub(i32(255), distance);
      Value position =
          arith::IndexCastUIOp::create(*this, getIndexType(), distance);
      Value exponential = loadUnsigned(table, position);
      store(exponential, y, at(row, j));
      return add(sum, exponential);
    });
  }

  /// y_j = min(255, (e_j·⌊2^30 / Σe⌋ + 2^21) >> 22) + offset.
  void normalize(ValueRange row, Value sum, int64_t offset) {
    Value reciprocal = arith::DivUIOp::create(*this, i32(1 << 30), sum);
    forEach(getShape(y).back(), [&](ValueRange j) {
      Value exponential = loadUnsigned(y, at(row, j.front()));
      Value product = multiplyAdd(i32(1 << 21), exponential, reciprocal);
      Value result = arith::ShRUIOp::create(*this, product, i32(22));
      result = min(result, i32(255));
      if (offset != 0)
        result = add(result, i32(offset));
      store(result, y, at(row, j.front()));
    });
  }

private:
  static SmallVector<Value, 4> at(ValueRange row, Value j) {
    SmallVector<Value, 4> indices(row);
    indices.push_back(j);
    return indices;
  }

  Value x, table, y;
};

struct SoftmaxToLoops : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    SoftmaxBuilder b(op, rewriter);
    b.forRows([&](ValueRange row) {
      Value sum = b.exponentials(row, /*reversed=*/false);
      if (op.getInits().size() == 2)
        b.store(sum, op.getInits()[1], row);
      else
        b.normalize(row, sum, /*offset=*/0);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct NormalizedSoftmaxToLoops : OpRewritePattern<NormalizedSoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(NormalizedSoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    SoftmaxBuilder b(op, rewriter);
    b.forRows([&](ValueRange row) {
      Value sum = b.exponentials(row, /*reversed=*/true);
      b.normalize(row, sum, /*offset=*/-128);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void tinyattn::populateSoftmaxToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<SoftmaxToLoops, NormalizedSoftmaxToLoops>(patterns.getContext());
}
