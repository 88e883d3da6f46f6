// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackLayers.h"
#include "Patches.h"

#include "TinyFormer/Support/Constants.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tinyattn;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

static void pack(ConvOp op, const PackableLinear &linear,
                 PanelConstants &constants) {
  BlockBuilder b(op.getLoc(), op);
  PanelConstants::Panel weights =
      constants.getWeights(b, linear, /*interleaved=*/false);
  int64_t patches = getPatches(op), depth = linear.depth;
  unrollConvolution(
      op, tinyformer::getPackRows(patches, depth),
      [&](BlockBuilder &b, int64_t rows) {
        return b.empty({llvm::divideCeil(rows, 2), depth / 2, 2}, 32);
      },
      [&](BlockBuilder &b, Value panel, Value tile) {
        return PackedLinearOp::create(b, tile.getType(), panel, weights.value,
                                      tile, PanelLayout::Rows, weights.form,
                                      /*result_form=*/PanelFormAttr(),
                                      op.getRequantAttr())
            .getResult(0);
      });
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
