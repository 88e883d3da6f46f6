// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct MatmulToLoops : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value y = op.getInits().front();
    ArrayRef<int64_t> lhsShape = getShape(op.getLhs());
    int64_t columns = op.getTransposeB()
                          ? getShape(op.getRhs()).drop_back().back()
                          : getShape(op.getRhs()).back();

    b.forEach(lhsShape.drop_back(), [&](ValueRange outer) {
      Value batch = outer[0], m = outer[1];
      Value multiplier = b.load(op.getMultipliers(), batch);
      Value offset = op.getOffsets() ? b.load(op.getOffsets(), batch) : Value();
      if (op.getRowSums())
        multiplier = arith::DivUIOp::create(
            b, multiplier, b.load(op.getRowSums(), {batch, m}));

      b.forEach(columns, [&](ValueRange inner) {
        Value n = inner.front();
        Value acc = b.reduce(lhsShape[2], b.i32(0), [&](Value k, Value acc) {
          Value lhs = loadLhs(b, op, {batch, m, k});
          Value rhs = loadRhs(b, op, batch, k, n);
          return b.multiplyAdd(acc, lhs, rhs);
        });
        Value result = b.requantize(acc, multiplier, *op.getRequant(), offset);
        if (op.getMergeHeads())
          b.store(result, y, {m, b.multiplyAdd(n, batch, b.index(columns))});
        else
          b.store(result, y, {batch, m, n});
      });
    });
    rewriter.eraseOp(op);
    return success();
  }

  static Value loadLhs(LoopBuilder &b, MatmulOp op, ValueRange indices) {
    return op.getUnsignedLhs() ? b.loadUnsigned(op.getLhs(), indices)
                               : b.load(op.getLhs(), indices);
  }

  static Value loadRhs(LoopBuilder &b, MatmulOp op, Value batch, Value k,
                       Value n) {
    SmallVector<Value, 3> indices{k, n};
    if (op.getTransposeB())
      std::swap(indices[0], indices[1]);
    if (getShape(op.getRhs()).size() == 3)
      indices.insert(indices.begin(), batch);
    return b.load(op.getRhs(), indices);
  }
};
} // namespace

void tinyattn::populateMatmulToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<MatmulToLoops>(patterns.getContext());
}
