// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exponentials of rows by a table, and their sums: the softmax of attention,
// which is normalised later, and the whole one.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SOFTMAXKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SOFTMAXKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// A kernel is known by these numbers: equal ones are one function.
struct SoftmaxKernel {
  int64_t columns;
  int64_t inputStride, resultStride; // bytes from one row to the next
  bool normalized;
  /// The form of `normalized_softmax`: its table is reversed, its result
  /// signed.
  bool isSigned;

  std::string getName() const;

  /// Input, result (which may be the input), table, number of rows; the sums
  /// where they are a result.
  unsigned getNumArguments() const { return normalized ? 4 : 5; }

  void build(XpulpBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_SOFTMAXKERNEL_H
