// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that go through bytes from the first to the last.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ELEMENTWISEKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ELEMENTWISEKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

/// table[x + 128].
struct LookupKernel {
  int64_t size;

  std::string getName() const;

  /// Arguments: the input, the middle of the table, the output.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

/// clamp((a·m0 + b·m1 + c) >> shift) with multipliers of 16 bits.
struct AddKernel {
  int64_t size;
  int32_t shift;

  std::string getName() const;

  /// Arguments: both inputs, the output, m0 and m1 as halves, c.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ELEMENTWISEKERNEL_H
