// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exponentials of two rows of scores as a left panel, and their sums.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

struct SoftmaxKernel {
  int64_t columns;

  std::string getName() const;

  /// Arguments: the first row, which begins at a word; the reversed table; the
  /// panel; where both sums go; the distance of the second row.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H
