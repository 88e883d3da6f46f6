// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct SoftmaxToLoops : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), y = op.getInits().front();
    ArrayRef<int64_t> shape = getShape(x);

    b.forEach(shape.drop_back(), [&](ValueRange row) {
      auto at = [&](Value j) {
        SmallVector<Value, 4> indices(row);
        indices.push_back(j);
        return indices;
      };
      Value largest =
          b.reduce(shape.back(), b.i32(-128), [&](Value j, Value largest) {
            return b.max(largest, b.load(x, at(j)));
          });
      // The exponentials, unsigned bytes, go where the result goes.
      Value sum = b.reduce(shape.back(), b.i32(0), [&](Value j, Value sum) {
        Value distance = b.sub(largest, b.load(x, at(j)));
        Value position =
            arith::IndexCastUIOp::create(b, b.getIndexType(), distance);
        Value exponential = b.loadUnsigned(op.getTable(), position);
        b.store(exponential, y, at(j));
        return b.add(sum, exponential);
      });
      if (op.getInits().size() == 2)
        b.store(sum, op.getInits()[1], row);
      else
        normalize(b, y, sum, shape.back(), at);
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// y_j = min(255, (e_j·⌊2^30 / Σe⌋ + 2^21) >> 22).
  static void normalize(LoopBuilder &b, Value y, Value sum, int64_t width,
                        llvm::function_ref<SmallVector<Value, 4>(Value)> at) {
    Value reciprocal = arith::DivUIOp::create(b, b.i32(1 << 30), sum);
    b.forEach(width, [&](ValueRange j) {
      Value product = b.multiplyAdd(
          b.i32(1 << 21), b.loadUnsigned(y, at(j.front())), reciprocal);
      Value result = arith::ShRUIOp::create(b, product, b.i32(22));
      b.store(b.min(result, b.i32(255)), y, at(j.front()));
    });
  }
};
} // namespace

void tinyattn::populateSoftmaxToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<SoftmaxToLoops>(patterns.getContext());
}
