// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and making the constants that hold weights, whichever way they are
// stored (dense or dense_resource).

#ifndef TINYFORMER_SUPPORT_CONSTANTS_H
#define TINYFORMER_SUPPORT_CONSTANTS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::tinyattn {

/// The bytes of a dense or dense_resource attribute, little-endian, one
/// element after the other; a splat is spelled out. Fails on other attributes
/// and on a resource that is missing or of the wrong size.
FailureOr<SmallVector<char>> getElementBytes(Attribute attribute);

/// The attribute of the constant that defines `value`, or null.
Attribute getConstantAttribute(Value value);

/// The elements of the constant that defines `value`. Fails if there is none.
template <typename T> FailureOr<SmallVector<T>> getConstant(Value value) {
  FailureOr<SmallVector<char>> bytes =
      getElementBytes(getConstantAttribute(value));
  if (failed(bytes) || bytes->size() % sizeof(T) != 0)
    return failure();
  SmallVector<T> elements(bytes->size() / sizeof(T));
  std::memcpy(elements.data(), bytes->data(), bytes->size());
  return elements;
}

/// A dense_resource constant; `name` is made unique in the module.
template <typename T>
Value createConstant(OpBuilder &builder, Location loc, ArrayRef<T> elements,
                     ArrayRef<int64_t> shape, StringRef name) {
  Type element = std::is_floating_point_v<T>
                     ? Type(builder.getF32Type())
                     : Type(builder.getIntegerType(sizeof(T) * 8));
  auto type = RankedTensorType::get(shape, element);
  auto attribute = DenseResourceElementsAttr::get(
      type, name, HeapAsmResourceBlob::allocateAndCopyInferAlign(elements));
  return arith::ConstantOp::create(builder, loc, type, attribute);
}

} // namespace mlir::tinyattn

#endif // TINYFORMER_SUPPORT_CONSTANTS_H
