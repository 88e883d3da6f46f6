// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores of heads that are two channels wide: one product of two pairs each.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SHORTPRODUCT_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SHORTPRODUCT_H

#include "ProductKernel.h"

namespace mlir::tinyattn {

/// Whether `kernel` is one: a single step of the separate form with one
/// multiplier, rows of whole words as its result.
bool isShortProduct(const ProductKernel &kernel);

/// Everything but the keys stays in registers: the two words of the queries,
/// the multiplier and the zero point. Tiles are unrolled.
void buildShortProduct(KernelBuilder &b, const ProductKernel &kernel,
                       ValueRange arguments);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_SHORTPRODUCT_H
