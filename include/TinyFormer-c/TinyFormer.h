// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the Python bindings need of TinyFormer, in MLIR's C style.

#ifndef TINYFORMER_C_TINYFORMER_H
#define TINYFORMER_C_TINYFORMER_H

#include "mlir-c/IR.h"
#include "mlir-c/Support.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Registers TinyFormer's dialects and those that its pipelines use.
MLIR_CAPI_EXPORTED void
tinyformerRegisterDialects(MlirDialectRegistry registry);

/// Registers TinyFormer's passes and phases, once a process.
MLIR_CAPI_EXPORTED void tinyformerRegisterPasses(void);

/// Calls back with the bytes of a dense or dense_resource attribute (little
/// endian, splats spelled out); fails on anything else.
MLIR_CAPI_EXPORTED MlirLogicalResult tinyformerGetElementBytes(
    MlirAttribute attribute, MlirStringCallback callback, void *userData);

/// The fields of a #tinyattn.requant; fails on another attribute.
MLIR_CAPI_EXPORTED MlirLogicalResult
tinyformerGetRequantFields(MlirAttribute attribute, int32_t *multiplier,
                           int32_t *shift, int32_t *zeroPoint, bool *wide);

/// Plans an arena for `count` buffers, each with its size in bytes, inclusive
/// lifetime and alignment (a power of two). Writes an offset a buffer.
MLIR_CAPI_EXPORTED void
tinyformerPlanMemory(intptr_t count, const uint64_t *sizes,
                     const uint32_t *starts, const uint32_t *ends,
                     const uint64_t *alignments, uint64_t *offsets,
                     uint64_t *arenaSize, uint64_t *lowerBound);

/// The same for several memories, the preferred one first. Writes a memory's
/// index and an offset a buffer, a size and a lower bound a memory; fails if no
/// way was found.
MLIR_CAPI_EXPORTED MlirLogicalResult tinyformerSpreadMemory(
    intptr_t count, const uint64_t *sizes, const uint32_t *starts,
    const uint32_t *ends, const uint64_t *alignments, intptr_t memoryCount,
    const uint64_t *capacities, uint32_t *memories, uint64_t *offsets,
    uint64_t *arenaSizes, uint64_t *lowerBounds);

/// Calls back with the textual LLVM IR of a module in the llvm dialect.
MLIR_CAPI_EXPORTED MlirLogicalResult tinyformerTranslateToLLVMIR(
    MlirOperation module, MlirStringCallback callback, void *userData);

#ifdef __cplusplus
}
#endif

#endif // TINYFORMER_C_TINYFORMER_H
