// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// A coordinate of the input, and whether it lies inside; always inside if
/// `inside` is null.
struct Coordinate {
  Value position, inside;
};

struct ConvToLoops : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value w = op.getWeight(), y = op.getInits().front();
    ArrayRef<int64_t> kernel = getShape(w);

    b.forEach(getShape(y), [&](ValueRange indices) {
      Value i = indices[0], j = indices[1], o = indices[2];
      Value acc = b.load(op.getBias(), o);
      acc = b.reduce(kernel[1], acc, [&](Value p, Value acc) {
        Coordinate row = getCoordinate(b, op, /*dimension=*/0, i, p);
        return b.reduce(kernel[2], acc, [&](Value q, Value acc) {
          Coordinate column = getCoordinate(b, op, /*dimension=*/1, j, q);
          return b.reduce(kernel[3], acc, [&](Value c, Value acc) {
            Value activation = loadInput(b, op, row, column, c);
            Value weight = b.load(w, {o, p, q, c});
            return b.multiplyAdd(acc, activation, weight);
          });
        });
      });
      Value multiplier = b.load(op.getMultipliers(), o);
      Value offset = op.getOffsets() ? b.load(op.getOffsets(), o) : Value();
      b.store(b.requantize(acc, multiplier, *op.getRequant(), offset), y,
              indices);
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// output·stride + offset - padding. Outside, a position that is safe to
  /// load from stands for it.
  static Coordinate getCoordinate(LoopBuilder &b, ConvOp op, int dimension,
                                  Value output, Value offset) {
    int64_t before = op.getPadding()[dimension];
    int64_t after = op.getPadding()[dimension + 2];
    int64_t size =
        getShape(op.getInput())[dimension + (op.getChannelsFirst() ? 1 : 0)];
    Value position =
        b.multiplyAdd(offset, output, b.index(op.getStrides()[dimension]));
    if (before == 0 && after == 0)
      return {position, nullptr};
    position = b.sub(position, b.index(before));
    // One unsigned comparison sees both sides.
    Value inside =
        b.compare(arith::CmpIPredicate::ult, position, b.index(size));
    return {b.select(inside, position, b.index(0)), inside};
  }

  static Value loadInput(LoopBuilder &b, ConvOp op, Coordinate row,
                         Coordinate column, Value channel) {
    SmallVector<Value, 3> indices{row.position, column.position};
    indices.insert(op.getChannelsFirst() ? indices.begin() : indices.end(),
                   channel);
    Value element = b.load(op.getInput(), indices);
    for (Value inside : {row.inside, column.inside})
      if (inside)
        element = b.select(inside, element, b.i32(*op.getInputZeroPoint()));
    return element;
  }
};

} // namespace

void tinyattn::populateConvToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvToLoops>(patterns.getContext());
}
