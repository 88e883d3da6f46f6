// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Pipelines/Phases.h"

#include "TinyFormer/Conversion/Passes.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tinyattn;

static void verifyPhase(OpPassManager &pm, StringRef phase) {
  VerifyPhaseOptions options;
  options.phase = phase.str();
  pm.addPass(createVerifyPhase(options));
}

void tinyattn::buildFusePhase(OpPassManager &pm,
                              const FusePhaseOptions &options) {
  pm.addNestedPass<func::FuncOp>(createNarrowToSlices());
  FuseWeightsOptions fuse;
  fuse.mode = options.mode;
  fuse.optimize = options.optimize;
  pm.addNestedPass<func::FuncOp>(createFuseWeights(fuse));
  pm.addPass(createCanonicalizerPass());
  verifyPhase(pm, "fuse");
}

void tinyattn::buildQuantizePhase(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createQuantize());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  verifyPhase(pm, "quantize");
}

void tinyattn::buildTilePhase(OpPassManager &pm, const TileOptions &options) {
  DepthFirstTileOptions tile;
  tile.tile = options.tile;
  tile.optimize = options.optimize;
  tile.schedule = options.schedule;
  tile.explain = options.explain;
  pm.addNestedPass<func::FuncOp>(createDepthFirstTile(tile));
  TileFeedForwardOptions feedForward;
  feedForward.tile = options.tile;
  feedForward.optimize = options.optimize;
  pm.addNestedPass<func::FuncOp>(createTileFeedForward(feedForward));
  pm.addNestedPass<func::FuncOp>(createDecomposeAttention());
  pm.addNestedPass<func::FuncOp>(createDecomposeConcat());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createPackOperands());
  pm.addNestedPass<func::FuncOp>(createPackWords());
  // Plain weights die here. Without common subexpressions: a panel is shared
  // where the pass says so, and otherwise better made again than kept.
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createMoveRows());
  pm.addNestedPass<func::FuncOp>(createSeparateDestinations());
  pm.addNestedPass<func::FuncOp>(createReuseDestinations());
  verifyPhase(pm, "tile");
}

void tinyattn::buildBufferizePhase(OpPassManager &pm,
                                   const BufferizeOptions &options) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  // The planner aligns buffers; the default would be 64 bytes for each.
  bufferize.bufferAlignment = 0;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // Loops hand on the buffer that they were given: now it is returned as such.
  pm.addPass(createCanonicalizerPass());
  bufferization::BufferResultsToOutParamsPassOptions results;
  results.modifyPublicFunctions = true;
  results.hoistStaticAllocs = true;
  pm.addPass(bufferization::createBufferResultsToOutParamsPass(results));
  // In this order: copies of a slice onto itself fold once both are one value.
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createInsertTransfers());
  PlanMemoryOptions plan;
  plan.explain = options.explain;
  pm.addPass(createPlanMemory(plan));
  verifyPhase(pm, "bufferize");
}

void tinyattn::buildKernelsPhase(OpPassManager &pm,
                                 const KernelsOptions &options) {
  pm.addPass(createOutlineKernels());
  ConvertTinyAttnToArmDspOptions kernels;
  kernels.unroll = options.unroll;
  pm.addPass(createConvertTinyAttnToArmDsp(kernels));
  pm.addPass(createConvertTinyAttnToXpulp());
  pm.addPass(createConvertTransfersToCalls());
  pm.addNestedPass<func::FuncOp>(createConvertTinyAttnToLoops());
  pm.addPass(createDispatchCores());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  verifyPhase(pm, "kernels");
}

void tinyattn::buildLLVMPhase(OpPassManager &pm) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertArmDspToLLVM());
  pm.addPass(createConvertXpulpToLLVM());
  pm.addPass(createConvertToLLVM());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  verifyPhase(pm, "llvm");
}

void tinyattn::registerPipelines() {
  PassPipelineRegistration<FusePhaseOptions>(
      "tinyformer-fuse", "Phase: fuse the weights of attention where it pays",
      buildFusePhase);
  PassPipelineRegistration<>("tinyformer-quantize",
                             "Phase: floats with calibrated ranges to integers",
                             buildQuantizePhase);
  PassPipelineRegistration<TileOptions>(
      "tinyformer-tile", "Phase: attention to structured ops, depth-first",
      buildTilePhase);
  PassPipelineRegistration<BufferizeOptions>(
      "tinyformer-bufferize", "Phase: tensors to buffers in planned arenas",
      buildBufferizePhase);
  PassPipelineRegistration<KernelsOptions>(
      "tinyformer-kernels",
      "Phase: structured ops to kernels or loops, a function each",
      buildKernelsPhase);
  PassPipelineRegistration<>("tinyformer-llvm",
                             "Phase: everything to the llvm dialect",
                             buildLLVMPhase);
  PassPipelineRegistration<TileOptions>(
      "tinyformer-compile",
      "The phases behind calibration, from quantize to llvm",
      [](OpPassManager &pm, const TileOptions &tile) {
        buildQuantizePhase(pm);
        buildTilePhase(pm, tile);
        buildBufferizePhase(pm, BufferizeOptions());
        buildKernelsPhase(pm, KernelsOptions());
        buildLLVMPhase(pm);
      });
}
