// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels are made of: loops, scalars in registers, 32-bit arithmetic.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LOOPBUILDER_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LOOPBUILDER_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tinyattn {

class LoopBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// For the loops of a layer that is a function of its own. If `op` writes its
  /// result in the order of its loops, the cores of the target share them.
  LoopBuilder(Operation *op, OpBuilder &builder);

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  /// Runs `body` for every index of `shape`, the last dimension innermost. The
  /// order of the outermost loops does not matter.
  void forEach(ArrayRef<int64_t> shape,
               llvm::function_ref<void(ValueRange indices)> body);

  /// Runs `body` for 0 to `size` - 1. It receives the scalars that were
  /// returned the time before, `inits` at first; the last ones are the result.
  using Scalars = SmallVector<Value, 4>;
  Scalars
  reduce(int64_t size, ValueRange inits,
         llvm::function_ref<Scalars(Value index, ValueRange scalars)> body);

  /// The same for one scalar.
  Value reduce(int64_t size, Value init,
               llvm::function_ref<Value(Value index, Value scalar)> body);

  //===--------------------------------------------------------------------===//
  // Scalars
  //===--------------------------------------------------------------------===//

  Value index(int64_t value);
  /// The low 32 bits of `value`.
  Value i32(int64_t value);
  Value i64(int64_t value);

  // Both operands are of one type: index, i32 or i64.
  Value add(Value a, Value b) { return arith::AddIOp::create(*this, a, b); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(*this, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(*this, a, b); }
  Value max(Value a, Value b) { return arith::MaxSIOp::create(*this, a, b); }
  Value min(Value a, Value b) { return arith::MinSIOp::create(*this, a, b); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(*this, condition, a, b);
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(*this, predicate, a, b);
  }

  /// An i32 as an i64.
  Value widen(Value value);

  /// a + b·c.
  Value multiplyAdd(Value a, Value b, Value c) { return add(a, mul(b, c)); }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// The element as an i32.
  Value load(Value memRef, ValueRange indices);
  Value loadUnsigned(Value memRef, ValueRange indices);

  /// The low bits of an i32 or i64, as many as an element has.
  void store(Value value, Value memRef, ValueRange indices);

  //===--------------------------------------------------------------------===//
  // Requantisation
  //===--------------------------------------------------------------------===//

  /// clamp(((acc·multiplier + offset + 2^(s-1)) >> s) + z), in 64 bits if the
  /// attribute says `wide`; without `offset` it is 0.
  Value requantize(Value acc, Value multiplier, RequantAttr requant,
                   Value offset = nullptr);

  /// clamp(((sum + 2^(s-1)) >> s) + z).
  Value roundAndClamp(Value sum, RequantAttr requant);

private:
  using Body = llvm::function_ref<void(ValueRange indices)>;

  void forEachInOrder(ArrayRef<int64_t> shape, ValueRange outer, Body body);
  void share(ArrayRef<int64_t> shape, Body body);

  /// That share the outermost loops.
  int64_t cores = 1;
};

/// The shape of a memref.
inline ArrayRef<int64_t> getShape(Value memRef) {
  return cast<ShapedType>(memRef.getType()).getShape();
}

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_LOOPBUILDER_H
