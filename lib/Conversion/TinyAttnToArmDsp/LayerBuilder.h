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
  /// there yet. `build` gives the function's results.
  func::FuncOp
  get(Location loc, StringRef name, unsigned arguments,
      llvm::function_ref<SmallVector<Value>(KernelBuilder &, ValueRange)>
          build);

private:
  SymbolTable symbols;
};

/// What lowerings of single ops share.
struct ArmDspLowering {
  /// The function of a kernel, which tells its name and builds itself.
  template <typename Kernel>
  func::FuncOp get(Location loc, const Kernel &kernel, unsigned arguments) {
    return library.get(loc, kernel.getName(), arguments,
                       [&](KernelBuilder &b, ValueRange arguments) {
                         return kernel.build(b, arguments);
                       });
  }

  KernelLibrary &library;
  bool dualIssue;
  int64_t unroll; // steps of an inner product
};

/// The strides of a memref in elements, if all are known.
std::optional<SmallVector<int64_t>> getStaticStrides(Value memRef);

/// Whether the dimensions from `dimension` on are without gaps in memory.
bool isContiguousFrom(Value memRef, unsigned dimension);

class LayerBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value word(int32_t value) {
    return arith::ConstantIntOp::create(*this, value, 32);
  }

  /// Runs `body` for 0 to `count` - 1, without a loop if that is once.
  void forEach(int64_t count, llvm::function_ref<void(Value)> body);

  /// The address of a memref's first element, as an index.
  Value getAddress(Value memRef);

  /// base + position·bytes.
  Value advance(Value base, Value position, int64_t bytes);
  Value advance(Value base, int64_t bytes);

  /// Passes indices as words.
  SmallVector<Value> call(func::FuncOp kernel, ValueRange arguments);
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERBUILDER_H
