// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Cores.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

int64_t tinyattn::getCores(Operation *op) {
  auto module = op->getParentOfType<ModuleOp>();
  auto target = module ? module->getAttrOfType<TargetAttr>(kTarget) : nullptr;
  return target ? target.getCores() : 1;
}

bool tinyattn::startsAtWord(Value memRef) {
  auto type = cast<MemRefType>(memRef.getType());
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  auto isWhole = [&](int64_t elements) {
    return !ShapedType::isDynamic(elements) && elements * bytes % 4 == 0;
  };
  SmallVector<int64_t> strides;
  int64_t offset;
  auto slice = memRef.getDefiningOp<memref::SubViewOp>();
  // Buffers begin with a word.
  if (!slice)
    return succeeded(type.getStridesAndOffset(strides, offset)) &&
           isWhole(offset);
  if (!startsAtWord(slice.getSource()) ||
      failed(slice.getSourceType().getStridesAndOffset(strides, offset)))
    return false;
  for (auto [position, stride] :
       llvm::zip_equal(slice.getMixedOffsets(), strides)) {
    int64_t distance = getConstantIntValue(position).value_or(1);
    if (ShapedType::isDynamic(stride) || !isWhole(distance * stride))
      return false;
  }
  return true;
}

void tinyattn::forEachCore(ImplicitLocOpBuilder &b, int64_t cores,
                           llvm::function_ref<void(Value)> body) {
  SmallVector<OpFoldResult> bounds{b.getIndexAttr(cores)};
  auto forall = scf::ForallOp::create(b, bounds, ValueRange(), std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  body(forall.getInductionVar(0));
}

Value tinyattn::getEvenShare(ImplicitLocOpBuilder &b, Value core, int64_t cores,
                             int64_t count) {
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  if (count % cores == 0)
    return arith::MulIOp::create(b, core, index(count / cores));
  Value product = arith::MulIOp::create(b, core, index(count));
  return arith::DivUIOp::create(b, product, index(cores));
}

Value tinyattn::getNextCore(ImplicitLocOpBuilder &b, Value core) {
  // So that a loop from one number to the next has one round.
  constexpr auto exact =
      arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;
  return arith::AddIOp::create(b, core, arith::ConstantIndexOp::create(b, 1),
                               exact);
}

int64_t tinyattn::getRowsOfWords(Value memRef, int64_t stride) {
  if (!startsAtWord(memRef))
    return 0;
  return stride % 4 == 0 ? 1 : stride % 2 == 0 ? 2 : 4;
}

void tinyattn::shareRows(ImplicitLocOpBuilder &b, int64_t cores, int64_t rows,
                         int64_t together,
                         llvm::function_ref<void(Value, Value)> call) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  if (cores == 1 || together == 0)
    return call(index(0), index(rows));
  int64_t pieces = llvm::divideCeil(rows, together);
  auto getBound = [&](Value core) -> Value {
    Value piece = getEvenShare(b, core, cores, pieces);
    if (together == 1)
      return piece;
    Value row = arith::MulIOp::create(b, piece, index(together));
    return arith::MinUIOp::create(b, row, index(rows));
  };
  forEachCore(b, cores, [&](Value core) {
    Value first = getBound(core), end = getBound(getNextCore(b, core));
    Value count = arith::SubIOp::create(b, end, first);
    if (pieces >= cores)
      return call(first, count);
    Value any =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, count, index(0));
    auto op = scf::IfOp::create(b, any);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.thenBlock());
    call(first, count);
  });
}
