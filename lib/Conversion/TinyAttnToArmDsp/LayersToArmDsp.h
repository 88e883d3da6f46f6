// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERSTOARMDSP_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERSTOARMDSP_H

#include "LayerBuilder.h"

namespace mlir::tinyattn {

/// Replaces a lookup, an add or a layernorm by calls of kernels. Fails, without
/// a diagnostic and without a trace, if there is none for it.
LogicalResult lowerLayer(Operation *op, ArmDspLowering &lowering);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_LAYERSTOARMDSP_H
