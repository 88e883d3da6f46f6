// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patches of an image: runs of bytes that lie apart, side by side.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PATCHKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PATCHKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// Arguments: where the first run begins, and the result.
struct PatchKernel {
  int64_t runs, length;
  int64_t stride; // bytes from one run to the next

  std::string getName() const;
  unsigned getNumArguments() const { return 2; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PATCHKERNEL_H
