// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocateRegisters.h"

using namespace mlir;
using namespace mlir::armdsp;

namespace {

constexpr StringLiteral coreRegisters[] = {"r0",  "r1",  "r2",  "r3", "r4",
                                           "r5",  "r6",  "r7",  "r8", "r9",
                                           "r10", "r11", "r12", "lr"};
constexpr StringLiteral floatRegisters[] = {
    "s0", "s1", "s2",  "s3",  "s4",  "s5",  "s6",  "s7",
    "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15"};

ArrayRef<StringLiteral> getClass(Value value) {
  if (value.getType().isInteger())
    return coreRegisters;
  return floatRegisters;
}

//===----------------------------------------------------------------------===//
// Life times
//===----------------------------------------------------------------------===//

/// Positions of instructions in their order, and the last one at which each
/// value is needed.
class LifeTimes {
public:
  explicit LifeTimes(BlockOp block) {
    block->walk<WalkOrder::PreOrder>(
        [&](Operation *op) { positions[op] = positions.size(); });
  }

  unsigned getPosition(Operation *op) const { return positions.lookup(op); }

  /// A value from outside a loop is needed until the loop is over.
  unsigned getLastUse(Value value) const {
    auto extended = extensions.find(value);
    unsigned last = extended == extensions.end() ? 0 : extended->second;
    for (Operation *user : value.getUsers())
      last = std::max(last, getEnd(value, user));
    return last;
  }

  bool diesAt(Value value, Operation *op) const {
    return getLastUse(value) == getPosition(op);
  }

  void extend(Value value, Operation *until) {
    extensions[value] = getPosition(until);
  }

private:
  unsigned getEnd(Value value, Operation *user) const {
    unsigned end = getPosition(user);
    for (Block *block = user->getBlock(); block != value.getParentBlock();
         block = block->getParentOp()->getBlock())
      end = getPosition(block->getTerminator());
    return end;
  }

  llvm::DenseMap<Operation *, unsigned> positions;
  llvm::DenseMap<Value, unsigned> extensions;
};

/// The operand in whose register the definition of `value` can put it.
Value getPredecessor(Value value, const LifeTimes &lifeTimes) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  Value operand;
  if (auto loop = dyn_cast<LoopOp>(op))
    operand = loop.getInits()[cast<OpResult>(value).getResultNumber()];
  else if (int index = cast<InstructionOpInterface>(op).getReusedOperand();
           index >= 0)
    operand = op->getOperand(index);
  if (!operand || operand.getType() != value.getType() ||
      operand.getParentBlock() != value.getParentBlock() ||
      !lifeTimes.diesAt(operand, op) ||
      llvm::count(op->getOperands(), operand) != 1)
    return {};
  return operand;
}

//===----------------------------------------------------------------------===//
// Linear scan
//===----------------------------------------------------------------------===//

class Allocator {
public:
  explicit Allocator(BlockOp block) : lifeTimes(block) {}

  FailureOr<Registers> run(BlockOp block) {
    WalkResult pinned = block.walk([&](LoopOp loop) {
      return failed(pinIterated(loop)) ? WalkResult::interrupt()
                                       : WalkResult::advance();
    });
    if (pinned.wasInterrupted())
      return failure();
    Block &body = block.getBody().front();
    if (body.getNumArguments() > std::size(coreRegisters))
      return block.emitOpError()
             << "has " << body.getNumArguments() << " inputs, but there are "
             << std::size(coreRegisters) << " registers";
    for (auto [argument, name] : llvm::zip(body.getArguments(), coreRegisters))
      occupy(argument, name);
    if (failed(allocate(body)))
      return failure();
    return std::move(result);
  }

private:
  /// Everything that the iterated values of a loop pass through is to be in the
  /// registers of the loop's arguments.
  LogicalResult pinIterated(LoopOp loop) {
    Block &body = loop.getBody().front();
    auto next = cast<NextOp>(body.getTerminator());
    for (auto [argument, value] :
         llvm::zip(body.getArguments(), next.getValues())) {
      if (value == argument)
        continue;
      Value head = value;
      pins[head] = argument;
      while (Value before = getPredecessor(head, lifeTimes)) {
        head = before;
        if (head == argument)
          break;
        pins[head] = argument;
      }
      if (head == argument)
        continue;
      Operation *definition = head.getDefiningOp();
      if (!definition || head.getParentBlock() != &body ||
          lifeTimes.getLastUse(argument) > lifeTimes.getPosition(definition))
        return next.emitOpError()
               << "iterates a value (number " << argument.getArgNumber()
               << ") whose predecessor is still in use where it is made";
      lifeTimes.extend(argument, definition);
    }
    return success();
  }

