// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What calls kernels: loops over pairs of rows and heads, with addresses.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERBUILDER_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERBUILDER_H

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::tinyattn {

/// The kernels of a module, each of them once.
class KernelLibrary {
public:
  explicit KernelLibrary(ModuleOp module) : symbols(module) {}

  /// The function `name` with `arguments` words, made by `build` if it is not
  /// there yet.
  func::FuncOp get(Location loc, StringRef name, unsigned arguments,
                   llvm::function_ref<void(KernelBuilder &, ValueRange)> build);

private:
  SymbolTable symbols;
};

/// The strides of a memref in elements, if all are known.
std::optional<SmallVector<int64_t>> getStaticStrides(Value memRef);

class LayerBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }

  /// Runs `body` for 0 to `count` - 1, without a loop if that is once.
  void forEach(int64_t count, llvm::function_ref<void(Value)> body);

  /// The address of a memref's first element, as an index.
  Value getAddress(Value memRef);

  /// base + position·bytes.
  Value advance(Value base, Value position, int64_t bytes);
  Value advance(Value base, int64_t bytes);

  /// Passes indices as words.
  void call(func::FuncOp kernel, ValueRange arguments);
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERBUILDER_H
