// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocateSlots.h"
#include "LifeTimes.h"

using namespace mlir;
using namespace mlir::xpulp;

namespace {

class Allocator {
public:
  Allocator(BlockOp block, const llvm::DenseSet<Value> &kept)
      : block(block), lifeTimes(block), kept(kept) {}

  FailureOr<Slots> run() {
    takeInputs();
    block.walk([&](HwloopOp loop) { pinIterated(loop); });
    allocate(block.getBody().front());
    result.count = occupants.size();
    if (result.count > registerCount) {
      InFlightDiagnostic error = block.emitOpError()
                                 << "needs " << result.count
                                 << " registers at once, but there are "
                                 << registerCount;
      error.attachNote(fullest->getLoc()) << "this many are needed here";
      return error;
    }
    for (auto [loop, length] : result.lengths)
      if (length > maxBodySize)
        return loop->emitOpError() << "has a body of " << length
                                   << " instructions with copies, but at most "
                                   << maxBodySize << " are possible";
    return std::move(result);
  }

private:
  /// Values from outside are there from the beginning.
  void takeInputs() {
    block.walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (!block.getBody().isAncestor(operand.getParentRegion()))
          if (result.inputs.insert(operand))
            occupy(operand, addSlot(block));
    });
  }

  /// The definition from which on an iterated value can be in the slot of the
  /// loop's argument is to choose that slot.
  void pinIterated(HwloopOp loop) {
    for (auto [argument, value] :
         llvm::zip(loop.getIterArgs(), loop.getYield().getValues())) {
      Value head = value;
      for (Value before = head; before && head != argument;
           before = lifeTimes.getPredecessor(head))
        head = before;
      Operation *definition = head.getDefiningOp();
      if (head == argument || !definition ||
          definition->getBlock() != &loop.getBody().front() ||
          lifeTimes.getLastUse(argument) > lifeTimes.getPosition(definition))
        continue;
      if (pins.try_emplace(head, argument).second)
        pinnedFrom[argument] = lifeTimes.getPosition(definition);
    }
  }

  void allocate(Block &body) {
    for (Operation &op : body) {
      expire(lifeTimes.getPosition(&op), /*inclusive=*/false);
      if (auto loop = dyn_cast<HwloopOp>(op))
        allocate(loop);
      else if (auto instruction = dyn_cast<InstructionOpInterface>(op))
        allocate(instruction);
    }
  }

  //===--------------------------------------------------------------------===//
  // Instructions
  //===--------------------------------------------------------------------===//

  void allocate(InstructionOpInterface op) {
    // What is written before all operands are read must not be in their slots:
    // a pointer's copy, and what is loaded where the pointer is advanced.
    std::optional<unsigned> tied = allocateTied(op);
    bool early = op->getNumResults() == 2;
    std::optional<unsigned> first;
    if (early)
      first = occupy(op->getResult(0), choose(op->getResult(0), op));
    expire(lifeTimes.getPosition(op), /*inclusive=*/true);
    if (op->getNumResults() == 0)
      return;
    // Unused results are written nevertheless.
    if (first)
      occupy(op->getResult(0), *first);
    Value last = op->getResults().back();
    occupy(last, tied ? *tied : choose(last, op));
    for (Value value : op->getResults())
      settle(value);
  }

  std::optional<unsigned> allocateTied(InstructionOpInterface op) {
    if (op.getTiedOperand() < 0)
      return std::nullopt;
    auto last = cast<OpResult>(op->getResults().back());
    Value operand = getTiedOperand(last)->get();
    unsigned source = result.numbers.lookup(operand);
    if (lifeTimes.diesAt(operand, op))
      return source;
    unsigned target = choose(last, op);
    result.copies[op].push_back({target, source});
    return occupy(last, target);
  }

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  void allocate(HwloopOp loop) {
    Block &body = loop.getBody().front();
    for (auto [argument, init, value] :
         llvm::zip(loop.getIterArgs(), loop.getInits(), loop.getResults())) {
      unsigned source = result.numbers.lookup(init);
      if (lifeTimes.getPredecessor(value)) {
        occupy(argument, source);
        continue;
      }
      std::optional<unsigned> pinned = findPinned(value);
      unsigned target = pinned ? *pinned : chooseUnpinned(argument, loop);
      result.copies[loop].push_back({target, source});
      occupy(argument, target);
    }
    // Arguments keep their slots even where nothing reads them: they are read
    // by the copies, and the set-up must not overwrite them.
    expireInFront(loop);
    std::optional<unsigned> counter = findFree();
    unsigned unused = counter.value_or(occupants.size());

    open.insert(&body);
    allocate(body);
    moveIterated(loop);
    open.erase(&body);
    unsigned length = measure(body);
    result.lengths[loop] = length;
    if (loop.getConstantCount() && !fitsSetup(loop, length)) {
      while (occupants.size() <= unused)
        addSlot(loop);
      result.written.insert(unused);
      result.counters[loop] = unused;
    }
    expire(lifeTimes.getPosition(body.getTerminator()), /*inclusive=*/true);
    for (auto [argument, value] :
         llvm::zip(loop.getIterArgs(), loop.getResults())) {
      occupy(value, result.numbers.lookup(argument));
      settle(value);
    }
  }

  /// Everything that dies at the beginning of a loop, but for the arguments.
  void expireInFront(HwloopOp loop) {
    unsigned position = lifeTimes.getPosition(loop);
    for (Value &occupant : occupants)
      if (occupant && !llvm::is_contained(loop.getIterArgs(), occupant) &&
          !isNeededBehind(occupant, position))
        occupant = Value();
  }

  /// In front of the back edge: what is iterated to where it is expected.
  void moveIterated(HwloopOp loop) {
    SmallVector<Copy> moves;
    llvm::SmallSetVector<unsigned, 16> targets;
    for (auto [argument, value] :
         llvm::zip(loop.getIterArgs(), loop.getYield().getValues())) {
      unsigned target = result.numbers.lookup(argument);
      unsigned source = result.numbers.lookup(value);
      targets.insert(target);
      if (target != source)
        moves.push_back({target, source});
    }
    std::optional<unsigned> spare;
    while (!moves.empty()) {
      auto isFree = [&](const Copy &move) {
        return llvm::none_of(moves, [&](const Copy &other) {
          return other.source == move.target;
        });
      };
      Copy *next = llvm::find_if(moves, isFree);
      if (next != moves.end()) {
        addCopy(loop.getYield(), *next);
        moves.erase(next);
        continue;
      }
      // A circle: its first source steps aside.
      if (!spare)
        spare = findFree(targets.getArrayRef());
      if (!spare)
        spare = addSlot(loop.getYield());
      unsigned source = moves.front().source;
      addCopy(loop.getYield(), {*spare, source});
      for (Copy &move : moves)
        if (move.source == source)
          move.source = *spare;
    }
  }

  void addCopy(Operation *op, Copy copy) {
    result.copies[op].push_back(copy);
    result.written.insert(copy.target);
  }

  unsigned measure(Block &body) const {
    unsigned length = 0;
    for (Operation &op : body) {
      length += result.copies.lookup(&op).size();
      if (auto li = dyn_cast<LiOp>(op))
        length += countInstructions(static_cast<int32_t>(li.getValue()));
      else if (auto loop = dyn_cast<HwloopOp>(op))
        length += result.lengths.lookup(loop) + 1 +
                  (result.counters.contains(loop)
                       ? countInstructions(
                             static_cast<int32_t>(*loop.getConstantCount()))
                       : 0);
      else if (!isa<YieldOp>(op))
        length += 1;
    }
    return length;
  }

  /// Whether lp.setupi has room for the count and the distance of the end.
  static bool fitsSetup(HwloopOp loop, unsigned length) {
    return *loop.getConstantCount() <= 4095 && length <= 15;
  }

  //===--------------------------------------------------------------------===//
  // Slots
  //===--------------------------------------------------------------------===//

  unsigned choose(Value value, Operation *op) {
    std::optional<unsigned> pinned = findPinned(value);
    return pinned ? *pinned : chooseUnpinned(value, op);
  }

  /// The slot of the argument that `value` is to replace, if it is free.
  std::optional<unsigned> findPinned(Value value) const {
    auto pin = pins.find(value);
    if (pin == pins.end())
      return std::nullopt;
    unsigned slot = result.numbers.lookup(pin->second);
    return occupants[slot] ? std::nullopt : std::optional(slot);
  }

  unsigned chooseUnpinned(Value value, Operation *op) {
    for (auto [slot, occupant] : llvm::enumerate(occupants))
      if (!occupant && !isReserved(slot, value))
        return slot;
    return addSlot(op);
  }

  /// In a loop, the slot of an argument waits for the value that is pinned to
  /// it, but lets in what is gone by then.
  bool isReserved(unsigned slot, Value value) const {
    unsigned end = isa<BlockArgument>(value)
                       ? std::numeric_limits<unsigned>::max()
                       : lifeTimes.getLastUse(value);
    return llvm::any_of(pinnedFrom, [&](const auto &entry) {
      auto [argument, from] = entry;
      return open.contains(argument.getParentBlock()) && end >= from &&
             result.numbers.lookup(argument) == slot;
    });
  }

  /// Once a pinned value has a slot, nothing waits for it any longer.
  void settle(Value value) {
    if (Value argument = pins.lookup(value))
      pinnedFrom.erase(argument);
  }

  std::optional<unsigned> findFree(ArrayRef<unsigned> except = {}) const {
    for (auto [slot, occupant] : llvm::enumerate(occupants))
      if (!occupant && !llvm::is_contained(except, slot))
        return slot;
    return std::nullopt;
  }

  unsigned addSlot(Operation *op) {
    fullest = op;
    occupants.push_back(Value());
    return occupants.size() - 1;
  }

  unsigned occupy(Value value, unsigned slot) {
    occupants[slot] = value;
    result.numbers[value] = slot;
    if (!result.inputs.contains(value))
      result.written.insert(slot);
    return slot;
  }

  bool isNeededBehind(Value value, unsigned position) const {
    return kept.contains(value) || lifeTimes.getLastUse(value) > position;
  }

  void expire(unsigned position, bool inclusive) {
    for (Value &occupant : occupants)
      if (occupant &&
          !isNeededBehind(occupant, inclusive ? position : position - 1))
        occupant = Value();
  }

  BlockOp block;
  LifeTimes lifeTimes;
  const llvm::DenseSet<Value> &kept;
  /// The argument of a loop in whose slot a value should be, and from where on.
  llvm::DenseMap<Value, Value> pins;
  llvm::DenseMap<Value, unsigned> pinnedFrom;
  llvm::DenseSet<Block *> open;
  /// What each slot holds; nothing if it is free.
  SmallVector<Value> occupants;
  Operation *fullest = nullptr;
  Slots result;
};

} // namespace

FailureOr<Slots> xpulp::allocateSlots(BlockOp block,
                                      const llvm::DenseSet<Value> &kept) {
  return Allocator(block, kept).run();
}
