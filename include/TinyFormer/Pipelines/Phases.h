// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases of the compiler, one function each. The phase `import` is the
// Python importer, and calibration stands between `fuse` and `quantize`; every
// phase ends with `tinyattn-verify-phase`.

#ifndef TINYFORMER_PIPELINES_PHASES_H
#define TINYFORMER_PIPELINES_PHASES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::tinyattn {

struct FusePhaseOptions : PassPipelineOptions<FusePhaseOptions> {
  Option<std::string> mode{*this, "mode",
                           llvm::cl::desc("auto, always or never"),
                           llvm::cl::init("auto")};
  Option<std::string> optimize{*this, "optimize",
                               llvm::cl::desc("cycles or size"),
                               llvm::cl::init("cycles")};
};

/// Where fusing the weights of attention pays, fuse them.
void buildFusePhase(OpPassManager &pm, const FusePhaseOptions &options);
/// Floats with calibrated ranges become integers.
void buildQuantizePhase(OpPassManager &pm);
/// Options of the phase `tile`: those of `tinyattn-depth-first-tile`.
struct TileOptions : PassPipelineOptions<TileOptions> {
  Option<std::string> tile{*this, "tile",
                           llvm::cl::desc("auto, none, min, or rows of a tile"),
                           llvm::cl::init("auto")};
  Option<std::string> optimize{
      *this, "optimize", llvm::cl::desc("What auto prefers: cycles or size"),
      llvm::cl::init("cycles")};
  Option<std::string> schedule{
      *this, "schedule", llvm::cl::desc("One kind of schedule only, by name"),
      llvm::cl::init("")};
  Option<bool> explain{*this, "explain",
                       llvm::cl::desc("Leave what was considered in the IR"),
                       llvm::cl::init(false)};
};
/// Attention becomes structured ops, in loops where it is tiled.
void buildTilePhase(OpPassManager &pm, const TileOptions &options);
/// Options of the phase `bufferize`: those of `tinyattn-plan-memory`.
struct BufferizeOptions : PassPipelineOptions<BufferizeOptions> {
  Option<bool> explain{*this, "explain",
                       llvm::cl::desc("Leave the memory plan in the IR"),
                       llvm::cl::init(false)};
};
/// Tensors become buffers in planned arenas.
void buildBufferizePhase(OpPassManager &pm, const BufferizeOptions &options);
/// Options of the phase `kernels`: those of `convert-tinyattn-to-armdsp`.
struct KernelsOptions : PassPipelineOptions<KernelsOptions> {
  Option<int64_t> unroll{
      *this, "unroll",
      llvm::cl::desc("Steps of an inner product that are unrolled"),
      llvm::cl::init(32)};
};
/// Structured ops become kernels or loops, a function each.
void buildKernelsPhase(OpPassManager &pm, const KernelsOptions &options);
/// Everything becomes the llvm dialect.
void buildLLVMPhase(OpPassManager &pm);

/// Registers each phase as a pipeline (`--tinyformer-quantize`, …) and those
/// behind calibration as one (`--tinyformer-compile`).
void registerPipelines();

} // namespace mlir::tinyattn

#endif // TINYFORMER_PIPELINES_PHASES_H
