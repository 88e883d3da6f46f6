// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cycles of the kernels of XpulpV2 on one core. An instruction takes a cycle
// and the kernels avoid what takes more, so that these are counts, not fits.

#ifndef TINYFORMER_LIB_COSTMODEL_XPULPCOSTS_H
#define TINYFORMER_LIB_COSTMODEL_XPULPCOSTS_H

#include <cstdint>

namespace mlir::tinyattn::pulp {

/// What a product does with its sums.
enum class SumsBecome {
  /// By a multiplier and an addend a column.
  Bytes,
  /// By a multiplier a row or one for all.
  BytesByRow,
  Words
};

double estimateProduct(int64_t rows, int64_t columns, int64_t depth,
                       SumsBecome result);
/// With the division that a row's normalisation needs later.
double estimateSoftmax(int64_t rows, int64_t columns);

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_COSTMODEL_XPULPCOSTS_H
