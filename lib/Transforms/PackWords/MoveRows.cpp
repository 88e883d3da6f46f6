// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../PackOperands/BlockBuilder.h"
#include "../PackOperands/Packable.h"

#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/NearMemory.h"
#include "TinyFormer/Transforms/Passes.h"
#include "TinyFormer/Transforms/WordPanels.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_MOVEROWS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// As a whole, or some rows of it.
bool isReadByProducts(OpOperand &use) {
  Operation *user = use.getOwner();
  if (isa<tensor::ExtractSliceOp>(user))
    return llvm::all_of(user->getUses(), isReadByProducts);
  return isa<WordLinearOp, MatmulOp>(user) &&
         cast<DestinationStyleOpInterface>(user).isDpsInput(&use);
}

/// Copies an input of the network into rows of different banks, for the
/// products that read it. A large one may not have room twice.
void moveRows(func::FuncOp function, TargetAttr target, Value input) {
  auto type = dyn_cast<RankedTensorType>(input.getType());
  if (!type || type.getRank() != 2 || !type.getElementType().isInteger(8) ||
      !shouldMoveRows(target, type.getDimSize(1)) ||
      type.getNumElements() > int64_t(NearMemory(target).capacity / 8))
    return;
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : input.getUses())
    if (isReadByProducts(use))
      uses.push_back(&use);
  if (uses.empty())
    return;
  BlockBuilder b(appendToName(function.getLoc(), "move"),
                 &function.getFunctionBody().front().front());
  int64_t rows = type.getDimSize(0), width = type.getDimSize(1);
  Value wide = b.empty({rows, tinyformer::getWordRowBytes(width)}, 8);
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)),
      strides(2, b.getIndexAttr(1)),
      sizes{b.getIndexAttr(rows), b.getIndexAttr(width)};
  wide = tensor::InsertSliceOp::create(b, input, wide, offsets, sizes, strides);
  Value moved =
      tensor::ExtractSliceOp::create(b, wide, offsets, sizes, strides);
  for (OpOperand *use : uses)
    use->set(moved);
}

struct MoveRows : impl::MoveRowsBase<MoveRows> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto target =
        function->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
            kTarget);
    if (function.isExternal())
      return;
    for (Value argument : function.getArguments())
      moveRows(function, target, argument);
  }
};

} // namespace
} // namespace mlir::tinyattn
