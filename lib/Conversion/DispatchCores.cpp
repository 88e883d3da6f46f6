// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ClusterRuntime.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_DISPATCHCORES
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

/// Whether an op may write to what other cores see. Calls may.
bool mayWrite(Operation *op) {
  if (isa<func::CallOp>(op))
    return true;
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  return effects && effects.hasEffect<MemoryEffects::Write>();
}

class Dispatcher {
public:
  Dispatcher(ModuleOp module, int64_t cores)
      : module(module), symbols(module), runtime(module, symbols),
        cores(cores) {}

  LogicalResult run() {
    SmallVector<func::FuncOp> layers;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function.isPublic())
        continue;
      function.walk([&](func::CallOp call) {
        auto layer = symbols.lookup<func::FuncOp>(call.getCallee());
        if (!layer.isExternal() && !llvm::is_contained(layers, layer))
          layers.push_back(layer);
      });
    }
    for (func::FuncOp layer : layers)
      if (failed(dispatch(layer)))
        return failure();
    return success();
  }

private:
  LogicalResult dispatch(func::FuncOp layer) {
    SmallVector<scf::ForallOp> parallel;
    Operation *write = nullptr;
    layer.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto forall = dyn_cast<scf::ForallOp>(op)) {
        parallel.push_back(forall);
        return WalkResult::skip();
      }
      if (!write && mayWrite(op))
        write = op;
      return WalkResult::advance();
    });
    if (parallel.empty()) {
      runOnFirstCore(layer);
      return success();
    }
    if (write)
      return write->emitOpError("writes on every core: it is neither inside of "
                                "the layer's scf.forall nor without one");
    for (scf::ForallOp forall : parallel)
      if (failed(dispatch(forall)))
        return failure();
    return success();
  }

  LogicalResult dispatch(scf::ForallOp forall) {
    auto bounds = forall.getStaticUpperBound();
    if (!isa<func::FuncOp>(forall->getParentOp()))
      return forall.emitOpError("is in a loop, where cores cannot meet");
    if (!forall.isNormalized() || bounds != ArrayRef<int64_t>{cores} ||
        !forall.getOutputs().empty())
      return forall.emitOpError("must run from 0 to ")
             << cores << ", the target's number of cores, without results";
    ImplicitLocOpBuilder b(forall.getLoc(), forall);
    Value core = runtime.getCore(b);
    forall.getTerminator().erase();
    Block *body = forall.getBody();
    body->getArgument(0).replaceAllUsesWith(core);
    forall->getBlock()->getOperations().splice(forall->getIterator(),
                                               body->getOperations());
    runtime.createBarrier(b);
    forall.erase();
    return success();
  }

  /// What is not parallel runs while the other cores wait.
  void runOnFirstCore(func::FuncOp layer) {
    Block &body = layer.getBody().front();
    ImplicitLocOpBuilder b(layer.getLoc(), body.getTerminator());
    Operation *last = body.getTerminator()->getPrevNode();
    if (!last)
      return;
    b.setInsertionPointToStart(&body);
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          runtime.getCore(b), zero);
    auto onFirst = scf::IfOp::create(b, isFirst);
    onFirst.thenBlock()->getOperations().splice(
        onFirst.thenBlock()->begin(), body.getOperations(),
        std::next(onFirst->getIterator()), body.getTerminator()->getIterator());
    b.setInsertionPoint(body.getTerminator());
    runtime.createBarrier(b);
  }

  ModuleOp module;
  SymbolTable symbols;
  ClusterRuntime runtime;
  int64_t cores;
};

struct DispatchCores : impl::DispatchCoresBase<DispatchCores> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTarget);
    if (!target || target.getCores() == 1)
      return markAllAnalysesPreserved();
    if (failed(Dispatcher(getOperation(), target.getCores()).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
