// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoopBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void LoopBuilder::forEach(ArrayRef<int64_t> shape,
                          llvm::function_ref<void(ValueRange)> body) {
  OpBuilder::InsertionGuard guard(*this);
  Scalars indices;
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

Value LoopBuilder::requantize(Value acc, Value multiplier,
                              RequantAttr requant) {
  if (requant.getWide()) {
    acc = widen(acc);
    multiplier = widen(multiplier);
  }
  return roundAndClamp(mul(acc, multiplier), requant);
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
