// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passes that tile along rows have in common.

#ifndef TINYFORMER_LIB_TRANSFORMS_ROWTILES_H
#define TINYFORMER_LIB_TRANSFORMS_ROWTILES_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace mlir::tinyattn {

/// A range of heads or of rows, of a size that is known at compile time.
struct Part {
  OpFoldResult offset;
  int64_t size;
};

/// Runs `body` for parts of `step` of [0, total): in a loop, and once more for
/// what is left over. `carried` goes through all of them.
Value forParts(OpBuilder &b, Location loc, int64_t total, int64_t step,
               Value carried, llvm::function_ref<Value(Part, Value)> body);

/// For a part of an empty tensor a smaller one in its place, else null.
Value createEmptyTile(OpBuilder &b, tensor::ExtractSliceOp slice);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_ROWTILES_H
