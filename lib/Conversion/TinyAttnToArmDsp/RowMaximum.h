// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The maximum of a row of bytes, four at a time: SSUB8 and SEL.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ROWMAXIMUM_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ROWMAXIMUM_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

/// Elements of a row that are unrolled in softmax; more are looped over.
constexpr int64_t kStraightElements = 128;

/// The larger one of each pair of bytes.
Value largerBytes(KernelBuilder &b, Value lhs, Value rhs);

/// The largest of `columns` signed bytes from the register `row` on.
Value findMaximum(KernelBuilder &b, Value row, int64_t columns);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_ROWMAXIMUM_H
