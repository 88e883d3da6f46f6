// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TransferBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::tinyattn;

int64_t tinyattn::getBytes(Value memRef) {
  auto type = cast<MemRefType>(memRef.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

bool tinyattn::isDense(Value memRef) {
  auto type = cast<MemRefType>(memRef.getType());
  SmallVector<int64_t> strides;
  int64_t offset, distance = 1;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return false;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    if (strides[i] != distance)
      return false;
    distance *= type.getDimSize(i);
  }
  return true;
}

bool tinyattn::isStep(Operation *op) {
  return isa<scf::ForOp, memref::CopyOp>(op) ||
         (isa_and_present<TinyAttnDialect>(op->getDialect()) &&
          isa<DestinationStyleOpInterface>(op));
}

bool tinyattn::isWritten(OpOperand &use) {
  if (auto copy = dyn_cast<memref::CopyOp>(use.getOwner()))
    return use.get() == copy.getTarget();
  return cast<DestinationStyleOpInterface>(use.getOwner()).isDpsInit(&use);
}

std::optional<SmallVector<OpOperand *>> tinyattn::findUses(Value buffer) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : buffer.getUses()) {
    if (isa<ViewLikeOpInterface>(use.getOwner())) {
      auto inner = findUses(use.getOwner()->getResult(0));
      if (!inner)
        return std::nullopt;
      llvm::append_range(uses, *inner);
    } else if (isStep(use.getOwner()) && !isa<scf::ForOp>(use.getOwner())) {
      uses.push_back(&use);
    } else {
      return std::nullopt;
    }
  }
  return uses;
}

Operation *TransferBuilder::getStepBefore(Operation *op) {
  for (op = op->getPrevNode(); op; op = op->getPrevNode())
    if (isStep(op))
      return op;
  return nullptr;
}

std::pair<unsigned, unsigned> TransferBuilder::getSpan(Operation *op) const {
  auto part = spans.find(op);
  return part == spans.end() ? timeline.getSpan(op) : part->second;
}

bool TransferBuilder::take(Operation *start, Operation *end, int64_t bytes) {
  return room.take(getSpan(start).first, getSpan(end).second, bytes);
}

Operation *TransferBuilder::getStart(Value far, Operation *op) {
  Operation *before = getStepBefore(op);
  return before && moveTo(far, before) ? before : op;
}

/// Makes a slice before `place`, if nothing that it needs is made later.
bool TransferBuilder::moveTo(Value far, Operation *place) {
  Operation *slice = far.getDefiningOp();
  DominanceInfo dominance(function);
  if (!slice || dominance.properlyDominates(slice, place))
    return true;
  if (failed(moveOperationDependencies(rewriter, slice, place, dominance)))
    return false;
  slice->moveBefore(place);
  return true;
}

void TransferBuilder::replace(Operation *op, ArrayRef<Operation *> parts) {
  auto span = getSpan(op);
  for (Operation *part : parts)
    spans[part] = span;
  TransferWaitOp wait = waits.lookup(op);
  waits.erase(op);
  if (wait)
    waits[parts.front()] = wait;
}

Value TransferBuilder::allocate(Value like, Block &block) {
  rewriter.setInsertionPointToStart(&block);
  auto type = cast<MemRefType>(like.getType());
  return memref::AllocOp::create(
      rewriter, like.getLoc(),
      MemRefType::get(type.getShape(), type.getElementType()));
}

void TransferBuilder::copyIn(Value far, Value near, Operation *start,
                             Operation *step) {
  Operation *place = start;
  if (TransferWaitOp wait = waits.lookup(step); wait && start == step) {
    if (moveTo(far, wait))
      place = wait;
    else // It gets a wait of its own.
      waits.erase(step);
  }
  rewriter.setInsertionPoint(place);
  Value number = TransferStartOp::create(rewriter, step->getLoc(),
                                         rewriter.getI32Type(), far, near,
                                         /*outward=*/false);
  waitBefore(step, number, near);
}

void TransferBuilder::copyOut(Value near, Value far, Operation *last,
                              Operation *step) {
  rewriter.setInsertionPointAfter(last);
  Value number =
      TransferStartOp::create(rewriter, last->getLoc(), rewriter.getI32Type(),
                              near, far, /*outward=*/true);
  waitBefore(step, number, near);
}

void TransferBuilder::waitBefore(Operation *step, Value number, Value near) {
  TransferWaitOp &wait = waits[step];
  SmallVector<Value> numbers, buffers;
  Operation *place = step;
  if (wait) {
    llvm::append_range(numbers, wait.getNumbers());
    llvm::append_range(buffers, wait.getBuffers());
    place = wait;
  }
  numbers.push_back(number);
  buffers.push_back(near);
  rewriter.setInsertionPoint(place);
  auto all = TransferWaitOp::create(rewriter, step->getLoc(), numbers, buffers);
  if (wait)
    wait.erase();
  wait = all;
}
