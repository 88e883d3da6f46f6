// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

Value tinyattn::forParts(OpBuilder &b, Location loc, int64_t total,
                         int64_t step, Value carried,
                         llvm::function_ref<Value(Part, Value)> body) {
  int64_t rest = total % step;
  if (total - rest == step) {
    carried = body({b.getIndexAttr(0), step}, carried);
  } else {
    auto index = [&](int64_t value) {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    auto loop = scf::ForOp::create(b, loc, index(0), index(total - rest),
                                   index(step), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value next =
        body({loop.getInductionVar(), step}, loop.getRegionIterArgs().front());
    scf::YieldOp::create(b, loc, next);
    carried = loop.getResult(0);
  }
  if (rest != 0)
    carried = body({b.getIndexAttr(total - rest), rest}, carried);
  return carried;
}

Value tinyattn::createEmptyTile(OpBuilder &b, tensor::ExtractSliceOp slice) {
  if (!slice.getSource().getDefiningOp<tensor::EmptyOp>())
    return nullptr;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(slice);
  return tensor::EmptyOp::create(b, slice.getLoc(), slice.getType().getShape(),
                                 slice.getType().getElementType());
}
