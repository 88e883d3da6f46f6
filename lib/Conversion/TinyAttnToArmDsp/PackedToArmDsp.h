// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKEDTOARMDSP_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKEDTOARMDSP_H

#include "LayerBuilder.h"

namespace mlir::tinyattn {

/// Replaces an op on panels by calls of kernels. Fails, without a diagnostic,
/// if there is no kernel for its shapes or strides: loops will do.
LogicalResult lowerPackedOp(Operation *op, ArmDspLowering &lowering);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKEDTOARMDSP_H
