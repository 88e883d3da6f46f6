// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tinyattn dialect: everything that its users include.

#ifndef TINYFORMER_DIALECT_TINYATTN_TINYATTN_H
#define TINYFORMER_DIALECT_TINYATTN_TINYATTN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttnDialect.h.inc"
#include "TinyFormer/Dialect/TinyAttn/TinyAttnEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "TinyFormer/Dialect/TinyAttn/TinyAttnAttrs.h.inc"

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/TinyAttn/TinyAttnOps.h.inc"

namespace mlir::tinyattn {

/// Names of the discardable attributes (described with the dialect).
inline constexpr llvm::StringLiteral kRange = "tinyattn.range";
inline constexpr llvm::StringLiteral kQueryAbsMax = "tinyattn.query_absmax";
inline constexpr llvm::StringLiteral kKeyAbsMax = "tinyattn.key_absmax";
inline constexpr llvm::StringLiteral kValueAbsMax = "tinyattn.value_absmax";
inline constexpr llvm::StringLiteral kScoresRange = "tinyattn.scores_range";
inline constexpr llvm::StringLiteral kContextRange = "tinyattn.context_range";
inline constexpr llvm::StringLiteral kWeightScales = "tinyattn.weight_scales";
inline constexpr llvm::StringLiteral kScale = "tinyattn.scale";
inline constexpr llvm::StringLiteral kZeroPoint = "tinyattn.zero_point";
inline constexpr llvm::StringLiteral kArena = "tinyattn.arena";
inline constexpr llvm::StringLiteral kArenaLowerBound =
    "tinyattn.arena_lower_bound";
inline constexpr llvm::StringLiteral kSchedules = "tinyattn.schedules";
inline constexpr llvm::StringLiteral kPlan = "tinyattn.plan";
inline constexpr llvm::StringLiteral kTarget = "tinyattn.target";
inline constexpr llvm::StringLiteral kFeedForward = "tinyattn.feed_forward";
inline constexpr llvm::StringLiteral kFusion = "tinyattn.fusion";
inline constexpr llvm::StringLiteral kNarrowed = "tinyattn.narrowed";

/// Lets one-shot bufferization rewrite the structured ops onto memrefs.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

/// Lets upstream's tiling take tiles of the structured ops.
void registerTilingInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::tinyattn

#endif // TINYFORMER_DIALECT_TINYATTN_TINYATTN_H
