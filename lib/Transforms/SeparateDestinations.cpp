// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_SEPARATEDESTINATIONS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// A slice of what is empty is empty. Bufferization finds the place where it is
/// inserted; a slice of another clone would be copied there.
void forgetSlices(tensor::EmptyOp empty) {
  for (Operation *user : llvm::make_early_inc_range(empty->getUsers())) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    if (!slice)
      continue;
    OpBuilder builder(slice);
    slice.replaceAllUsesWith(
        tensor::EmptyOp::create(builder, slice.getLoc(),
                                slice.getType().getShape(),
                                slice.getType().getElementType())
            .getResult());
    slice.erase();
  }
}

struct SeparateDestinations
    : impl::SeparateDestinationsBase<SeparateDestinations> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<tensor::EmptyOp> empties;
    getOperation().walk([&](tensor::EmptyOp op) { empties.push_back(op); });
    for (tensor::EmptyOp empty : empties) {
      if (!empty->hasOneUse())
        forgetSlices(empty);
      for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
        OpBuilder builder(use.getOwner());
        use.set(builder.clone(*empty)->getResult(0));
      }
      empty.erase();
    }
  }
};

} // namespace
} // namespace mlir::tinyattn
