// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H

#include "LoopBuilder.h"

namespace mlir::tinyattn {

/// ⌊√value⌋ of 32 unsigned bits.
Value buildRoot(LoopBuilder &b, Value value);

/// V' = ⌈(K·Σx² - S² + ε) / 2^(2v)⌉, 32 bits. With v = 0, V itself has 32 bits
/// and it does not matter if its terms wrap.
Value buildVariance(LoopBuilder &b, int64_t width, int64_t epsilon, Value sum,
                    Value squares);

/// I of the op's formula, from Σx and Σx² of a row.
Value buildInverseDeviation(LoopBuilder &b, LayernormOp op, Value sum,
                            Value squares);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H
