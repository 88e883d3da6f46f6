// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTTINYATTNTOLOOPS
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

/// The preconditions of the patterns.
LogicalResult checkOp(Operation *op) {
  bool isTinyAttn = isa_and_present<TinyAttnDialect>(op->getDialect());
  if (!isTinyAttn && !isa<memref::CopyOp>(op))
    return success();
  if (isTinyAttn && !isa<DestinationStyleOpInterface>(op))
    return op->emitOpError("must be decomposed before it is lowered to loops");
  for (Type type : op->getOperandTypes()) {
    if (type.isIndex())
      continue;
    auto memRef = dyn_cast<MemRefType>(type);
    if (!memRef)
      return op->emitOpError()
             << "works on " << type
             << ": bufferize it before it is lowered to loops";
    if (!memRef.hasStaticShape())
      return op->emitOpError() << "has an operand of dynamic shape " << type
                               << ", loops need static shapes";
    if (isTinyAttn && !memRef.getElementType().isInteger())
      return op->emitOpError("must be quantised before it is lowered to loops");
  }
  return success();
}

struct ConvertTinyAttnToLoops
    : impl::ConvertTinyAttnToLoopsBase<ConvertTinyAttnToLoops> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      return failed(checkOp(op)) ? WalkResult::interrupt()
                                 : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();

    RewritePatternSet patterns(&getContext());
    populateLinearToLoopsPatterns(patterns);
    populateMatmulToLoopsPatterns(patterns);
    populateConvToLoopsPatterns(patterns);
    populateSoftmaxToLoopsPatterns(patterns);
    populateIntegerToLoopsPatterns(patterns);
    populateLayernormToLoopsPatterns(patterns);
    populateElementwiseToLoopsPatterns(patterns);
    populatePackedToLoopsPatterns(patterns);
    populatePatchesToLoopsPatterns(patterns);
    populatePoolToLoopsPatterns(patterns);
    populateEmbeddingToLoopsPatterns(patterns);
    populateWordsToLoopsPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
} // namespace mlir::tinyattn
