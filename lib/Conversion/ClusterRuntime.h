// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of lib/Runtime/pulp/tf_cluster.h.

#ifndef TINYFORMER_LIB_CONVERSION_CLUSTERRUNTIME_H
#define TINYFORMER_LIB_CONVERSION_CLUSTERRUNTIME_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::tinyattn {

/// Declares the runtime's functions in a module where they are first called.
class ClusterRuntime {
public:
  ClusterRuntime(ModuleOp module, SymbolTable &symbols)
      : module(module), symbols(symbols) {}

  /// The core that asks, an index.
  Value getCore(ImplicitLocOpBuilder &b);

  /// Whether that is core 0.
  Value isFirstCore(ImplicitLocOpBuilder &b);

  void createBarrier(ImplicitLocOpBuilder &b);

  /// Addresses and bytes are i32. Gives the transfer's number.
  Value startTransfer(ImplicitLocOpBuilder &b, bool outward, Value to,
                      Value from, Value bytes);
  void waitForTransfer(ImplicitLocOpBuilder &b, Value number);

private:
  func::CallOp call(ImplicitLocOpBuilder &b, StringRef name, TypeRange results,
                    ValueRange arguments);

  ModuleOp module;
  SymbolTable &symbols;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_CLUSTERRUNTIME_H
