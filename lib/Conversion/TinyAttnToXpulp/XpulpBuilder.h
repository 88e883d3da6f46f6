// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernels of XpulpV2 are written with.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPBUILDER_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPBUILDER_H

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tinyattn::pulp {

/// A distance in bytes. Where it is too far for an immediate it takes a
/// register: one that is kept, or one that is loaded each time.
struct Step {
  int32_t bytes = 0;
  Value inRegister = {};

  bool isImmediate() const { return llvm::isInt<12>(bytes); }
};

/// Instructions in the order in which they are asked for.
class XpulpBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  template <typename Op, typename... Args> Value make(Args &&...args) {
    return Op::create(*this, getI32Type(), std::forward<Args>(args)...);
  }

  Value constant(int32_t value) { return make<xpulp::LiOp>(value); }

  /// A step that is kept in a register, to be made before the loop that needs
  /// it.
  Step keep(int64_t bytes) {
    Step step{int32_t(bytes)};
    if (!step.isImmediate())
      step.inRegister = constant(bytes);
    return step;
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  template <typename Op = xpulp::LwOp> Value load(Value base, int64_t offset) {
    return make<Op>(base, int32_t(offset));
  }

  /// From `pointer`, which goes on by `step`.
  template <typename ImmediateOp = xpulp::LwPostOp,
            typename RegisterOp = xpulp::LwPostRegOp>
  Value loadAndStep(Value &pointer, Step step) {
    if (step.isImmediate())
      return takeBoth<ImmediateOp>(pointer, step.bytes);
    return takeBoth<RegisterOp>(pointer, getRegister(step));
  }

  /// The lowest `bytes` bytes of the word, 0 above where that needs no more
  /// than one instruction, and anything else for three.
  Value loadBytesAndStep(int64_t bytes, Value &pointer, Step step) {
    if (bytes == 1)
      return loadAndStep<xpulp::LbuPostOp, xpulp::LbuPostRegOp>(pointer, step);
    if (bytes == 2)
      return loadAndStep<xpulp::LhuPostOp, xpulp::LhuPostRegOp>(pointer, step);
    return loadAndStep(pointer, step);
  }

  template <typename ImmediateOp = xpulp::SwPostOp,
            typename RegisterOp = xpulp::SwPostRegOp>
  void storeAndStep(Value value, Value &pointer, Step step) {
    pointer = step.isImmediate()
                  ? make<ImmediateOp>(value, pointer, step.bytes)
                  : make<RegisterOp>(value, pointer, getRegister(step));
  }
  void storeByteAndStep(Value value, Value &pointer, Step step) {
    storeAndStep<xpulp::SbPostOp, xpulp::SbPostRegOp>(value, pointer, step);
  }

  //===--------------------------------------------------------------------===//
  // Arithmetic
  //===--------------------------------------------------------------------===//

  Value advance(Value value, Step step) {
    if (step.bytes == 0)
      return value;
    if (step.isImmediate())
      return make<xpulp::AddiOp>(value, step.bytes);
    return make<xpulp::AddOp>(value, getRegister(step));
  }
  Value add(Value value, int64_t constant) {
    return advance(value, Step{int32_t(constant)});
  }

  /// `sum` + Σ of the products of bytes, or the sum alone. `left` may be
  /// unsigned.
  Value dot(Value left, Value right, Value sum, bool isUnsigned) {
    if (!sum)
      return isUnsigned ? make<xpulp::PvDotuspBOp>(left, right)
                        : make<xpulp::PvDotspBOp>(left, right);
    return isUnsigned ? make<xpulp::PvSdotuspBOp>(left, right, sum)
                      : make<xpulp::PvSdotspBOp>(left, right, sum);
  }

  /// (a + b + 2^(shift-1)) >> shift
  Value addAndRound(Value a, Value b, int32_t shift) {
    return make<xpulp::PAddrnOp>(a, b, shift);
  }
  Value saturate(Value value) { return make<xpulp::PClipOp>(value, 8); }

  /// The lowest bytes of all, the first one lowest; in the place of the first.
  Value packBytes(ArrayRef<Value> bytes) {
    Value low = make<xpulp::PvPackloBOp>(bytes[1], bytes[0], bytes[0]);
    return make<xpulp::PvPackhiBOp>(bytes[3], bytes[2], low);
  }

  //===--------------------------------------------------------------------===//
  // Blocks and loops
  //===--------------------------------------------------------------------===//

  using Values = SmallVector<Value>;

  Values block(llvm::function_ref<Values(XpulpBuilder &)> body) {
    auto op = xpulp::BlockOp::create(static_cast<OpBuilder &>(*this), getLoc(),
                                     [&](OpBuilder &inner, Location loc) {
                                       XpulpBuilder b(loc, inner);
                                       return body(b);
                                     });
    return Values(op.getResults());
  }

  /// Runs `body` `count` times, at least once; a register or a number.
  template <typename Count>
  Values loop(Count count, ValueRange inits,
              llvm::function_ref<Values(XpulpBuilder &, ValueRange)> body) {
    auto op = xpulp::HwloopOp::create(
        static_cast<OpBuilder &>(*this), getLoc(), count, inits,
        [&](OpBuilder &inner, Location loc, ValueRange arguments) {
          XpulpBuilder b(loc, inner);
          return body(b, arguments);
        });
    return Values(op.getResults());
  }

private:
  Value getRegister(Step step) {
    return step.inRegister ? step.inRegister : constant(step.bytes);
  }

  template <typename Op, typename StepType>
  Value takeBoth(Value &pointer, StepType step) {
    auto op = Op::create(*this, getI32Type(), getI32Type(), pointer, step);
    pointer = op.getPointer();
    return op.getResult();
  }
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_XPULPBUILDER_H
