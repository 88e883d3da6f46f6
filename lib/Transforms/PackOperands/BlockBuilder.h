// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over blocks of rows, and the slices that they work on.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_BLOCKBUILDER_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_BLOCKBUILDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tinyattn {

/// Some rows, from an even one on.
struct RowBlock {
  OpFoldResult firstPair;
  int64_t rows;
  bool isAll;
};

/// Where rows are in a tensor: a dimension, of rows or of pairs of rows.
struct RowDimension {
  unsigned dimension = 0;
  bool inPairs = false;
};

class BlockBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// Runs `body` for blocks of `step` of `rows` rows, an even number or all: in
  /// a loop, and once more for what is left over. `carried` goes through all of
  /// them.
  SmallVector<Value>
  forBlocks(int64_t rows, int64_t step, ValueRange carried,
            llvm::function_ref<SmallVector<Value>(const RowBlock &, ValueRange)>
                body);

  /// The rows of `block`, and the way back.
  Value slice(Value whole, const RowBlock &block, RowDimension rows);
  Value insert(Value tile, Value whole, const RowBlock &block,
               RowDimension rows);

  /// `size` elements along a dimension from `offset` on.
  Value slice(Value whole, unsigned dimension, OpFoldResult offset,
              int64_t size);

  Value empty(ArrayRef<int64_t> shape, unsigned bits);
  OpFoldResult multiply(OpFoldResult value, int64_t factor);
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_BLOCKBUILDER_H
