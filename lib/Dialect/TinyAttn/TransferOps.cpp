// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifier of copies beside the computation.

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// Elements of the last dimensions follow each other without gaps; the first
/// one may begin anywhere.
static LogicalResult verifyDense(TransferStartOp op, StringRef name,
                                 MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset, distance = 1;
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(strides, offset)))
    return op.emitOpError() << name << " needs a static shape, got " << type;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    if (type.getDimSize(i) != 1 && strides[i] != distance)
      return op.emitOpError() << name << " must have no gaps, got " << type;
    distance *= type.getDimSize(i);
  }
  return success();
}

LogicalResult TransferStartOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  auto destination = cast<MemRefType>(getDestination().getType());
  if (source.getShape() != destination.getShape() ||
      source.getElementType() != destination.getElementType())
    return emitOpError() << "copies between different shapes: " << source
                         << " and " << destination;
  if (failed(verifyDense(*this, "source", source)))
    return failure();
  return verifyDense(*this, "destination", destination);
}
