// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that the structured ops have in common.

#ifndef TINYFORMER_LIB_DIALECT_TINYATTN_STRUCTUREDVERIFIERS_H
#define TINYFORMER_LIB_DIALECT_TINYATTN_STRUCTUREDVERIFIERS_H

#include "VerifierUtils.h"

namespace mlir::tinyattn {

/// Input and destination are both i8 or both f32.
inline LogicalResult verifyActivations(Operation *op, ValueRange values) {
  Type element = shaped(values.front()).getElementType();
  for (Value value : values.drop_front())
    if (failed(verifyElementType(op, "every activation", value, element)))
      return failure();
  return success();
}

inline bool isInt8(Value value) {
  return shaped(value).getElementType().isInteger(8);
}

/// Ops that requantise carry `requant` exactly on i8; its own multiplier is
/// there exactly if the op has no operand for them.
inline LogicalResult verifyRequant(Operation *op,
                                   std::optional<RequantAttr> requant,
                                   bool quantized, bool ownMultiplier) {
  if (failed(verifyPresence(op, "requant", requant.has_value(), quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  if (!requant)
    return success();
  return verifyPresence(op, "multiplier in requant",
                        requant->getMultiplier() != 0, ownMultiplier,
                        ownMultiplier ? "on i8" : "beside its own multipliers");
}

/// The weight, bias and multipliers of `linear` and `conv`.
inline LogicalResult verifyWeights(Operation *op, Value weight, Value bias,
                                   Value multipliers, bool quantized,
                                   int64_t channels) {
  MLIRContext *context = op->getContext();
  if (failed(verifyElementType(op, "weight", weight,
                               activationType(context, quantized))) ||
      failed(
          verifyElementType(op, "bias", bias, biasType(context, quantized))) ||
      failed(verifyShape(op, "bias", bias, {channels})) ||
      failed(verifyPresence(op, "multipliers", bool(multipliers), quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  if (!multipliers)
    return success();
  return verifyShape(op, "multipliers", multipliers, {channels});
}

/// The addends beside `count` multipliers.
inline LogicalResult verifyOffsets(Operation *op, Value offsets, bool quantized,
                                   int64_t count) {
  if (!offsets)
    return success();
  if (failed(verifyPresence(op, "offsets", true, quantized, "on f32")))
    return failure();
  return verifyShape(op, "offsets", offsets, {count});
}

/// The table of 256 bytes of `lookup` and `softmax`.
inline LogicalResult verifyTable(Operation *op, Value table, bool quantized) {
  if (failed(verifyPresence(op, "table", bool(table), quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  return table ? verifyShape(op, "table", table, {256}) : success();
}

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_DIALECT_TINYATTN_STRUCTUREDVERIFIERS_H
