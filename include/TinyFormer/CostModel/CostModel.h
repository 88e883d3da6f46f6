// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Estimated cycles of kernels, free of MLIR. The coefficients are least-squares
// fits to the simulators, made by tools/fit_cost_model.py; passes compare
// alternatives with them, and nothing reports them as measurements.

#ifndef TINYFORMER_COSTMODEL_COSTMODEL_H
#define TINYFORMER_COSTMODEL_COSTMODEL_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace mlir::tinyattn {

/// By how much estimates for a core are off, about: alternatives that differ by
/// less are alike.
double getEstimateError(llvm::StringRef core);

/// Cycles of X·Wᵀ + b with X [rows, depth] bytes and W [channels, depth], by
/// the kernels of the target's `core`: cortex-m4, cortex-m7, ri5cy; one that is
/// not known counts as a Cortex-M4.
double estimateLinear(llvm::StringRef core, int64_t rows, int64_t channels,
                      int64_t depth);

/// The same where the sums are not scaled but added to sums in memory; of a
/// left panel, which need not be packed.
double estimateLinearOnPanels(llvm::StringRef core, int64_t rows,
                              int64_t channels, int64_t depth);

/// Cycles of `batch` products of [rows, depth] and [depth, columns].
double estimateMatmul(llvm::StringRef core, int64_t batch, int64_t rows,
                      int64_t columns, int64_t depth);

/// Cycles of `transpose` of so many elements.
double estimateTranspose(llvm::StringRef core, int64_t elements);

/// Cycles of what 32-bit sums need before and behind the products that are
/// added to them: `broadcast` and `requantize` of so many elements.
double estimateSums(llvm::StringRef core, int64_t elements);

/// Cycles of the exponentials and sums of `rows` rows of `columns` elements.
double estimateSoftmax(llvm::StringRef core, int64_t rows, int64_t columns);

} // namespace mlir::tinyattn

#endif // TINYFORMER_COSTMODEL_COSTMODEL_H
