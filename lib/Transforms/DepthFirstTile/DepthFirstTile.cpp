// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TileAttention.h"

#include "../PackOperands/Packable.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/NearMemory.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_DEPTHFIRSTTILE
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

using tinyformer::AttentionShape;
using tinyformer::Choice;
using tinyformer::Schedule;
using tinyformer::ScheduleKind;
using tinyformer::ScheduleQuery;

bool arePackableKeysAndValues(MhsaOp op) {
  return getPackable(op.getKeyWeight(), op.getKeyBias(), op.getKeyMultipliers(),
                     op.getKeyRequantAttr()) &&
         getPackable(op.getValueWeight(), op.getValueBias(),
                     op.getValueMultipliers(), op.getValueRequantAttr());
}

/// They are the input itself.
bool arePackableKeysAndValues(FusedMhsaOp) { return true; }

/// What `tinyattn-pack-operands` will do with the layer.
template <typename AttentionOp>
tinyformer::AttentionPacking
getPacking(AttentionOp op, const AttentionShape &shape, TargetAttr target) {
  tinyformer::AttentionPacking packing;
  if (!op.isQuantized())
    return packing;
  packing.output =
      getPackable(op.getOutputWeight(), op.getOutputBias(),
                  op.getOutputMultipliers(), op.getOutputRequantAttr())
          .has_value();
  packing.attention =
      shape.headWidth % 2 == 0 && shape.valueWidth % 2 == 0 &&
      !tinyformer::areValuesTooLarge(shape.tokens, shape.valueWidth,
                                     op.getContextRequantAttr().getShift(),
                                     getRoomForValues(target)) &&
      arePackableKeysAndValues(op) &&
      getPackable(op.getQueryWeight(), op.getQueryBias(),
                  op.getQueryMultipliers(), op.getQueryRequantAttr()) &&
      isPackableScores(op.getScoresMultipliers(), op.getScoresRequantAttr()) &&
      isPackableContext(op.getContextMultipliers(), op.getContextRequantAttr());
  if (!packing.attention)
    return packing;
  packing.jointKeys = tinyformer::shouldJoinKeys(
      shape.headWidth, op.getScoresRequantAttr().getShift());
  packing.jointValues = tinyformer::shouldJoinValues(
      shape.tokens, op.getContextRequantAttr().getShift());
  return packing;
}

template <typename AttentionOp>
AttentionShape getAttentionShape(AttentionOp op, bool fusedWeights,
                                 TargetAttr target) {
  ArrayRef<int64_t> input = op.getInput().getType().getShape();
  int64_t heads = op.getHeads();
  AttentionShape shape = {input[0],
                          input[1],
                          op.getQueryWeight().getType().getDimSize(0) / heads,
                          op.getValueWidth(),
                          heads,
                          op.getOutputWeight().getType().getDimSize(0),
                          op.getQuerySource().getType().getDimSize(0),
                          fusedWeights};
  if (hasPanelKernels(target))
    shape.packing = getPacking(op, shape, target);
  shape.packing.words = hasWordKernels(target);
  if (shape.packing.words) {
    shape.cores = target.getCores();
    shape.packing.copiesInput = shouldMoveRows(target, shape.width);
  }
  return shape;
}

AttentionShape getAttentionShape(Operation *op, TargetAttr target) {
  if (auto mhsa = dyn_cast<MhsaOp>(op))
    return getAttentionShape(mhsa, /*fusedWeights=*/false, target);
  return getAttentionShape(cast<FusedMhsaOp>(op), /*fusedWeights=*/true,
                           target);
}

/// Bytes in the arena that are alive beside the attention's own: results from
/// before it with uses from it on, and its own result if it is not returned.
uint64_t getBytesAlive(Operation *attention) {
  auto getBytes = [](Value value) -> uint64_t {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return 0;
    return type.getNumElements() *
           llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  };
  // A use may be in a loop, if the layer before has become one.
  auto isUsedLater = [&](Operation *user) {
    Operation *ancestor = attention->getBlock()->findAncestorOpInBlock(*user);
    return ancestor && !ancestor->isBeforeInBlock(attention);
  };
  uint64_t bytes = 0;
  for (Operation &op : *attention->getBlock()) {
    if (&op == attention)
      break;
    if (op.hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp>(op))
      continue;
    for (Value result : op.getResults())
      if (llvm::any_of(result.getUsers(), isUsedLater))
        bytes += getBytes(result);
  }
  Value result = attention->getResult(0);
  if (!llvm::all_of(result.getUsers(), llvm::IsaPred<func::ReturnOp>))
    bytes += getBytes(result);
  return bytes;
}

/// The target of the op's module, or null.
TargetAttr getTarget(Operation *op) {
  return op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTarget);
}

/// What the largest memory for an arena leaves to this layer; of a cluster, the
/// memory that its cores share.
uint64_t getCapacity(Operation *attention, TargetAttr target) {
  if (!target)
    return std::numeric_limits<uint64_t>::max();
  uint64_t largest = 0;
  if (hasWordKernels(target)) {
    // Other memories than the first one are ten times as slow.
    NearMemory near(target);
    largest = near.capacity - near.staging;
  } else {
    for (MemoryAttr memory : target.getMemories())
      if (memory.getKind() == MemoryKind::Ram)
        largest = std::max(largest, memory.getSize() - memory.getReserved());
  }
  return largest - std::min(largest, getBytesAlive(attention));
}

