// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernels of a Cortex-M are written with.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_KERNELBUILDER_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_KERNELBUILDER_H

#include "TinyFormer/Dialect/ArmDsp/ArmDsp.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tinyattn {

/// Instructions in the order in which they are asked for. Offsets are bytes.
class KernelBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value constant(int32_t value) {
    return armdsp::ConstantOp::create(*this, getI32Type(), value);
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  template <typename LoadOp = armdsp::LdrOp>
  Value load(Value base, int64_t offset) {
    return LoadOp::create(*this, getI32Type(), base, offset);
  }

  template <typename StoreOp = armdsp::StrOp>
  void store(Value value, Value base, int64_t offset) {
    StoreOp::create(*this, value, base, offset);
  }

  /// base + step.
  template <typename StoreOp = armdsp::StrPostOp>
  Value storeAndStep(Value value, Value base, int64_t step) {
    return StoreOp::create(*this, getI32Type(), value, base, step);
  }

  //===--------------------------------------------------------------------===//
  // Registers
  //===--------------------------------------------------------------------===//

  Value park(Value value) {
    return armdsp::ParkOp::create(*this, getF32Type(), value);
  }
  Value unpark(Value value) {
    return armdsp::UnparkOp::create(*this, getI32Type(), value);
  }

  //===--------------------------------------------------------------------===//
  // Arithmetic
  //===--------------------------------------------------------------------===//

  /// Two instructions where one cannot hold the constant.
  Value addImm(Value value, int64_t constant) {
    constexpr int64_t largest = 4095;
    for (; constant > largest; constant -= largest)
      value = armdsp::AddImmOp::create(*this, getI32Type(), value, largest);
    if (constant == 0)
      return value;
    return armdsp::AddImmOp::create(*this, getI32Type(), value, constant);
  }
  /// value - distance, which may take a register for the distance.
  Value retreat(Value value, int64_t distance) {
    return distance <= 4095 ? addImm(value, -distance)
                            : sub(value, constant(distance));
  }
  Value eorImm(Value value, int32_t constant) {
    return armdsp::EorImmOp::create(*this, getI32Type(), value, constant);
  }
  Value asr(Value value, int32_t bits) {
    return armdsp::AsrOp::create(*this, getI32Type(), value, bits);
  }
  Value lsr(Value value, int32_t bits) {
    return armdsp::LsrOp::create(*this, getI32Type(), value, bits);
  }
  Value lsl(Value value, int32_t bits) {
    return armdsp::LslOp::create(*this, getI32Type(), value, bits);
  }
  Value sub(Value a, Value b, int32_t shift = 0) {
    return armdsp::SubOp::create(*this, getI32Type(), a, b, shift);
  }
  Value add(Value a, Value b, int32_t shift = 0) {
    return armdsp::AddOp::create(*this, getI32Type(), a, b, shift);
  }
  Value addAsr(Value a, Value b, int32_t shift) {
    return armdsp::AddAsrOp::create(*this, getI32Type(), a, b, shift);
  }
  Value orr(Value a, Value b, int32_t shift) {
    return armdsp::OrrOp::create(*this, getI32Type(), a, b, shift);
  }

  /// a·b of two halves each, added to `sum` if there is one.
  Value multiplyPairs(Value a, Value b, Value sum) {
    if (!sum)
      return armdsp::SmuadOp::create(*this, getI32Type(), a, b);
    return armdsp::SmladOp::create(*this, getI32Type(), a, b, sum);
  }

  /// The upper word of a·b, rounded, and `sum` if there is one.
  Value multiplyHigh(Value a, Value b, Value sum) {
    if (!sum)
      return armdsp::SmmulrOp::create(*this, getI32Type(), a, b);
    return armdsp::SmmlarOp::create(*this, getI32Type(), a, b, sum);
  }

  Value saturate(Value value, int32_t width) {
    return armdsp::SsatOp::create(*this, getI32Type(), value, width);
  }

  /// Bytes 0 and 2, after a rotation, as halves.
  Value signedBytes(Value value, int32_t rotation = 0) {
    return armdsp::Sxtb16Op::create(*this, getI32Type(), value, rotation);
  }
  Value unsignedBytes(Value value, int32_t rotation = 0) {
    return armdsp::Uxtb16Op::create(*this, getI32Type(), value, rotation);
  }

  /// Lower halves of both, upper halves of both.
  Value lowHalves(Value low, Value high) {
    return armdsp::PkhbtOp::create(*this, getI32Type(), low, high, 16);
  }
  Value highHalves(Value low, Value high) {
    return armdsp::PkhtbOp::create(*this, getI32Type(), high, low, 16);
  }

  /// Pairs of numbers of 16 bits as halves, each saturated to 8 bits. All of a
  /// stage come before the next one: nothing waits for the one before.
  SmallVector<Value> saturatedHalves(ArrayRef<std::pair<Value, Value>> pairs) {
    SmallVector<Value> words;
    for (auto [low, high] : pairs)
      words.push_back(lowHalves(low, high));
    for (Value &word : words)
      word = armdsp::Ssat16Op::create(*this, getI32Type(), word, 8);
    return words;
  }

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  /// What a body of a loop gives: the iterated values, and the two registers
  /// that are equal at the end.
  struct Next {
    SmallVector<Value> values;
    Value current, end;
  };

  SmallVector<Value> loop(ValueRange inits,
                          llvm::function_ref<Next(ValueRange)> body) {
    auto loop = armdsp::LoopOp::create(*this, inits.getTypes(), inits);
    OpBuilder::InsertionGuard guard(*this);
    SmallVector<Location> locations(inits.size(), getLoc());
    Block *block =
        createBlock(&loop.getBody(), {}, inits.getTypes(), locations);
    Next next = body(block->getArguments());
    armdsp::NextOp::create(*this, next.values, next.current, next.end);
    return SmallVector<Value>(loop.getResults());
  }
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_KERNELBUILDER_H
