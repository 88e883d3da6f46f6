// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the cores of a cluster share a matrix product. Free of MLIR's values.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTSPLIT_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTSPLIT_H

#include "ProductKernel.h"

namespace mlir::tinyattn::pulp {

/// The same product for each head.
struct ProductShape {
  int64_t heads, rows, columns;
  int64_t resultHead; // bytes from one head to the next
  /// Heads lie side by side in the rows of the result.
  bool merged;
  /// The result starts at a word.
  bool aligned;
};

/// Items of work are some heads, or a block of the columns of a head. Units are
/// an item's tiles of rows, and the rows that are left over.
struct ProductSplit {
  /// Heads of an item, which divide the heads.
  int64_t heads;
  /// Blocks of the columns, and whole tiles of columns in each but the last
  /// one, which has what is left.
  int64_t blocks, blockTiles;
  int64_t units;
  /// Share c is the units from starts[c] to starts[c + 1] - 1, counted through
  /// all items, with the blocks of one head before the next head.
  std::vector<int64_t> starts;
  /// Of the largest share, as estimated.
  double cycles;

  /// Whether no item has two cores.
  bool hasWholeItems() const {
    return llvm::all_of(starts,
                        [&](int64_t start) { return start % units == 0; });
  }
};

/// The split with the smallest estimate. No word of the result is in two
/// shares.
ProductSplit splitProduct(const ProductKernel &kernel,
                          const ProductShape &shape, int64_t cores);

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTSPLIT_H