/// What the memory behind a DMA holds besides.
uint64_t getFarCapacity(Operation *attention, TargetAttr target) {
  if (!target || !target.getDma())
    return 0;
  for (MemoryAttr memory : target.getMemories()) {
    if (memory.getName() != target.getDma().getFar())
      continue;
    uint64_t free = memory.getSize() - memory.getReserved();
    return free - std::min(free, getBytesAlive(attention));
  }
  return 0;
}

struct DepthFirstTile : impl::DepthFirstTileBase<DepthFirstTile> {
  using Base::Base;

  /// The options, but for the target and the layer.
  FailureOr<ScheduleQuery> readOptions() {
    ScheduleQuery query;
    int64_t rows = 0;
    if (optimize == "size")
      query.goal = ScheduleQuery::Size;
    else if (optimize != "cycles")
      return getOperation().emitError()
             << "optimize takes cycles or size, got '" << optimize << "'";
    if (tile == "none")
      query.kind = ScheduleKind::None;
    else if (tile == "min")
      query.goal = ScheduleQuery::SmallestPeak;
    else if (llvm::to_integer(tile.getValue(), rows) && rows >= 1)
      query.rows = rows;
    else if (tile != "auto")
      return getOperation().emitError()
             << "tile takes auto, none, min or a positive number of rows, got '"
             << tile << "'";
    if (schedule.empty())
      return query;
    std::optional<ScheduleKind> kind = tinyformer::findScheduleKind(schedule);
    if (!kind)
      return getOperation().emitError()
             << "unknown schedule '" << schedule << "'";
    if ((kind == ScheduleKind::None) != (tile == "none"))
      return getOperation().emitError()
             << "schedule '" << schedule << "' contradicts tile '" << tile
             << "'";
    query.kind = kind;
    return query;
  }

  /// What the function's attribute says about a layer.
  Attribute describe(Operation *op, const Choice &choice) {
    Builder b(&getContext());
    const Schedule &best = choice.schedule;
    SmallVector<NamedAttribute> entries = {
        b.getNamedAttr("layer", b.getStringAttr(getLayerName(op->getLoc()))),
        b.getNamedAttr("schedule",
                       b.getStringAttr(tinyformer::getName(best.kind))),
        b.getNamedAttr("rows", b.getI64IntegerAttr(best.rows)),
        b.getNamedAttr("arena_bytes", b.getI64IntegerAttr(best.arenaBytes)),
        b.getNamedAttr("cycles", b.getI64IntegerAttr(best.cycles))};
    if (!explain)
      return b.getDictionaryAttr(entries);
    entries.push_back(b.getNamedAttr(
        "reason", b.getStringAttr(tinyformer::getName(choice.reason))));
    entries.push_back(
        b.getNamedAttr("considered", describe(choice.considered)));
    if (TargetAttr target = getTarget(op))
      entries.push_back(b.getNamedAttr(
          "capacity", b.getI64IntegerAttr(getCapacity(op, target))));
    return b.getDictionaryAttr(entries);
  }

  /// One dictionary a kind of schedule, with an array for each figure.
  Attribute describe(ArrayRef<Schedule> schedules) {
    Builder b(&getContext());
    SmallVector<Attribute> kinds;
    while (!schedules.empty()) {
      ScheduleKind kind = schedules.front().kind;
      ArrayRef<Schedule> same = schedules.take_while(
          [&](const Schedule &schedule) { return schedule.kind == kind; });
      schedules = schedules.drop_front(same.size());
      auto list = [&](StringRef name, auto read) {
        return b.getNamedAttr(
            name, b.getDenseI64ArrayAttr(llvm::map_to_vector(same, read)));
      };
      kinds.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("schedule",
                          b.getStringAttr(tinyformer::getName(kind))),
           list("rows", [](const Schedule &s) { return s.rows; }),
           list("arena_bytes",
                [](const Schedule &s) { return int64_t(s.arenaBytes); }),
           list("cycles",
                [](const Schedule &s) { return int64_t(s.cycles); })}));
    }
    return b.getArrayAttr(kinds);
  }

  FailureOr<Choice> choose(Operation *op, ScheduleQuery query) {
    TargetAttr target = getTarget(op);
    AttentionShape shape = getAttentionShape(op, target);
    if (query.rows > shape.tokens)
      return op->emitOpError()
             << "has " << shape.tokens << " rows, but tiles of " << *query.rows
             << " rows are asked for";
    query.capacity = getCapacity(op, target);
    query.farCapacity = getFarCapacity(op, target);
    if (target)
      query.core = target.getCore().str();
    return tinyformer::chooseSchedule(shape, query);
  }

  LogicalResult tileAll() {
    FailureOr<ScheduleQuery> query = readOptions();
    if (failed(query))
      return failure();
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<MhsaOp, FusedMhsaOp>(op))
        ops.push_back(op);
    });
    SmallVector<Attribute> descriptions;
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      FailureOr<Choice> choice = choose(op, *query);
      if (failed(choice))
        return failure();
      descriptions.push_back(describe(op, *choice));
      if (choice->schedule.kind != ScheduleKind::None &&
          failed(tileAttention(rewriter, op, choice->schedule)))
        return failure();
    }
    if (!descriptions.empty())
      getOperation()->setAttr(kSchedules,
                              ArrayAttr::get(&getContext(), descriptions));
    return success();
  }

  void runOnOperation() override {
    if (failed(tileAll()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
