// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct EmbeddingToLoops : OpRewritePattern<EmbeddingOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(EmbeddingOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value table = op.getTable(), y = op.getInits().front();
    Value last = b.i32(getShape(table)[0] - 1);
    b.forEach(getShape(y), [&](ValueRange indices) {
      Value id = b.max(b.i32(0), b.load(op.getIds(), indices.front()));
      Value row =
          arith::IndexCastOp::create(b, b.getIndexType(), b.min(id, last));
      b.store(b.load(table, {row, indices.back()}), y, indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void tinyattn::populateEmbeddingToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<EmbeddingToLoops>(patterns.getContext());
}
