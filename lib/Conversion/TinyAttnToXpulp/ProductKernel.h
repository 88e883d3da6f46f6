// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix product of rows with rows, Y = X·Wᵀ, in tiles of 4x4 and what is
// left over. One generator for linear layers, scores and context.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// Rows and columns of a whole tile: 16 sums and what feeds them fill the
/// registers.
constexpr int64_t kTile = 4;

/// What a sum becomes.
enum class Scaling {
  /// Nothing: it is added to a word in memory.
  None,
  /// (sum·m + a + 2^(s-1)) >> s, with m and a at the head of each column's row.
  OfColumns,
  /// The same with one m and one a.
  Uniform,
  /// (sum·⌊n / row's sum⌋ + a + 2^(s-1)) >> s, with one a.
  OfRows,
};

/// A kernel is known by these numbers: equal ones are one function.
struct ProductKernel {
  int64_t rows; // of a tile, or those that are left over
  /// Columns behind the last whole tile, and whether there is a whole one.
  int64_t restColumns;
  bool hasTiles;
  int64_t depth;                   // bytes
  int64_t leftStride, rightStride; // bytes from one row to the next
  bool unsignedLeft;
  /// Behind the depth, rows of the right side have zeros up to the next word.
  bool paddedRight;
  Scaling scaling;
  int32_t shift;
  /// Columns of a row follow each other in the result, or rows of a column.
  bool transposed;
  int64_t resultStride; // bytes from one row to the next, or from one column

  /// A symbol that says all of the above.
  std::string getName() const;

  /// How many rows a whole tile has: fewer than four where far strides take
  /// registers.
  int64_t getTileRows() const;

  /// Arguments: left, right and result; the number of tiles of rows and of
  /// columns; then Uniform: m and a, OfRows: the rows'
  /// sums, n and a.
  unsigned getNumArguments() const {
    return scaling == Scaling::OfRows ? 8 : scaling == Scaling::Uniform ? 7 : 5;
  }

  /// Fills a function with these arguments.
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTKERNEL_H
