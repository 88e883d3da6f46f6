// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels on rows of 32-bit sums: requantize and broadcast. Both take four
// columns at a time, for all rows, so that what belongs to a column stays in
// registers.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SUMSKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SUMSKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// y[m, n] = clamp((x[m, n]·multipliers[n] + a + 2^(shift-1)) >> shift).
/// Arguments: x, the multipliers, y, how many rows, and a.
struct RequantizeKernel {
  int64_t columns;
  int64_t inputStride, resultStride; // bytes from one row to the next
  int32_t shift;

  std::string getName() const;
  unsigned getNumArguments() const { return 5; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

/// y[m, n] = bias[n]. Arguments: bias, y, and how many rows.
struct BroadcastKernel {
  int64_t columns;
  int64_t resultStride; // bytes from one row to the next

  std::string getName() const;
  unsigned getNumArguments() const { return 3; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SUMSKERNEL_H
