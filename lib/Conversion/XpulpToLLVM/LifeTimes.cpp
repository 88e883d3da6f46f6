// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LifeTimes.h"

using namespace mlir;
using namespace mlir::xpulp;

LifeTimes::LifeTimes(BlockOp block) : body(&block.getBody().front()) {
  block->walk<WalkOrder::PreOrder>([&](Operation *op) {
    unsigned position = positions.size();
    positions[op] = position;
  });
}

unsigned LifeTimes::getLastUse(Value value) const {
  unsigned last = 0;
  for (Operation *user : value.getUsers())
    if (positions.contains(user))
      last = std::max(last, getEnd(value, user));
  return last;
}

unsigned LifeTimes::getEnd(Value value, Operation *user) const {
  unsigned end = getPosition(user);
  for (Block *block = user->getBlock();
       block != value.getParentBlock() && block != body;
       block = block->getParentOp()->getBlock())
    end = getPosition(block->getTerminator());
  return end;
}

Value LifeTimes::getPredecessor(Value value) const {
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return {};
  Value operand;
  if (auto loop = dyn_cast<HwloopOp>(result.getOwner())) {
    operand = loop.getInits()[result.getResultNumber()];
    if (llvm::count(loop.getInits(), operand) != 1)
      return {};
  } else if (OpOperand *tied = getTiedOperand(result)) {
    operand = tied->get();
  }
  return operand && diesAt(operand, result.getOwner()) ? operand : Value();
}

OpOperand *xpulp::getTiedOperand(OpResult result) {
  auto op = dyn_cast<InstructionOpInterface>(result.getOwner());
  if (!op || op.getTiedOperand() < 0 ||
      result.getResultNumber() + 1 != op->getNumResults())
    return nullptr;
  return &op->getOpOperand(op.getTiedOperand());
}
