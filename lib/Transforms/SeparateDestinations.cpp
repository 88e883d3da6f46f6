// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_SEPARATEDESTINATIONS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// What takes the part of `insertion`'s destination that it is to fill.
tensor::ExtractSliceOp findPart(tensor::InsertSliceOp insertion) {
  for (Operation *user : insertion.getDest().getUsers()) {
    auto part = dyn_cast<tensor::ExtractSliceOp>(user);
    if (part && part->getBlock() == insertion->getBlock() &&
        part->isBeforeInBlock(insertion) &&
        part.isSameAs(insertion, isEqualConstantIntOrValue))
      return part;
  }
  return {};
}

struct SeparateDestinations
    : impl::SeparateDestinationsBase<SeparateDestinations> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<tensor::EmptyOp> empties;
    getOperation().walk([&](tensor::EmptyOp op) { empties.push_back(op); });
    for (tensor::EmptyOp empty : empties) {
      // A part is filled in the place where it is put back.
      for (Operation *user : llvm::make_early_inc_range(empty->getUsers())) {
        auto insertion = dyn_cast<tensor::InsertSliceOp>(user);
        if (!insertion || insertion.getDest() != empty.getResult())
          continue;
        auto part = findPart(insertion);
        if (!part)
          continue;
        Value own = OpBuilder(part).clone(*empty)->getResult(0);
        part.getSourceMutable().assign(own);
        insertion.getDestMutable().assign(own);
      }
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
