// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases of the compiler, one function each. The phase `import` is the
// Python importer; every phase ends with `tinyattn-verify-phase`.

#ifndef TINYFORMER_PIPELINES_PHASES_H
#define TINYFORMER_PIPELINES_PHASES_H

#include "mlir/Pass/PassManager.h"

namespace mlir::tinyattn {

/// Where fusing the weights of attention pays, fuse them.
void buildFusePhase(OpPassManager &pm);
/// Floats with calibrated ranges become integers.
void buildQuantizePhase(OpPassManager &pm);
/// Attention becomes structured ops.
void buildTilePhase(OpPassManager &pm);
/// Tensors become buffers in planned arenas.
void buildBufferizePhase(OpPassManager &pm);
/// Structured ops become loops, a function each.
void buildKernelsPhase(OpPassManager &pm);
/// Everything becomes the llvm dialect.
void buildLLVMPhase(OpPassManager &pm);

/// Registers each phase as a pipeline (`--tinyformer-quantize`, …) and their
/// concatenation (`--tinyformer-compile`).
void registerPipelines();

} // namespace mlir::tinyattn

#endif // TINYFORMER_PIPELINES_PHASES_H
