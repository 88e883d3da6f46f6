// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Conversion/Passes.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTTOLLVM
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

bool isLocal(LLVM::LLVMFuncOp function) {
  return function && function.isPrivate() && !function.isExternal();
}

/// Lets private functions use all registers as they like: LLVM allocates those
/// of the callers around them (-enable-ipra) where it knows all calls, and none
/// of them is a jump. Only public functions save registers then.
void shareRegisters(ModuleOp module) {
  Builder b(module.getContext());
  SymbolTable symbols(module);
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    function.walk([&](LLVM::CallOp call) {
      if (auto callee = call.getCallee();
          callee && isLocal(symbols.lookup<LLVM::LLVMFuncOp>(*callee)))
        call.setTailCallKind(LLVM::TailCallKind::NoTail);
    });
    if (!isLocal(function))
      continue;
    function.setLinkage(LLVM::Linkage::Internal);
    SmallVector<Attribute> attributes;
    if (ArrayAttr passed = function.getPassthroughAttr())
      llvm::append_range(attributes, passed);
    attributes.push_back(b.getStringAttr("norecurse"));
    function.setPassthroughAttr(b.getArrayAttr(attributes));
  }
}

/// Upstream's conversions hand annotations of loops on as an attribute that
/// nothing translates.
void annotateLoop(LLVM::BrOp op) {
  if (Attribute annotation = op->removeDiscardableAttr("llvm.loop_annotation"))
    op.setLoopAnnotationAttr(cast<LLVM::LoopAnnotationAttr>(annotation));
}

struct ConvertToLLVM : impl::ConvertToLLVMBase<ConvertToLLVM> {
  using Base::Base;

  void runOnOperation() override {
    const auto &layouts = getAnalysis<DataLayoutAnalysis>();
    LowerToLLVMOptions options(&getContext(),
                               layouts.getAtOrAbove(getOperation()));
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(&getContext(), options, &layouts);

    RewritePatternSet patterns(&getContext());
    SymbolTableCollection symbols;
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns,
                                                   &symbols);
    populateFuncToLLVMConversionPatterns(converter, patterns, &symbols);

    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    if (failed(
            applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    getOperation().walk(annotateLoop);
    auto chip = getOperation()->getAttrOfType<TargetAttr>(kTarget);
    if (chip && chip.getIsa() == "xpulpv2")
      shareRegisters(getOperation());
  }
};

} // namespace
} // namespace mlir::tinyattn
