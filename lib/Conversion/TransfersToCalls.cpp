// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ClusterRuntime.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTTRANSFERSTOCALLS
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

/// The address of the first element, an i32.
Value getAddress(ImplicitLocOpBuilder &b, Value memRef) {
  auto type = cast<MemRefType>(memRef.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memRef);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(
      b, metadata.getBaseBuffer());
  Value bytes =
      arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
  Value offset = arith::MulIOp::create(b, metadata.getOffset(), bytes);
  Value address = arith::AddIOp::create(b, base, offset);
  return arith::IndexCastUIOp::create(b, b.getI32Type(), address);
}

struct ConvertTransfersToCalls
    : impl::ConvertTransfersToCallsBase<ConvertTransfersToCalls> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>(kTarget);
    isCluster = target && target.getCores() > 1;
    SymbolTable symbols(module);
    ClusterRuntime runtime(module, symbols);
    SmallVector<Operation *> ops;
    module.walk([&](Operation *op) {
      if (isa<TransferStartOp, TransferWaitOp>(op))
        ops.push_back(op);
    });
    if (!ops.empty() && !(target && target.getDma())) {
      ops.front()->emitOpError("needs a target with a DMA");
      return signalPassFailure();
    }
    for (Operation *op : ops) {
      if (auto start = dyn_cast<TransferStartOp>(op))
        convert(start, runtime);
      else
        convert(cast<TransferWaitOp>(op), runtime);
    }
  }

  /// The first core does it; the others have no number.
  void convert(TransferStartOp op, ClusterRuntime &runtime) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    auto type = cast<MemRefType>(op.getSource().getType());
    auto start = [&]() -> Value {
      Value bytes = arith::ConstantIntOp::create(
          b, b.getI32Type(),
          type.getNumElements() * type.getElementTypeBitWidth() / 8);
      return runtime.startTransfer(b, op.getOutward(),
                                   getAddress(b, op.getDestination()),
                                   getAddress(b, op.getSource()), bytes);
    };
    Value number;
    if (isCluster) {
      auto first = scf::IfOp::create(b, b.getI32Type(), runtime.isFirstCore(b),
                                     /*withElseRegion=*/true);
      b.setInsertionPointToStart(first.thenBlock());
      scf::YieldOp::create(b, start());
      b.setInsertionPointToStart(first.elseBlock());
      Value none = arith::ConstantIntOp::create(b, b.getI32Type(), -1);
      scf::YieldOp::create(b, none);
      number = first.getResult(0);
    } else {
      number = start();
    }
    op.getNumber().replaceAllUsesWith(number);
    op.erase();
  }

  void convert(TransferWaitOp op, ClusterRuntime &runtime) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    auto wait = [&] {
      for (Value number : op.getNumbers())
        runtime.waitForTransfer(b, number);
    };
    if (isCluster) {
      auto first = scf::IfOp::create(b, runtime.isFirstCore(b));
      b.setInsertionPointToStart(first.thenBlock());
      wait();
      b.setInsertionPoint(op);
      runtime.createBarrier(b);
    } else {
      wait();
    }
    op.erase();
  }

  bool isCluster = false;
};

} // namespace
} // namespace mlir::tinyattn
