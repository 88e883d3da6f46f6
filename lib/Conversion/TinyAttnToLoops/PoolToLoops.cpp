// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct PoolToLoops : OpRewritePattern<PoolOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PoolOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value x = op.getInput(), y = op.getInits().front();
    int64_t rows = getShape(x)[0], columns = getShape(x)[1];
    bool mean = op.getKind() == PoolKind::Mean;
    int64_t init =
        mean ? -rows * static_cast<int32_t>(*op.getInputZeroPoint()) : -128;

    b.forEach(columns, [&](ValueRange column) {
      Value n = column.front();
      Value result = b.reduce(rows, b.i32(init), [&](Value m, Value result) {
        Value element = b.load(x, {m, n});
        return mean ? b.add(result, element) : b.max(result, element);
      });
      if (mean)
        result = b.requantize(result, b.i32(op.getRequant()->getMultiplier()),
                              *op.getRequant());
      b.store(result, y, {b.index(0), n});
    });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void tinyattn::populatePoolToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<PoolToLoops>(patterns.getContext());
}
