// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "../Cores.h"
#include "../TinyAttnToArmDsp/LayerBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Whether four rows or elements of the result end where a word does, and lie
/// behind those that come before them.
static bool isWrittenInOrder(Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  if (op->hasAttr("heads") || (matmul && matmul.getMergeHeads()))
    return false;
  auto writesInOrder = [](Value y) {
    auto strides = getStaticStrides(y);
    return strides && strides->back() == 1 && startsAtWord(y) &&
           (isContiguousFrom(y, 0) ||
            llvm::all_of(llvm::drop_end(*strides),
                         [](int64_t stride) { return stride % 4 == 0; }));
  };
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return writesInOrder(copy.getTarget());
  return llvm::all_of(cast<DestinationStyleOpInterface>(op).getDpsInits(),
                      writesInOrder);
}

LoopBuilder::LoopBuilder(Operation *op, OpBuilder &builder)
    : ImplicitLocOpBuilder(op->getLoc(), builder) {
  if (isa<func::FuncOp>(op->getParentOp()) && isWrittenInOrder(op))
    cores = getCores(op);
}

void LoopBuilder::forEach(ArrayRef<int64_t> shape, Body body) {
  bool outermost = isa<func::FuncOp>(getInsertionBlock()->getParentOp());
  if (outermost && cores > 1)
    return share(shape, body);
  forEachInOrder(shape, {}, body);
}

/// Four indices of the outer loops at a time, with as many of these as it needs
/// to occupy all cores.
void LoopBuilder::share(ArrayRef<int64_t> shape, Body body) {
  constexpr int64_t together = 4;
  int64_t count = 1, outer = 0;
  while (outer < int64_t(shape.size()) && count < 2 * together * cores)
    count *= shape[outer++];
  forEachCore(*this, cores, [&](Value core) {
    int64_t pieces = llvm::divideCeil(count, together);
    auto getBound = [&](Value core) -> Value {
      Value piece = getEvenShare(*this, core, cores, pieces);
      return mul(piece, index(together));
    };
    Value begin = getBound(core), end = getBound(getNextCore(*this, core));
    if (count % together != 0)
      end = arith::MinUIOp::create(*this, end, index(count));
    auto loop = scf::ForOp::create(*this, begin, end, index(1));
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(loop.getBody());
    SmallVector<Value> indices(outer);
    Value rest = loop.getInductionVar();
    for (int64_t i = outer; --i > 0;) {
      indices[i] = arith::RemUIOp::create(*this, rest, index(shape[i]));
      rest = arith::DivUIOp::create(*this, rest, index(shape[i]));
    }
    indices[0] = rest;
    forEachInOrder(shape.drop_front(outer), indices, body);
  });
}

void LoopBuilder::forEachInOrder(ArrayRef<int64_t> shape, ValueRange outer,
                                 Body body) {
  OpBuilder::InsertionGuard guard(*this);
  Scalars indices(outer);
  for (int64_t size : shape) {
    auto loop = scf::ForOp::create(*this, index(0), index(size), index(1));
    indices.push_back(loop.getInductionVar());
    setInsertionPointToStart(loop.getBody());
  }
  body(indices);
}

LoopBuilder::Scalars
LoopBuilder::reduce(int64_t size, ValueRange inits,
                    llvm::function_ref<Scalars(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, index(0), index(size), index(1), inits);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  Scalars next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, next);
  return Scalars(loop.getResults());
}

Value LoopBuilder::reduce(int64_t size, Value init,
                          llvm::function_ref<Value(Value, Value)> body) {
  return reduce(size, ValueRange(init),
                [&](Value index, ValueRange scalars) -> Scalars {
                  return {body(index, scalars.front())};
                })
      .front();
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value LoopBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value LoopBuilder::i32(int64_t value) {
  return arith::ConstantIntOp::create(*this, static_cast<int32_t>(value), 32);
}

Value LoopBuilder::i64(int64_t value) {
  return arith::ConstantIntOp::create(*this, value, 64);
}

Value LoopBuilder::widen(Value value) {
  return arith::ExtSIOp::create(*this, getI64Type(), value);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value LoopBuilder::load(Value memRef, ValueRange indices) {
  Value element = memref::LoadOp::create(*this, memRef, indices);
  if (element.getType().isInteger(32))
    return element;
  return arith::ExtSIOp::create(*this, getI32Type(), element);
}

Value LoopBuilder::loadUnsigned(Value memRef, ValueRange indices) {
  Value element = memref::LoadOp::create(*this, memRef, indices);
  return arith::ExtUIOp::create(*this, getI32Type(), element);
}

void LoopBuilder::store(Value value, Value memRef, ValueRange indices) {
  Type type = cast<MemRefType>(memRef.getType()).getElementType();
  if (value.getType() != type)
    value = arith::TruncIOp::create(*this, type, value);
  memref::StoreOp::create(*this, value, memRef, indices);
}

//===----------------------------------------------------------------------===//
// Requantisation
//===----------------------------------------------------------------------===//

Value LoopBuilder::requantize(Value acc, Value multiplier, RequantAttr requant,
                              Value offset) {
  if (requant.getWide()) {
    acc = widen(acc);
    multiplier = widen(multiplier);
    offset = offset ? widen(offset) : nullptr;
  }
  Value product = mul(acc, multiplier);
  return roundAndClamp(offset ? add(product, offset) : product, requant);
}

Value LoopBuilder::roundAndClamp(Value sum, RequantAttr requant) {
  int64_t shift = requant.getShift();
  auto constant = [&](int64_t value) {
    return sum.getType().isInteger(64) ? i64(value) : i32(value);
  };
  sum = add(sum, constant(int64_t(1) << (shift - 1)));
  sum = arith::ShRSIOp::create(*this, sum, constant(shift));
  // A product of two 32-bit numbers shifted by 32 is back in 32 bits, with
  // room for the zero point. After smaller shifts it may not be.
  if (sum.getType().isInteger(64) && shift >= 32)
    sum = arith::TruncIOp::create(*this, getI32Type(), sum);
  if (requant.getZeroPoint() != 0)
    sum = add(sum, constant(requant.getZeroPoint()));
  return min(max(sum, constant(-128)), constant(127));
}
