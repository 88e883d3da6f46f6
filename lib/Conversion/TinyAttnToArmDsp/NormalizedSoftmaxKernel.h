// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of softmax as signed bytes of scale 1/256.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_NORMALIZEDSOFTMAXKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_NORMALIZEDSOFTMAXKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

struct NormalizedSoftmaxKernel {
  int64_t columns;

  std::string getName() const;

  /// Arguments: the first row, the reversed table, the first row of the result
  /// and the end of the result, all rows without gaps.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_NORMALIZEDSOFTMAXKERNEL_H
