// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocateSlots.h"
#include "PrintAssembly.h"

#include "TinyFormer/Conversion/Passes.h"

#include "mlir/Analysis/Liveness.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_CONVERTXPULPTOLLVM
#include "TinyFormer/Conversion/Passes.h.inc"

namespace {

using namespace mlir::xpulp;

/// Whether an op or what is in it reads or writes memory. Assembly that does
/// not is free to be moved, merged and dropped.
bool touchesMemory(Operation *op) {
  WalkResult result = op->walk([](MemoryEffectOpInterface inner) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    inner.getEffects(effects);
    return llvm::any_of(effects,
                        [](const MemoryEffects::EffectInstance &effect) {
                          return effect.getResource() != OrderResource::get();
                        })
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  return result.wasInterrupted();
}

/// The values that `outputs` of the assembly are, one each.
SmallVector<Value> createAssembly(OpBuilder &b, Operation *op, unsigned outputs,
                                  ValueRange inputs, StringRef text,
                                  SmallVector<std::string> constraints) {
  bool memory = touchesMemory(op);
  if (memory)
    constraints.push_back("~{memory}");
  SmallVector<Type> types(outputs, b.getI32Type());
  Type type;
  if (outputs == 1)
    type = types.front();
  else if (outputs > 1)
    type = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  auto assembly = LLVM::InlineAsmOp::create(
      b, op->getLoc(), type ? TypeRange(type) : TypeRange(), inputs, text,
      llvm::join(constraints, ","), /*has_side_effects=*/memory,
      /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
      /*asm_dialect=*/nullptr, /*operand_attrs=*/nullptr);
  if (outputs <= 1)
    return llvm::to_vector_of<Value>(assembly->getResults());
  SmallVector<Value> values;
  for (unsigned i = 0; i < outputs; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, op->getLoc(),
                                                  assembly->getResult(0), i));
  return values;
}

//===----------------------------------------------------------------------===//
// Single instructions
//===----------------------------------------------------------------------===//

void convertInstruction(InstructionOpInterface op) {
  OpBuilder b(op);
  if (auto li = dyn_cast<LiOp>(*op)) {
    Value value = LLVM::ConstantOp::create(b, op.getLoc(), li.getValueAttr());
    op->replaceAllUsesWith(ValueRange(value));
    return op->erase();
  }
  // What is loaded must not be in the register of the pointer.
  unsigned results = op->getNumResults();
  SmallVector<std::string> constraints(results, "=r");
  if (results == 2)
    constraints.front() = "=&r";
  for (int i = 0, count = op->getNumOperands(); i < count; ++i)
    constraints.push_back(i == op.getTiedOperand() ? std::to_string(results - 1)
                                                   : "r");
  op->replaceAllUsesWith(createAssembly(b, op, results, op->getOperands(),
                                        printInstruction(op), constraints));
  op->erase();
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// A loop on its own is a block of one op.
void wrap(HwloopOp loop) {
  OpBuilder b(loop);
  auto block = BlockOp::create(b, loop.getLoc(), [&](OpBuilder &, Location) {
    return llvm::to_vector_of<Value>(loop.getResults());
  });
  loop->replaceUsesWithIf(block.getResults(), [&](OpOperand &use) {
    return !isa<YieldOp>(use.getOwner()) ||
           use.getOwner()->getParentOp() != block;
  });
  loop->moveBefore(block.getBody().front().getTerminator());
}

/// Inputs that are needed behind the block.
llvm::DenseSet<Value> findKept(BlockOp block, const Liveness &liveness) {
  llvm::DenseSet<Value> kept;
  block.getBody().walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!block.getBody().isAncestor(operand.getParentRegion()) &&
          !liveness.isDeadAfter(operand, block))
        kept.insert(operand);
  });
  return kept;
}

LogicalResult convertBlock(BlockOp block, const llvm::DenseSet<Value> &kept) {
  FailureOr<Slots> slots = allocateSlots(block, kept);
  if (failed(slots))
    return failure();
  // Slots that are written to are outputs, all of them early: they are written
  // while other inputs are still to be read. Those that begin with a value are
  // tied to an input as well. Outputs come first.
  unsigned outputs = slots->written.size();
  SmallVector<std::string> constraints(outputs, "=&r");
  SmallVector<unsigned> operands(slots->count);
  unsigned number = 0;
  for (unsigned slot = 0; slot < slots->count; ++slot)
    if (slots->written.contains(slot))
      operands[slot] = number++;
  for (unsigned slot = 0; slot < slots->inputs.size(); ++slot) {
    if (slots->written.contains(slot)) {
      constraints.push_back(std::to_string(operands[slot]));
      continue;
    }
    operands[slot] = constraints.size();
    constraints.push_back("r");
  }
  OpBuilder b(block);
  SmallVector<Value> values = createAssembly(
      b, block, outputs, slots->inputs.getArrayRef(),
      printBlock(block, *slots, operands), std::move(constraints));
  auto yielded = block.getBody().front().getTerminator()->getOperands();
  for (auto [result, value] : llvm::zip(block.getResults(), yielded))
    result.replaceAllUsesWith(
        slots->inputs.contains(value)
            ? value
            : values[operands[slots->numbers.lookup(value)]]);
  block.erase();
  return success();
}

struct ConvertXpulpToLLVM : impl::ConvertXpulpToLLVMBase<ConvertXpulpToLLVM> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<HwloopOp> loops;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto loop = dyn_cast<HwloopOp>(op))
        loops.push_back(loop);
      return isa<HwloopOp, BlockOp>(op) ? WalkResult::skip()
                                        : WalkResult::advance();
    });
    llvm::for_each(loops, wrap);

    SmallVector<std::pair<BlockOp, llvm::DenseSet<Value>>> blocks;
    getOperation().walk([&](FunctionOpInterface function) {
      Liveness liveness(function);
      function.walk([&](BlockOp block) {
        blocks.push_back({block, findKept(block, liveness)});
      });
    });
    // What is kept may be the result of a block that is converted before.
    for (auto &[block, kept] : llvm::reverse(blocks))
      if (failed(convertBlock(block, kept)))
        return signalPassFailure();

    getOperation().walk(convertInstruction);
  }
};

} // namespace
} // namespace mlir::tinyattn
