// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayersToArmDsp.h"
#include "PackedToArmDsp.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTTINYATTNTOARMDSP
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

struct ConvertTinyAttnToArmDsp
    : impl::ConvertTinyAttnToArmDspBase<ConvertTinyAttnToArmDsp> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTarget);
    if (!target || target.getIsa() != "armv7e-m")
      return markAllAnalysesPreserved();
    if (unroll < 1) {
      getOperation().emitError()
          << "unroll takes a positive number of steps, got " << unroll;
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa_and_present<TinyAttnDialect>(op->getDialect()))
        ops.push_back(op);
    });
    KernelLibrary library(getOperation());
    ArmDspLowering lowering{library, target.getCore() == "cortex-m7", unroll};
    // What has no kernel becomes loops later.
    for (Operation *op : ops)
      if (failed(lowerPackedOp(op, lowering)))
        (void)lowerLayer(op, lowering);
  }
};

} // namespace
} // namespace mlir::tinyattn
