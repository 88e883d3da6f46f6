// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_REUSEDESTINATIONS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// The value is computed here, for `op` alone: not an argument, which belongs
/// to the caller, nor a constant.
bool diesIn(Operation *op, Value value) {
  return value.hasOneUse() &&
         isa_and_present<DestinationStyleOpInterface>(value.getDefiningOp());
}

/// Writes the result over the first input that dies here.
void reuse(DestinationStyleOpInterface op) {
  OpOperand *init = op.getDpsInitOperand(0);
  if (!init->get().getDefiningOp<tensor::EmptyOp>())
    return;
  for (OpOperand *input : op.getDpsInputOperands()) {
    if (input->get().getType() != init->get().getType() ||
        !diesIn(op, input->get()))
      continue;
    init->set(input->get());
    return;
  }
}

struct ReuseDestinations : impl::ReuseDestinationsBase<ReuseDestinations> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (isa<LookupOp, AddOp>(op))
        reuse(cast<DestinationStyleOpInterface>(op));
    });
  }
};

} // namespace
} // namespace mlir::tinyattn
