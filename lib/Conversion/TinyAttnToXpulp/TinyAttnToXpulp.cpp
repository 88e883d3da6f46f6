// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "XpulpLowering.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTTINYATTNTOXPULP
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

struct ConvertTinyAttnToXpulp
    : impl::ConvertTinyAttnToXpulpBase<ConvertTinyAttnToXpulp> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTarget);
    if (!target || target.getIsa() != "xpulpv2")
      return markAllAnalysesPreserved();
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa_and_present<TinyAttnDialect>(op->getDialect()) ||
          isa<memref::CopyOp>(op))
        ops.push_back(op);
    });
    pulp::XpulpKernels kernels(getOperation());
    // What has no kernel becomes loops later.
    for (Operation *op : ops)
      if (failed(pulp::lowerProduct(op, kernels)) &&
          failed(pulp::lowerSoftmax(op, kernels)) &&
          failed(pulp::lowerPatches(op, kernels)))
        (void)pulp::lowerLayer(op, kernels);
  }
};

} // namespace
} // namespace mlir::tinyattn
