// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../BufferLifetimes.h"
#include "Room.h"
#include "SplitLinear.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Transforms/NearMemory.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_INSERTTRANSFERS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// What is smaller costs less where it is than a transfer costs.
constexpr int64_t kLeastBytes = 64;
/// Weights that arrive together: few enough to be behind the step before them,
/// and enough for all cores. And what is too little to be worth a step.
constexpr int64_t kPartBytes = 16384, kLeastPartBytes = 1024;

int64_t getBytes(Value value) {
  auto type = cast<MemRefType>(value.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// What runs on the cores. A loop is a step of the block that it is in.
bool isStep(Operation *op) {
  return isa<scf::ForOp, memref::CopyOp>(op) ||
         (isa_and_present<TinyAttnDialect>(op->getDialect()) &&
          isa<DestinationStyleOpInterface>(op));
}

Operation *getStepBefore(Operation *op) {
  for (op = op->getPrevNode(); op; op = op->getPrevNode())
    if (isStep(op))
      return op;
  return nullptr;
}

/// The uses of a buffer, and of slices of it, by ops that run; none if
/// something else has it.
std::optional<SmallVector<OpOperand *>> findUses(Value buffer) {
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

bool isWritten(OpOperand *use) {
  if (auto copy = dyn_cast<memref::CopyOp>(use->getOwner()))
    return use->get() == copy.getTarget();
  return cast<DestinationStyleOpInterface>(use->getOwner()).isDpsInit(use);
}

class Inserter {
public:
  Inserter(func::FuncOp function, const Timeline &timeline,
           tinyformer::Room room)
      : function(function), home(function.front()), timeline(timeline),
        room(std::move(room)), rewriter(function.getContext()) {}

  void run() {
    for (BlockArgument argument : function.getArguments())
      stageArgument(argument);
    SmallVector<memref::GetGlobalOp> constants;
    function.walk([&](memref::GetGlobalOp op) { constants.push_back(op); });
    for (memref::GetGlobalOp constant : constants) {
      constant->moveBefore(&home, home.begin());
      stageConstant(constant.getResult());
    }
  }

private:
  //===--------------------------------------------------------------------===//
  // Arguments
  //===--------------------------------------------------------------------===//

  void stageArgument(BlockArgument argument) {
    std::optional<SmallVector<OpOperand *>> uses = findUses(argument);
    if (!uses || uses->empty() || getBytes(argument) < kLeastBytes)
      return;
    auto [first, last] = getSteps(*uses);
    if (!llvm::any_of(*uses, isWritten))
      return (void)stageBefore(argument, first, last);
    stageResult(argument, first, last);
  }

  void stageResult(Value result, Operation *first, Operation *last) {
    Operation *end = home.getTerminator();
    if (!take(first, end, getBytes(result)))
      return;
    Value near = allocate(result, home);
    result.replaceAllUsesWith(near);
    rewriter.setInsertionPointAfter(last);
    Value number =
        TransferStartOp::create(rewriter, last->getLoc(), rewriter.getI32Type(),
                                near, result, /*outward=*/true);
    waitBefore(end, number, near);
  }

  //===--------------------------------------------------------------------===//
  // Constants
  //===--------------------------------------------------------------------===//

  void stageConstant(Value constant) {
    std::optional<SmallVector<OpOperand *>> uses = findUses(constant);
    if (!uses || uses->empty() || getBytes(constant) < kLeastBytes)
      return;
    auto [first, last] = getSteps(*uses);
    // In loops a constant is better there as a whole than again and again.
    bool inParts = uses->size() == 1 && first == uses->front()->getOwner() &&
                   isa<WordLinearOp>(first) && getBytes(constant) > kPartBytes;
    if (!inParts && stageBefore(constant, first, last))
      return;
    for (OpOperand *use : *uses)
      stageUse(*use);
  }

  /// For one op alone, in parts where that takes many bytes.
  void stageUse(OpOperand &use) {
    Operation *op = use.getOwner();
    auto linear = dyn_cast<WordLinearOp>(op);
    if (!linear || use.get() != linear.getWeight() ||
        getBytes(use.get()) <= kPartBytes)
      return stageOperand(use, /*isTaken=*/false);
    Operation *before = getStepBefore(op);
    // Two parts: the one at work, and the next.
    int64_t bytes = kPartBytes;
    while (!take(before ? before : op, op, 2 * bytes))
      if ((bytes /= 2) < kLeastPartBytes)
        return;
    auto span = getSpan(op);
    TransferWaitOp wait = waits.lookup(op);
    waits.erase(op);
    SmallVector<WordLinearOp> parts = splitLinear(linear, bytes);
    if (wait)
      waits[parts.front()] = wait;
    for (WordLinearOp part : parts) {
      spans[part] = span;
      stageOperand(part.getWeightMutable(), /*isTaken=*/true);
    }
  }

  void stageOperand(OpOperand &use, bool isTaken) {
    Operation *op = use.getOwner();
    Value far = use.get();
    int64_t bytes = getBytes(far);
    if (!isDense(far) || bytes < kLeastBytes)
      return;
    Operation *start = getStart(far, op);
    if (!isTaken && !take(start, op, bytes) && !take(start = op, op, bytes))
      return;
    use.set(copyIn(far, start, op));
  }

  /// A transfer copies bytes that follow each other.
  static bool isDense(Value value) {
    auto type = cast<MemRefType>(value.getType());
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

  //===--------------------------------------------------------------------===//
  // Transfers
  //===--------------------------------------------------------------------===//

  /// All of `far`, for the steps of the function from `first` to `last`.
  bool stageBefore(Value far, Operation *first, Operation *last) {
    Operation *start = getStart(far, first);
    if (!take(start, last, getBytes(far)) &&
        !take(start = first, last, getBytes(far)))
      return false;
    Value near = copyIn(far, start, first);
    far.replaceUsesWithIf(near, [](OpOperand &use) {
      return !isa<TransferStartOp>(use.getOwner());
    });
    return true;
  }

  /// The step before `op`, so that the transfer is behind it, if `far` can be
  /// there by then.
  Operation *getStart(Value far, Operation *op) {
    Operation *before = getStepBefore(op);
    return before && moveTo(far, before) ? before : op;
  }

  /// Makes a slice before `place`, if nothing that it needs is made later.
  bool moveTo(Value far, Operation *place) {
    Operation *slice = far.getDefiningOp();
    DominanceInfo dominance(function);
    if (!slice || dominance.properlyDominates(slice, place))
      return true;
    if (failed(moveOperationDependencies(rewriter, slice, place, dominance)))
      return false;
    slice->moveBefore(place);
    return true;
  }

  /// Copies `far` beside the steps from `start` on, until `step` needs it.
  Value copyIn(Value far, Operation *start, Operation *step) {
    Operation *place = start;
    if (TransferWaitOp wait = waits.lookup(step); wait && start == step) {
      if (moveTo(far, wait))
        place = wait;
      else // It gets a wait of its own.
        waits.erase(step);
    }
    Value near = allocate(far, *step->getBlock());
    rewriter.setInsertionPoint(place);
    Value number = TransferStartOp::create(rewriter, step->getLoc(),
                                           rewriter.getI32Type(), far, near,
                                           /*outward=*/false);
    waitBefore(step, number, near);
    return near;
  }

  /// At the start of the block: before all slices of it.
  Value allocate(Value like, Block &block) {
    rewriter.setInsertionPointToStart(&block);
    auto type = cast<MemRefType>(like.getType());
    return memref::AllocOp::create(
        rewriter, like.getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()));
  }

  /// One wait for all that `step` needs.
  void waitBefore(Operation *step, Value number, Value near) {
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
    auto all =
        TransferWaitOp::create(rewriter, step->getLoc(), numbers, buffers);
    if (wait)
      wait.erase();
    wait = all;
  }

  //===--------------------------------------------------------------------===//
  // Time
  //===--------------------------------------------------------------------===//

  /// The first and the last step of the function that has one of `uses`.
  std::pair<Operation *, Operation *> getSteps(ArrayRef<OpOperand *> uses) {
    Operation *first = nullptr, *last = nullptr;
    for (OpOperand *use : uses) {
      Operation *step = home.findAncestorOpInBlock(*use->getOwner());
      if (!first || step->isBeforeInBlock(first))
        first = step;
      if (!last || last->isBeforeInBlock(step))
        last = step;
    }
    return {first, last};
  }

  std::pair<unsigned, unsigned> getSpan(Operation *op) const {
    auto part = spans.find(op);
    return part == spans.end() ? timeline.getSpan(op) : part->second;
  }

  bool take(Operation *start, Operation *end, int64_t bytes) {
    return room.take(getSpan(start).first, getSpan(end).second, bytes);
  }

  func::FuncOp function;
  Block &home;
  const Timeline &timeline;
  tinyformer::Room room;
  IRRewriter rewriter;
  llvm::DenseMap<Operation *, TransferWaitOp> waits;
  /// Of ops that are parts of another, when that one was to run.
  llvm::DenseMap<Operation *, std::pair<unsigned, unsigned>> spans;
};

struct InsertTransfers : impl::InsertTransfersBase<InsertTransfers> {
  using Base::Base;

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTarget);
    if (!target || !target.getDma())
      return markAllAnalysesPreserved();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal() &&
          function.getBody().hasOneBlock() && failed(insert(function, target)))
        return signalPassFailure();
  }

  LogicalResult insert(func::FuncOp function, TargetAttr target) {
    Timeline timeline(function);
    FailureOr<SmallVector<Placement>> placements =
        collectBuffers(getOperation(), function, timeline, /*alignment=*/8);
    if (failed(placements))
      return failure();
    std::vector<tinyformer::Buffer> buffers;
    for (const Placement &placement : *placements)
      buffers.push_back(placement.buffer);
    NearMemory near(target);
    tinyformer::Room room(near.capacity - near.margin, near.staging, buffers);
    Inserter(function, timeline, std::move(room)).run();
    return success();
  }
};

} // namespace
} // namespace mlir::tinyattn
