// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mean and maximum of the columns of a matrix of bytes, 16 columns at a time.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_POOLKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_POOLKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

/// clamp((Σx·multiplier + offset) >> shift), the sums in 16 bits.
struct MeanPoolKernel {
  int64_t rows, columns;
  int32_t shift;

  /// Sums of at most 255 rows of bytes; columns in words.
  bool isPossible() const { return rows <= 255 && columns % 4 == 0; }

  std::string getName() const;

  /// Arguments: the matrix, the result, multiplier, offset.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

struct MaximumPoolKernel {
  int64_t rows, columns;

  bool isPossible() const { return columns % 4 == 0; }

  std::string getName() const;

  /// Arguments: the matrix and the result.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_POOLKERNEL_H