  LogicalResult allocate(Block &block) {
    for (Operation &op : block) {
      if (isa<YieldOp>(op))
        continue;
      LogicalResult allocated =
          isa<LoopOp>(op)   ? allocate(cast<LoopOp>(op))
          : isa<NextOp>(op) ? finish(cast<NextOp>(op))
                            : allocate(cast<InstructionOpInterface>(op));
      if (failed(allocated))
        return failure();
    }
    return success();
  }

  LogicalResult allocate(InstructionOpInterface op) {
    expire(lifeTimes.getPosition(op));
    for (Value value : op->getResults()) {
      FailureOr<StringRef> name = choose(op, value);
      if (failed(name))
        return failure();
      occupy(value, *name);
    }
    return success();
  }

  FailureOr<StringRef> choose(InstructionOpInterface op, Value value) {
    int reused = op.getReusedOperand();
    StringRef before =
        reused >= 0 ? result.names.lookup(op->getOperand(reused)) : "";
    bool sameClass =
        reused >= 0 && op->getOperand(reused).getType() == value.getType();
    if (op.isWrittenBack() && isOccupied(before))
      return op->emitOpError("writes back to a register that is still in use");
    if (op.isWrittenBack())
      return before;
    if (Value pin = pins.lookup(value))
      return takePinned(op, result.names.lookup(pin));
    if (sameClass && !isOccupied(before))
      return before;
    return takeFree(op, value);
  }

  FailureOr<StringRef> takePinned(Operation *op, StringRef name) {
    if (isOccupied(name))
      return op->emitOpError()
             << "needs register " << name
             << " for a value that a loop iterates, but it is in use";
    return name;
  }

  FailureOr<StringRef> takeFree(Operation *op, Value value) {
    for (StringRef name : getClass(value))
      if (!isOccupied(name))
        return name;
    return op->emitOpError() << "needs a register more than the "
                             << getClass(value).size() << " there are";
  }

  LogicalResult allocate(LoopOp loop) {
    Block &body = loop.getBody().front();
    // Inits that die here hand on their registers.
    SmallVector<StringRef> sources;
    for (Value init : loop.getInits())
      sources.push_back(result.names.lookup(init));
    expire(lifeTimes.getPosition(loop));
    SmallVector<std::pair<BlockArgument, StringRef>> others;
    for (auto [argument, source] : llvm::zip(body.getArguments(), sources))
      if (isOccupied(source))
        others.push_back({argument, source});
      else
        occupy(argument, source);
    for (auto [argument, source] : others) {
      FailureOr<StringRef> name = takeFree(loop, argument);
      if (failed(name))
        return failure();
      result.copies[loop].push_back({*name, source});
      occupy(argument, *name);
    }
    if (failed(allocate(body)))
      return failure();
    for (auto [argument, value] :
         llvm::zip(body.getArguments(), loop.getResults()))
      if (!value.use_empty())
        occupy(value, result.names.lookup(argument));
      else
        result.names[value] = result.names.lookup(argument);
    return success();
  }

  LogicalResult finish(NextOp next) {
    for (auto [argument, value] :
         llvm::zip(next->getBlock()->getArguments(), next.getValues()))
      if (result.names.lookup(argument) != result.names.lookup(value))
        return next.emitOpError()
               << "iterates a value (number " << argument.getArgNumber()
               << ") that is not in the register of its predecessor";
    expire(lifeTimes.getPosition(next));
    return success();
  }

  /// Frees the registers of what is not needed behind `position`.
  void expire(unsigned position) {
    occupied.remove_if([&](const auto &entry) {
      return lifeTimes.getLastUse(entry.second) <= position;
    });
  }

  void occupy(Value value, StringRef name) {
    result.names[value] = name;
    occupied[name] = value;
    result.written.insert(name);
  }

  bool isOccupied(StringRef name) const { return occupied.contains(name); }

  LifeTimes lifeTimes;
  /// The argument of a loop in whose register a value has to be.
  llvm::DenseMap<Value, Value> pins;
  llvm::MapVector<StringRef, Value> occupied;
  Registers result;
};

} // namespace

FailureOr<Registers> armdsp::allocateRegisters(BlockOp block) {
  return Allocator(block).run(block);
}
