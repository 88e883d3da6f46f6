// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exponentials of a row of scores, as a row of a left panel, and their sum.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

struct SoftmaxKernel {
  int64_t columns;

  std::string getName() const;

  /// Arguments: the row, which begins at a word; the reversed table; the first
  /// word of the row in the panel; where the sum goes.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SOFTMAXKERNEL_H
