// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes an attention layer as the loops of a schedule.

#ifndef TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_TILEATTENTION_H
#define TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_TILEATTENTION_H

#include "TinyFormer/Transforms/AttentionSchedule.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {

/// Replaces the quantised attention op by the loops of `schedule`, which is not
/// `None`.
LogicalResult tileAttention(RewriterBase &rewriter, Operation *attention,
                            const tinyformer::Schedule &schedule);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_DEPTHFIRSTTILE_TILEATTENTION_H
