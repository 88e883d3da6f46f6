// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a convolution packs, element by element.

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

struct PadToLoops : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PadOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    Value x = op.getInput(), y = op.getInits().front();
    Value frame = b.i32(static_cast<int32_t>(op.getValue()));
    b.forEach(getShape(y),
              [&](ValueRange indices) { b.store(frame, y, indices); });
    b.forEach(getShape(x), [&](ValueRange indices) {
      SmallVector<Value> target;
      for (auto [index, low] : llvm::zip_equal(indices, op.getLow()))
        target.push_back(low == 0 ? index : b.add(index, b.index(low)));
      b.store(b.load(x, indices), y, target);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct PackPatchesToLoops : OpRewritePattern<PackPatchesOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackPatchesOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    Value panel = op.getInits().front();
    int64_t length = op.getRunLength(), steps = llvm::divideCeil(length, 2);
    if (cast<MemRefType>(panel.getType()).getElementType().isInteger(8)) {
      b.forEach({op.getCount(), op.getRuns(), length}, [&](ValueRange indices) {
        Value patch = b.add(indices[0], op.getFirst());
        Value byte = load(b, op, patch, indices[1], indices[2]);
        Value k = b.multiplyAdd(indices[2], indices[1], b.index(length));
        b.store(byte, panel, {indices[0], k});
      });
      rewriter.eraseOp(op);
      return success();
    }
    b.forEach({getShape(panel)[0], op.getRuns(), steps, 2},
              [&](ValueRange indices) {
                Value run = indices[1], step = indices[2];
                Value patch = getPatch(b, op, indices[0], indices[3]);
                Value k = b.mul(step, b.index(2));
                Value low = load(b, op, patch, run, k);
                Value high = load(b, op, patch, run, b.add(k, b.index(1)));
                Value word = arith::OrIOp::create(
                    b, arith::AndIOp::create(b, low, b.i32(0xffff)),
                    arith::ShLIOp::create(b, high, b.i32(16)));
                Value position = b.add(b.mul(run, b.index(steps)), step);
                b.store(word, panel, {indices[0], position, indices[3]});
              });
    rewriter.eraseOp(op);
    return success();
  }

  /// The last pair of an odd number has one patch twice.
  static Value getPatch(LoopBuilder &b, PackPatchesOp op, Value pair,
                        Value which) {
    Value patch = b.add(b.mul(pair, b.index(2)), which);
    if (op.getCount() % 2 != 0)
      patch = arith::MinSIOp::create(b, patch, b.index(op.getCount() - 1));
    return b.add(patch, op.getFirst());
  }

  /// Element `k` of a run, 0 behind its end.
  static Value load(LoopBuilder &b, PackPatchesOp op, Value patch, Value run,
                    Value k) {
    ArrayRef<int64_t> shape = getShape(op.getInput());
    bool first = op.getChannelsFirst();
    auto divide = [&](Value value, int64_t divisor) {
      return std::pair<Value, Value>{
          arith::DivUIOp::create(b, value, b.index(divisor)),
          arith::RemUIOp::create(b, value, b.index(divisor))};
    };
    int64_t width = shape[first ? 2 : 1];
    int64_t across = (width - op.getKernel()[1]) / op.getStrides()[1] + 1;
    auto [down, right] = divide(patch, across);
    Value row = b.mul(down, b.index(op.getStrides()[0]));
    Value column = b.mul(right, b.index(op.getStrides()[1]));
    Value last = b.index(op.getRunLength() - 1);
    Value inside = arith::MinSIOp::create(b, k, last);
    Value element;
    if (first) {
      auto [channel, kernelRow] = divide(run, op.getKernel()[0]);
      element = b.load(op.getInput(),
                       {channel, b.add(row, kernelRow), b.add(column, inside)});
    } else {
      auto [kernelColumn, channel] = divide(inside, shape[2]);
      element = b.load(op.getInput(),
                       {b.add(row, run), b.add(column, kernelColumn), channel});
    }
    if (op.getRunLength() % 2 == 0)
      return element;
    Value isInside = b.compare(arith::CmpIPredicate::sle, k, last);
    return b.select(isInside, element, b.i32(0));
  }
};

} // namespace

void tinyattn::populatePatchesToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<PadToLoops, PackPatchesToLoops>(patterns.getContext());
}
