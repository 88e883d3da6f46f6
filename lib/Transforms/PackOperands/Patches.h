// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions as matrix products of patches.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PATCHES_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PATCHES_H

#include "BlockBuilder.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// How many patches a convolution has.
int64_t getPatches(ConvOp op);

/// Replaces `op` by products of `step` patches each, an even number or all of
/// them. `empty` makes the destination of so many patches, `multiply` fills a
/// tile of the result, a row for each patch.
void unrollConvolution(
    ConvOp op, int64_t step,
    llvm::function_ref<Value(BlockBuilder &, int64_t rows)> empty,
    llvm::function_ref<Value(BlockBuilder &, Value patches, Value tile)>
        multiply);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PATCHES_H
