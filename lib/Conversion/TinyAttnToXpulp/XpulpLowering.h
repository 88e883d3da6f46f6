// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lowerings of single ops to kernels of XpulpV2 share.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPLOWERING_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPLOWERING_H

#include "../TinyAttnToArmDsp/LayerBuilder.h"
#include "XpulpBuilder.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn::pulp {

/// The kernels of a module, each of them once.
class XpulpKernels {
public:
  explicit XpulpKernels(ModuleOp module) : symbols(module) {}

  /// The function of a kernel, which tells its name and fills it.
  template <typename Kernel>
  func::FuncOp get(Location loc, const Kernel &kernel) {
    return get(loc, kernel.getName(), kernel.getNumArguments(),
               [&](XpulpBuilder &b, ValueRange arguments) {
                 kernel.build(b, arguments);
               });
  }

  /// Where the share of `core` starts.
  Value loadShare(ImplicitLocOpBuilder &b, ArrayRef<int64_t> starts,
                  Value core);

private:
  func::FuncOp get(Location loc, StringRef name, unsigned arguments,
                   llvm::function_ref<void(XpulpBuilder &, ValueRange)> build);

  SymbolTable symbols;
};

/// Runs `body` for a core's share: `first` and what follows, `count` in all.
void forShare(LayerBuilder &b, Value first, Value count,
              llvm::function_ref<void(Value)> body);

/// Replaces a product of rows by calls of kernels. Fails, without a diagnostic
/// and without a trace, if there is none for it.
LogicalResult lowerProduct(Operation *op, XpulpKernels &kernels);

/// The same for a softmax, whole or normalised later.
LogicalResult lowerSoftmax(Operation *op, XpulpKernels &kernels);

/// The same for ops on single elements and rows.
LogicalResult lowerLayer(Operation *op, XpulpKernels &kernels);

/// The same for frames and patches of images.
LogicalResult lowerPatches(Operation *op, XpulpKernels &kernels);

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPLOWERING_H
