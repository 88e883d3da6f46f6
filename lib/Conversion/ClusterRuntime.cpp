// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ClusterRuntime.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::tinyattn;

Value ClusterRuntime::getCore(ImplicitLocOpBuilder &b) {
  Value core = call(b, "tf_core_id", b.getI32Type(), {}).getResult(0);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), core);
}

Value ClusterRuntime::isFirstCore(ImplicitLocOpBuilder &b) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, getCore(b), zero);
}

void ClusterRuntime::createBarrier(ImplicitLocOpBuilder &b) {
  call(b, "tf_barrier", {}, {});
}

Value ClusterRuntime::startTransfer(ImplicitLocOpBuilder &b, bool outward,
                                    Value to, Value from, Value bytes) {
  StringRef name = outward ? "tf_dma_to_l2" : "tf_dma_to_l1";
  return call(b, name, b.getI32Type(), {to, from, bytes}).getResult(0);
}

void ClusterRuntime::waitForTransfer(ImplicitLocOpBuilder &b, Value number) {
  call(b, "tf_dma_wait", {}, number);
}

func::CallOp ClusterRuntime::call(ImplicitLocOpBuilder &b, StringRef name,
                                  TypeRange results, ValueRange arguments) {
  auto function = symbols.lookup<func::FuncOp>(name);
  if (!function) {
    OpBuilder declaring(module.getContext());
    function =
        func::FuncOp::create(declaring, module.getLoc(), name,
                             b.getFunctionType(arguments.getTypes(), results));
    function.setPrivate();
    symbols.insert(function);
  }
  return func::CallOp::create(b, function, arguments);
}
