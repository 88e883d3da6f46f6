// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two passes over a row of a layer normalisation. What is between them is
// once a row, and LLVM's.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERNORMKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERNORMKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

/// Σx and Σx².
struct RowSumsKernel {
  int64_t width;

  std::string getName() const;

  /// Argument: the row. Results: both sums.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

/// clamp((t·G_k + B_k + r) >> shift), t the upper half of x·scale + offset.
struct ScaleRowKernel {
  int64_t width;
  int32_t shift;

  std::string getName() const;

  /// Arguments: the row, G (16 bits), B (32 bits), the result, scale, offset,
  /// r.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERNORMKERNEL_H
