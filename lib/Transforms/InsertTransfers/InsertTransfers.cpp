// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowStreams.h"
#include "SplitLinear.h"

#include "TinyFormer/Transforms/NearMemory.h"
#include "TinyFormer/Transforms/Passes.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_INSERTTRANSFERS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// Weights that arrive together: few enough to be behind the step before them,
/// and enough for all cores. And what is too little to be worth a step.
constexpr int64_t kPartBytes = 16384, kLeastPartBytes = 1024;

/// Gives arguments and constants buffers in the first memory.
class Inserter {
public:
  Inserter(func::FuncOp function, TransferBuilder &transfers)
      : function(function), home(function.front()), transfers(transfers) {}

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
    if (!uses || uses->empty() || getBytes(argument) < kLeastTransferBytes)
      return;
    auto [first, last] = getSteps(*uses);
    if (llvm::none_of(*uses, [](OpOperand *use) { return isWritten(*use); }))
      return (void)stageBefore(argument, first, last);
    stageResult(argument, first, last);
  }

  void stageResult(Value result, Operation *first, Operation *last) {
    Operation *end = home.getTerminator();
    if (!transfers.take(first, end, getBytes(result)))
      return;
    Value near = transfers.allocate(result, home);
    result.replaceAllUsesWith(near);
    transfers.copyOut(near, result, last, end);
  }

  //===--------------------------------------------------------------------===//
  // Constants
  //===--------------------------------------------------------------------===//

  void stageConstant(Value constant) {
    std::optional<SmallVector<OpOperand *>> uses = findUses(constant);
    if (!uses || uses->empty() || getBytes(constant) < kLeastTransferBytes)
      return;
    auto [first, last] = getSteps(*uses);
    // In loops a constant is better there as a whole than again and again.
    bool inParts = uses->size() == 1 && first == uses->front()->getOwner() &&
                   isa<WordLinearOp>(first) && getBytes(constant) > kPartBytes;
    if (!inParts && stageBefore(constant, first, last))
      return;
    Reserved reserved;
    for (OpOperand *use : *uses)
      stageUse(*use, reserved);
  }

  /// Room for two parts of a constant, for what was one op before it was cut
  /// into some rows each.
  struct Reserved {
    std::pair<unsigned, unsigned> span;
    int64_t partBytes = 0;
  };

  /// For one op alone, in parts where that takes many bytes.
  void stageUse(OpOperand &use, Reserved &reserved) {
    Operation *op = use.getOwner();
    auto linear = dyn_cast<WordLinearOp>(op);
    if (!linear || use.get() != linear.getWeight() ||
        getBytes(use.get()) <= kPartBytes)
      return stageOperand(use, /*isTaken=*/false);
    if (reserved.partBytes == 0 || reserved.span != transfers.getSpan(op))
      reserved = {transfers.getSpan(op), takeTwoParts(op)};
    if (reserved.partBytes == 0)
      return;
    SmallVector<WordLinearOp> parts = splitLinear(linear, reserved.partBytes);
    if (parts.front() != linear) {
      transfers.replace(op, llvm::to_vector_of<Operation *>(parts));
      op->erase();
    }
    for (WordLinearOp part : parts)
      stageOperand(part.getWeightMutable(), /*isTaken=*/true);
  }

  /// The one at work, and the next. Bytes of one, 0 if there is no room.
  int64_t takeTwoParts(Operation *op) {
    Operation *before = TransferBuilder::getStepBefore(op);
    for (int64_t bytes = kPartBytes; bytes >= kLeastPartBytes; bytes /= 2)
      if (transfers.take(before ? before : op, op, 2 * bytes))
        return bytes;
    return 0;
  }

  void stageOperand(OpOperand &use, bool isTaken) {
    Operation *op = use.getOwner();
    Value far = use.get();
    int64_t bytes = getBytes(far);
    if (!isDense(far) || bytes < kLeastTransferBytes)
      return;
    Operation *start = transfers.getStart(far, op);
    if (!isTaken && !transfers.take(start, op, bytes) &&
        !transfers.take(start = op, op, bytes))
      return;
    Value near = transfers.allocate(far, *op->getBlock());
    transfers.copyIn(far, near, start, op);
    use.set(near);
  }

  //===--------------------------------------------------------------------===//
  // Transfers
  //===--------------------------------------------------------------------===//

  /// All of `far`, for the steps of the function from `first` to `last`.
  bool stageBefore(Value far, Operation *first, Operation *last) {
    Operation *start = transfers.getStart(far, first);
    if (!transfers.take(start, last, getBytes(far)) &&
        !transfers.take(start = first, last, getBytes(far)))
      return false;
    Value near = transfers.allocate(far, home);
    transfers.copyIn(far, near, start, first);
    far.replaceUsesWithIf(near, [](OpOperand &use) {
      return !isa<TransferStartOp>(use.getOwner());
    });
    return true;
  }

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

  func::FuncOp function;
  Block &home;
  TransferBuilder &transfers;
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
    NearMemory near(target);
    RowStreams streams(function, timeline, *placements,
                       near.capacity - near.margin - near.staging);
    tinyformer::Room room(near.capacity - near.margin, near.staging,
                          streams.getNearBuffers());
    TransferBuilder transfers(function, timeline, std::move(room));
    streams.insert(transfers);
    Inserter(function, transfers).run();
    return success();
  }
};

} // namespace
} // namespace mlir::tinyattn
