// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonicalisations: tables of tables, and functions that change nothing.

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// lookup(x, T) -> x, where T[i] = i, and likewise the real identity.
struct FoldIdentityLookup : OpRewritePattern<LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LookupOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumResults() == 0 || !isIdentity(op))
      return failure();
    rewriter.replaceOp(op, op.getInput());
    return success();
  }

  static bool isIdentity(LookupOp op) {
    if (op.getFunction())
      return *op.getFunction() == UnaryFunction::Identity && !op.getFactor();
    FailureOr<SmallVector<int8_t>> table = getConstant<int8_t>(op.getTable());
    if (failed(table))
      return false;
    for (int value = -128; value < 128; ++value)
      if ((*table)[value + 128] != value)
        return false;
    return true;
  }
};

/// lookup(lookup(x, T1), T2) -> lookup(x, T2∘T1).
struct ComposeLookups : OpRewritePattern<LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LookupOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<LookupOp>();
    if (!inner || !op.getTable() || !inner.getTable())
      return failure();
    FailureOr<SmallVector<int8_t>> outerTable =
        getConstant<int8_t>(op.getTable());
    FailureOr<SmallVector<int8_t>> innerTable =
        getConstant<int8_t>(inner.getTable());
    if (failed(outerTable) || failed(innerTable))
      return failure();
    SmallVector<int8_t> composed;
    for (int8_t value : *innerTable)
      composed.push_back((*outerTable)[value + 128]);
    Value table =
        createConstant<int8_t>(rewriter, op.getLoc(), composed, {256}, "table");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(inner.getInput());
      op.getTableMutable().assign(table);
    });
    return success();
  }
};

/// relu(relu(x)) -> relu(x).
struct FoldRepeatedRelu : OpRewritePattern<LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LookupOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<LookupOp>();
    if (!inner || op.getFunction() != UnaryFunction::Relu ||
        inner.getFunction() != UnaryFunction::Relu || op.getFactor())
      return failure();
    rewriter.replaceOp(op, inner);
    return success();
  }
};

} // namespace

void LookupOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                           MLIRContext *context) {
  results.add<FoldIdentityLookup, ComposeLookups, FoldRepeatedRelu>(context);
}
