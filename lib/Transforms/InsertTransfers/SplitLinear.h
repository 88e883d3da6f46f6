// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_SPLITLINEAR_H
#define TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_SPLITLINEAR_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// Makes for `op`, which works on memrefs, one before it for each part of its
/// channels: some heads, or columns in whole tiles of four, whose weights take
/// up to `partBytes` bytes if that is enough for one head or tile. Returns them
/// in the order of execution; `op` itself if there is nothing to split,
/// otherwise that is to be erased.
SmallVector<WordLinearOp> splitLinear(WordLinearOp op, int64_t partBytes);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_SPLITLINEAR_H
