// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackLayers.h"

#include "TinyFormer/Support/Constants.h"
#include "TinyFormer/Support/Locations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::tinyattn;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

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

static void pack(ConvOp op, const PackableLinear &linear,
                 PanelConstants &constants) {
  BlockBuilder b(op.getLoc(), op);
  Value input = createPadded(b, op);
  b.setLoc(op.getLoc());
  PanelConstants::Panel weights =
      constants.getWeights(b, linear, /*interleaved=*/false);
  ArrayRef<int64_t> shape = getShape(op.getResult(0));
  int64_t rows = shape[0] * shape[1];
  Value whole = b.empty({rows, shape[2]}, 8);
  auto body = [&](const RowBlock &block,
                  ValueRange carried) -> SmallVector<Value> {
    Location loc = op.getLoc();
    b.setLoc(appendToName(loc, "pack"));
    Value init =
        b.empty({llvm::divideCeil(block.rows, 2), linear.depth / 2, 2}, 32);
    Value first = getIndex(b, b.multiply(block.firstPair, 2));
    Value patches = PackPatchesOp::create(b, init.getType(), input, first, init,
                                          op.getChannelsFirst(), block.rows,
                                          getShape(op.getWeight()).slice(1, 2),
                                          op.getStrides())
                        .getResult(0);
    b.setLoc(loc);
    Value tile = b.slice(carried.front(), block, RowDimension());
    tile = PackedLinearOp::create(b, tile.getType(), patches, weights.value,
                                  tile, PanelLayout::Rows, weights.form,
                                  /*result_form=*/PanelFormAttr(),
                                  op.getRequantAttr())
               .getResult(0);
    return {b.insert(tile, carried.front(), block, RowDimension())};
  };
  Value tokens = b.forBlocks(rows, tinyformer::getPackRows(rows, linear.depth),
                             whole, body)
                     .front();
  SmallVector<ReassociationIndices> dimensions{{0, 1}, {2}};
  Value result = tensor::ExpandShapeOp::create(b, op.getResult(0).getType(),
                                               tokens, dimensions);
  op.getResult(0).replaceAllUsesWith(result);
  op.erase();
}

void tinyattn::packConvolutions(FunctionOpInterface function,
                                PanelConstants &constants) {
  SmallVector<ConvOp> ops;
  function.walk([&](ConvOp op) { ops.push_back(op); });
  for (ConvOp op : ops)
    if (std::optional<PackableLinear> linear = getPackable(op))
      pack(op, *linear, constants);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static bool isPackable(SoftmaxOp op) {
  return op.getNumResults() == 1 && op.getTable() &&
         getConstantAttribute(op.getTable()) &&
         llvm::all_of(op->getUsers(), [](Operation *user) {
           auto lookup = dyn_cast<LookupOp>(user);
           return lookup && lookup.getTable() &&
                  getConstantAttribute(lookup.getTable());
         });
}

void tinyattn::packSoftmaxes(FunctionOpInterface function,
                             PanelConstants &constants) {
  SmallVector<SoftmaxOp> ops;
  function.walk([&](SoftmaxOp op) {
    if (isPackable(op))
      ops.push_back(op);
  });
  for (SoftmaxOp op : ops) {
    // A table that only changes the sign changes nothing then, and goes.
    for (Operation *user : op->getUsers()) {
      auto lookup = cast<LookupOp>(user);
      lookup.getTableMutable().assign(
          constants.getRotated(lookup.getLoc(), lookup.getTable()));
    }
    OpBuilder b(op);
    Value result =
        NormalizedSoftmaxOp::create(
            b, op.getLoc(), op.getResultTypes(), op.getInput(),
            constants.getReversed(op.getLoc(), op.getTable()), op.getInits())
            .getResult(0);
    op.getResult(0).replaceAllUsesWith(result);
    op.erase();
  }
}
