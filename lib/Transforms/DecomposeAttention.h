// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What attention consists of, for the passes that take it apart.

#ifndef TINYFORMER_LIB_TRANSFORMS_DECOMPOSEATTENTION_H
#define TINYFORMER_LIB_TRANSFORMS_DECOMPOSEATTENTION_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// The structured ops of one attention layer, in their order. With fused
/// weights `key` and `value` are null: the keys are the input, and the values
/// are what `transpose` makes of it, which is null without.
struct AttentionParts {
  LinearOp query, key, value;
  TransposeOp transpose;
  MatmulOp scores;
  SoftmaxOp softmax;
  MatmulOp context;
  LinearOp output;
};

/// Creates the parts of an `mhsa` or `fused_mhsa`, whose result is that of
/// `output`. Fails, with a message, if the op is not quantised.
FailureOr<AttentionParts> decomposeAttention(OpBuilder &builder,
                                             Operation *attention);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_DECOMPOSEATTENTION_H
