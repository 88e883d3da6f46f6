// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_VERIFYPHASE
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

bool isTensor(Type type) { return isa<TensorType>(type); }
bool isMemRef(Type type) { return isa<BaseMemRefType>(type); }
bool isFloat(Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); }

bool anyType(Operation *op, llvm::function_ref<bool(Type)> predicate) {
  return llvm::any_of(op->getOperandTypes(), predicate) ||
         llvm::any_of(op->getResultTypes(), predicate);
}

bool isIn(Operation *op, ArrayRef<StringRef> dialects) {
  return llvm::is_contained(dialects, op->getDialect()
                                          ? op->getDialect()->getNamespace()
                                          : StringRef());
}

bool isAttention(Operation *op) { return isa<MhsaOp, FusedMhsaOp>(op); }

/// The ops of each phase. Functions and the module are legal everywhere
/// before `llvm`.
bool isLegalOnTensors(Operation *op) {
  return isIn(op, {"tinyattn", "tensor", "func", "builtin"}) ||
         isa<arith::ConstantOp>(op);
}

bool isLegalAfterQuantize(Operation *op) {
  return isLegalOnTensors(op) && !anyType(op, isFloat) &&
         !anyType(op, isMemRef);
}

bool isLegalAfterTile(Operation *op) {
  return !isAttention(op) && !anyType(op, isFloat) && !anyType(op, isMemRef) &&
         isIn(op, {"tinyattn", "tensor", "func", "builtin", "scf", "arith"}) &&
         !isa<tensor::ConcatOp>(op);
}

bool isLegalAfterBufferize(Operation *op) {
  return !isAttention(op) && !anyType(op, isTensor) && !anyType(op, isFloat) &&
         isIn(op, {"tinyattn", "memref", "func", "builtin", "scf", "arith"}) &&
         !isa<memref::AllocOp, memref::AllocaOp, memref::DeallocOp>(op);
}

/// Kernels may keep a few words on the stack.
bool isLegalAfterKernels(Operation *op) {
  return isIn(op, {"armdsp", "xpulp"}) || isa<memref::AllocaOp>(op) ||
         (isLegalAfterBufferize(op) && !isIn(op, {"tinyattn"}) &&
          !isa<memref::CopyOp>(op));
}

bool isLegalAfterLLVM(Operation *op) {
  return isIn(op, {"llvm"}) || isa<ModuleOp>(op);
}

using Legality = bool (*)(Operation *);

Legality getLegality(StringRef phase) {
  return llvm::StringSwitch<Legality>(phase)
      .Cases({"import", "fuse"}, isLegalOnTensors)
      .Case("quantize", isLegalAfterQuantize)
      .Case("tile", isLegalAfterTile)
      .Case("bufferize", isLegalAfterBufferize)
      .Case("kernels", isLegalAfterKernels)
      .Case("llvm", isLegalAfterLLVM)
      .Default(nullptr);
}

struct VerifyPhase : impl::VerifyPhaseBase<VerifyPhase> {
  using Base::Base;

  void runOnOperation() override {
    Legality isLegal = getLegality(phase);
    if (!isLegal) {
      getOperation().emitError()
          << "unknown phase '" << phase
          << "', expected import, fuse, quantize, tile, bufferize, kernels or "
             "llvm";
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (isLegal(op))
        return WalkResult::advance();
      op->emitError() << "'" << op->getName() << "' is illegal after phase '"
                      << phase << "'";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace mlir::tinyattn
