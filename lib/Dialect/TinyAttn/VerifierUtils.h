// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that the op verifiers share; every failure names the numbers.

#ifndef TINYFORMER_LIB_DIALECT_TINYATTN_VERIFIERUTILS_H
#define TINYFORMER_LIB_DIALECT_TINYATTN_VERIFIERUTILS_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// `value` must have exactly `shape`; dynamic dimensions fit anything.
LogicalResult verifyShape(Operation *op, StringRef name, Value value,
                          ArrayRef<int64_t> shape);

/// `value` must have `rank` dimensions.
LogicalResult verifyRank(Operation *op, StringRef name, Value value,
                         int64_t rank);

/// The elements of `value` must be of type `type`.
LogicalResult verifyElementType(Operation *op, StringRef name, Value value,
                                Type type);

/// `value` is there exactly if `expected`; `when` completes the sentence.
LogicalResult verifyPresence(Operation *op, StringRef name, bool present,
                             bool expected, StringRef when);

/// Number of destinations, and no mixture of tensors and memrefs.
LogicalResult verifyDestinations(Operation *op, unsigned minInits,
                                 unsigned maxInits);

/// i8 if quantised, else f32.
Type activationType(MLIRContext *context, bool quantized);
/// i32 if quantised, else f32.
Type biasType(MLIRContext *context, bool quantized);

inline ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_DIALECT_TINYATTN_VERIFIERUTILS_H
