// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Patches.h"

#include "TinyFormer/Support/Locations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::tinyattn;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

int64_t tinyattn::getPatches(ConvOp op) {
  ArrayRef<int64_t> shape = getShape(op.getResult(0));
  return shape[0] * shape[1];
}

static Value getIndex(OpBuilder &b, OpFoldResult index) {
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return arith::ConstantIndexOp::create(b, b.getUnknownLoc(), *constant);
  return cast<Value>(index);
}

/// The input with its padding around it.
static Value createPadded(BlockBuilder &b, ConvOp op) {
  ArrayRef<int64_t> padding = op.getPadding();
  if (llvm::all_of(padding, [](int64_t size) { return size == 0; }))
    return op.getInput();
  SmallVector<int64_t> shape(getShape(op.getInput())), low(3, 0);
  for (int64_t i : {0, 1}) {
    int64_t dimension = op.getChannelsFirst() ? i + 1 : i;
    shape[dimension] += padding[i] + padding[i + 2];
    low[dimension] = padding[i];
  }
  b.setLoc(appendToName(op.getLoc(), "pad"));
  Value frame = b.empty(shape, 8);
  return PadOp::create(b, frame.getType(), op.getInput(), frame, low,
                       int32_t(*op.getInputZeroPoint()))
      .getResult(0);
}

void tinyattn::unrollConvolution(
    ConvOp op, int64_t step,
    llvm::function_ref<Value(BlockBuilder &, int64_t)> empty,
    llvm::function_ref<Value(BlockBuilder &, Value, Value)> multiply) {
  Location loc = op.getLoc();
  BlockBuilder b(loc, op);
  Value input = createPadded(b, op);
  b.setLoc(loc);
  int64_t patches = getPatches(op);
  Value whole = b.empty({patches, getShape(op.getResult(0)).back()}, 8);
  auto body = [&](const RowBlock &block,
                  ValueRange carried) -> SmallVector<Value> {
    b.setLoc(appendToName(loc, "pack"));
    Value init = empty(b, block.rows);
    Value first = getIndex(b, b.multiply(block.firstPair, 2));
    Value packed = PackPatchesOp::create(b, init.getType(), input, first, init,
                                         op.getChannelsFirst(), block.rows,
                                         getShape(op.getWeight()).slice(1, 2),
                                         op.getStrides())
                       .getResult(0);
    b.setLoc(loc);
    Value tile = b.slice(carried.front(), block, RowDimension());
    tile = multiply(b, packed, tile);
    return {b.insert(tile, carried.front(), block, RowDimension())};
  };
  Value tokens = b.forBlocks(patches, step, whole, body).front();
  SmallVector<ReassociationIndices> dimensions{{0, 1}, {2}};
  Value result = tensor::ExpandShapeOp::create(b, op.getResult(0).getType(),
                                               tokens, dimensions);
  op.getResult(0).replaceAllUsesWith(result);
  op.erase();
}
