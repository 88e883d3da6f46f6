// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the op on rows of words means, byte by byte: for shapes without a kernel
// of their own.

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
struct WordLinearToLoops : OpRewritePattern<WordLinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(WordLinearOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value w = op.getWeight(), y = op.getInits().front();
    int64_t rows = getShape(op.getInput())[0], channels = getShape(w)[0];
    int64_t heads = op.getHeads().value_or(1), width = channels / heads;
    b.forEach({rows, heads, width}, [&](ValueRange indices) {
      Value m = indices[0], head = indices[1], column = indices[2];
      Value n = b.multiplyAdd(column, head, b.index(width));
      if (!op.getRequant())
        return b.store(sum(b, op, m, n, b.load(y, {m, n})), y, {m, n});
      // The zero point is in the addend already.
      auto requant = RequantAttr::get(op.getContext(), /*multiplier=*/0,
                                      op.getRequant()->getShift(),
                                      /*zeroPoint=*/0, /*wide=*/false);
      Value acc = sum(b, op, m, n, b.i32(0));
      Value scaled = b.multiplyAdd(b.load(w, {n, b.index(1)}), acc,
                                   b.load(w, {n, b.index(0)}));
      Value result = b.roundAndClamp(scaled, requant);
      if (!op.getHeads())
        return b.store(result, y, {m, n});
      if (op.getTransposed())
        return b.store(result, y, {head, column, m});
      b.store(result, y, {head, m, column});
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// init + Σ x·w of row m and channel n.
  static Value sum(LoopBuilder &b, WordLinearOp op, Value m, Value n,
                   Value init) {
    Value x = op.getInput(), w = op.getWeight();
    Value head = b.index(op.getRequant() ? 2 : 0), four = b.index(4);
    return b.reduce(getShape(x)[1], init, [&](Value k, Value acc) {
      Value word = arith::DivUIOp::create(b, k, four);
      Value byte = arith::RemUIOp::create(b, k, four);
      Value bits = arith::IndexCastOp::create(
          b, b.getI32Type(), b.mul(b.sub(b.index(3), byte), b.index(8)));
      Value shifted =
          arith::ShLIOp::create(b, b.load(w, {n, b.add(word, head)}), bits);
      Value weight = arith::ShRSIOp::create(b, shifted, b.i32(24));
      return b.multiplyAdd(acc, b.load(x, {m, k}), weight);
    });
  }
};
} // namespace

void tinyattn::populateWordsToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<WordLinearToLoops>(patterns.getContext());
}
