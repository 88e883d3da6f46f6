// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct LinearToLoops : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), w = op.getWeight(), y = op.getInits().front();
    int64_t rows = getShape(x)[0], depth = getShape(x)[1];
    int64_t channels = getShape(w)[0];
    int64_t heads = op.getHeads().value_or(1), width = channels / heads;

    b.forEach({rows, heads, width}, [&](ValueRange indices) {
      Value m = indices[0], head = indices[1], column = indices[2];
      Value n = b.multiplyAdd(column, head, b.index(width));
      Value bias = b.load(op.getBias(), n);
      Value acc = b.reduce(depth, bias, [&](Value k, Value acc) {
        Value activation = b.load(x, {m, k});
        Value weight = b.load(w, {n, k});
        return b.multiplyAdd(acc, activation, weight);
      });
      Value multiplier = b.load(op.getMultipliers(), n);
      Value offset = op.getOffsets() ? b.load(op.getOffsets(), n) : Value();
      Value result = b.requantize(acc, multiplier, *op.getRequant(), offset);
      if (op.getHeads())
        b.store(result, y, {head, m, column});
      else
        b.store(result, y, {m, n});
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct LinearAccumulateToLoops : OpRewritePattern<LinearAccumulateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearAccumulateOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), w = op.getWeight(), y = op.getInits().front();
    b.forEach(getShape(y), [&](ValueRange indices) {
      Value m = indices[0], n = indices[1];
      Value acc =
          b.reduce(getShape(x)[1], b.load(y, indices), [&](Value k, Value acc) {
            return b.multiplyAdd(acc, b.load(x, {m, k}), b.load(w, {n, k}));
          });
      b.store(acc, y, indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct BroadcastToLoops : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value y = op.getInits().front();
    b.forEach(getShape(y), [&](ValueRange indices) {
      b.store(b.load(op.getBias(), indices[1]), y, indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct RequantizeToLoops : OpRewritePattern<RequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RequantizeOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value y = op.getInits().front();
    b.forEach(getShape(y), [&](ValueRange indices) {
      Value acc = b.load(op.getInput(), indices);
      Value multiplier = b.load(op.getMultipliers(), indices[1]);
      b.store(b.requantize(acc, multiplier, op.getRequant()), y, indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void tinyattn::populateLinearToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<LinearToLoops, LinearAccumulateToLoops, BroadcastToLoops,
               RequantizeToLoops>(patterns.getContext());
}
