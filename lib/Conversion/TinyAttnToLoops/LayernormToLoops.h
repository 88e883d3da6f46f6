// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H

#include "LoopBuilder.h"

namespace mlir::tinyattn {

/// I of the op's formula, from Σx and Σx² of a row.
Value buildInverseDeviation(LoopBuilder &b, LayernormOp op, Value sum,
                            Value squares);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LAYERNORMTOLOOPS_H
