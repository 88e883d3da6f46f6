// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two small patches of an image as a pair of rows of a left panel.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PATCHKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PATCHKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

/// A patch is `groups` times `runs` runs of `length` bytes side by side.
struct PatchKernel {
  int64_t groups, runs, length;
  int64_t groupStride, runStride; // bytes

  /// All of it is unrolled: it is small, and in reach of one pointer.
  bool isPossible() const;

  std::string getName() const;

  /// Arguments: where the two patches begin, and the panel.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PATCHKERNEL_H
