// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

struct LookupToLoops : OpRewritePattern<LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LookupOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    b.forEach(getShape(op.getInput()), [&](ValueRange indices) {
      // x + 128 as an unsigned byte is x with its top bit flipped.
      Value x = memref::LoadOp::create(b, op.getInput(), indices);
      Value top = arith::ConstantIntOp::create(b, -128, 8);
      Value position = arith::IndexCastUIOp::create(
          b, b.getIndexType(), arith::XOrIOp::create(b, x, top));
      b.store(b.load(op.getTable(), position), op.getInits().front(), indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct TransposeToLoops : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    Value y = op.getInits().front();
    Operation *store = nullptr;
    // Cores share rows, four at a time, which begin in a word of their own.
    b.forEach(getShape(y)[0], [&](ValueRange row) {
      b.forEach(getShape(y)[1], [&](ValueRange column) {
        Value n = row.front(), m = column.front();
        Value x = memref::LoadOp::create(b, op.getInput(), ValueRange{m, n});
        store = memref::StoreOp::create(b, x, y, ValueRange{n, m});
      });
    });
    keepRolled(store);
    rewriter.eraseOp(op);
    return success();
  }

  /// Bytes are moved once for all heads, which is not worth kilobytes of code.
  static void keepRolled(Operation *inner) {
    Attribute rolled =
        parseAttribute("#llvm.loop_annotation<unroll = <disable = true>>",
                       inner->getContext());
    for (auto loop = inner->getParentOfType<scf::ForOp>(); loop;
         loop = loop->getParentOfType<scf::ForOp>())
      loop->setAttr("llvm.loop_annotation", rolled);
  }
};

struct AddToLoops : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    ArrayRef<int32_t> multipliers = *op.getMultipliers();
    bool wide = op.getRequant()->getWide();
    auto number = [&](int64_t value) {
      return wide ? b.i64(value) : b.i32(value);
    };
    auto load = [&](Value memRef, ValueRange indices) {
      Value element = b.load(memRef, indices);
      return wide ? b.widen(element) : element;
    };
    b.forEach(getShape(op.getLhs()), [&](ValueRange indices) {
      Value sum = number(static_cast<int32_t>(*op.getOffset()));
      sum = b.multiplyAdd(sum, load(op.getLhs(), indices),
                          number(multipliers[0]));
      sum = b.multiplyAdd(sum, load(op.getRhs(), indices),
                          number(multipliers[1]));
      b.store(b.roundAndClamp(sum, *op.getRequant()), op.getInits().front(),
              indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct CopyToLoops : OpRewritePattern<memref::CopyOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::CopyOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op, rewriter);
    b.forEach(getShape(op.getSource()), [&](ValueRange indices) {
      Value element = memref::LoadOp::create(b, op.getSource(), indices);
      memref::StoreOp::create(b, element, op.getTarget(), indices);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void tinyattn::populateElementwiseToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<LookupToLoops, TransposeToLoops, AddToLoops, CopyToLoops>(
      patterns.getContext());
}
