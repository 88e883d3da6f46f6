// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocateRegisters.h"
#include "PrintAssembly.h"

#include "TinyFormer/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTARMDSPTOLLVM
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

using namespace mlir::armdsp;

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Registers that the assembly is said to write to: those of the inputs, which
/// it overwrites, and those of the results.
SmallVector<StringRef> getOutputs(BlockOp block, const Registers &registers) {
  SmallVector<StringRef> outputs;
  Block &body = block.getBody().front();
  for (Value input : body.getArguments())
    outputs.push_back(registers.names.lookup(input));
  for (Value value : body.getTerminator()->getOperands())
    if (!llvm::is_contained(outputs, registers.names.lookup(value)))
      outputs.push_back(registers.names.lookup(value));
  return outputs;
}

std::string makeConstraints(BlockOp block, const Registers &registers,
                            ArrayRef<StringRef> outputs) {
  SmallVector<std::string> constraints;
  for (StringRef name : outputs)
    constraints.push_back(("={" + name + "}").str());
  for (unsigned i = 0; i < block.getInputs().size(); ++i)
    constraints.push_back(std::to_string(i));
  for (StringRef name : registers.written)
    if (!llvm::is_contained(outputs, name))
      constraints.push_back(("~{" + name + "}").str());
  constraints.push_back("~{cc}");
  constraints.push_back("~{memory}");
  return llvm::join(constraints, ",");
}

LogicalResult convertBlock(BlockOp block) {
  FailureOr<Registers> registers = allocateRegisters(block);
  if (failed(registers))
    return failure();
  OpBuilder b(block);
  SmallVector<StringRef> outputs = getOutputs(block, *registers);
  SmallVector<Type> types(outputs.size(), b.getI32Type());
  Type type;
  if (types.size() == 1)
    type = types.front();
  else if (!types.empty())
    type = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  auto assembly = LLVM::InlineAsmOp::create(
      b, block.getLoc(), type ? TypeRange(type) : TypeRange(),
      block.getInputs(), printAssembly(block, *registers),
      makeConstraints(block, *registers, outputs), /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
      /*asm_dialect=*/nullptr, /*operand_attrs=*/nullptr);
  auto yielded = block.getBody().front().getTerminator()->getOperands();
  for (auto [result, value] : llvm::zip(block.getResults(), yielded)) {
    int64_t position =
        llvm::find(outputs, registers->names.lookup(value)) - outputs.begin();
    Value output = assembly->getResult(0);
    if (types.size() > 1)
      output =
          LLVM::ExtractValueOp::create(b, block.getLoc(), output, position);
    result.replaceAllUsesWith(output);
  }
  block.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Single instructions
//===----------------------------------------------------------------------===//

class Builder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value constant(int64_t value, Type type) {
    return LLVM::ConstantOp::create(*this, type, value);
  }
  Value i32(int64_t value) { return constant(value, getI32Type()); }

  Value intrinsic(StringRef name, ValueRange operands) {
    auto call = LLVM::CallIntrinsicOp::create(
        *this, getI32Type(), getStringAttr("llvm.arm." + name), operands);
    return call.getResult(0);
  }

  /// LLVM knows the rotation of an operand by its shifts.
  Value rotate(Value value, int32_t bits) {
    if (bits == 0)
      return value;
    Value low = LLVM::LShrOp::create(*this, value, i32(bits));
    Value high = LLVM::ShlOp::create(*this, value, i32(32 - bits));
    return LLVM::OrOp::create(*this, low, high);
  }

  /// ((c << 32) + a·b + 2^31) >> 32.
  Value multiplyHigh(Value a, Value b, Value c) {
    Type i64 = getI64Type();
    auto widen = [&](Value value) -> Value {
      return LLVM::SExtOp::create(*this, i64, value);
    };
    Value sum = LLVM::MulOp::create(*this, widen(a), widen(b));
    if (c) {
      Value high = LLVM::ShlOp::create(*this, widen(c), constant(32, i64));
      sum = LLVM::AddOp::create(*this, sum, high);
    }
    sum = LLVM::AddOp::create(*this, sum, constant(int64_t(1) << 31, i64));
    Value high = LLVM::LShrOp::create(*this, sum, constant(32, i64));
    return LLVM::TruncOp::create(*this, getI32Type(), high);
  }

  /// The lower half of one and the upper half of the other.
  Value joinHalves(Value low, Value high) {
    return LLVM::OrOp::create(
        *this, LLVM::AndOp::create(*this, low, i32(0xffff)),
        LLVM::AndOp::create(*this, high, i32(0xffff0000)));
  }

  Value shiftRight(Value value, int32_t bits) {
    return bits == 0 ? value : LLVM::AShrOp::create(*this, value, i32(bits));
  }

  Value convert(Operation *op) {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case([&](SmladOp op) { return intrinsic("smlad", op->getOperands()); })
        .Case([&](SmuadOp op) { return intrinsic("smuad", op->getOperands()); })
        .Case([&](Ssub8Op op) { return intrinsic("ssub8", op->getOperands()); })
        .Case([&](SelOp op) { return intrinsic("sel", op->getOperands()); })
        .Case([&](Sxtb16Op op) {
          return intrinsic("sxtb16", rotate(op.getOperand(), op.getRotation()));
        })
        .Case([&](Uxtb16Op op) {
          return intrinsic("uxtb16", rotate(op.getOperand(), op.getRotation()));
        })
        .Case([&](Ssat16Op op) {
          return intrinsic("ssat16", {op.getOperand(), i32(op.getWidth())});
        })
        .Case([&](Usat16Op op) {
          return intrinsic("usat16", {op.getOperand(), i32(op.getWidth())});
        })
        .Case([&](SsatOp op) {
          Value shifted = shiftRight(op.getOperand(), op.getShift());
          return intrinsic("ssat", {shifted, i32(op.getWidth())});
        })
        .Case([&](UsatOp op) {
          Value shifted = shiftRight(op.getOperand(), op.getShift());
          return intrinsic("usat", {shifted, i32(op.getWidth())});
        })
        .Case([&](SmmulrOp op) {
          return multiplyHigh(op.getLhs(), op.getRhs(), {});
        })
        .Case([&](SmmlarOp op) {
          return multiplyHigh(op.getLhs(), op.getRhs(), op.getAccumulator());
        })
        .Case([&](PkhbtOp op) -> Value {
          Value high =
              LLVM::ShlOp::create(*this, op.getRhs(), i32(op.getShift()));
          return joinHalves(op.getLhs(), high);
        })
        .Case([&](PkhtbOp op) -> Value {
          return joinHalves(shiftRight(op.getRhs(), op.getShift()),
                            op.getLhs());
        })
        .Default(Value());
  }
};

struct ConvertArmDspToLLVM
    : impl::ConvertArmDspToLLVMBase<ConvertArmDspToLLVM> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<BlockOp> blocks;
    getOperation().walk([&](BlockOp block) { blocks.push_back(block); });
    for (BlockOp block : blocks)
      if (failed(convertBlock(block)))
        return signalPassFailure();

    WalkResult result = getOperation().walk([](Operation *op) {
      if (!isa_and_present<ArmDspDialect>(op->getDialect()))
        return WalkResult::advance();
      Builder b(op->getLoc(), op);
      Value value = b.convert(op);
      if (!value) {
        op->emitOpError("may stand within 'armdsp.block' only");
        return WalkResult::interrupt();
      }
      op->replaceAllUsesWith(ValueRange(value));
      op->erase();
      return WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
