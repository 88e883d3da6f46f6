// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/MemoryPlanner.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_PLANMEMORY
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// Numbers every op of a function, so that an op with regions spans the
/// numbers of what is inside.
class Timeline {
public:
  explicit Timeline(func::FuncOp function) {
    for (Operation &op : function.front())
      number(&op);
  }

  std::pair<unsigned, unsigned> getSpan(Operation *op) const {
    return spans.lookup(op);
  }

private:
  void number(Operation *op) {
    unsigned first = next++;
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        number(&inner);
    spans[op] = {first, next - 1};
  }

  llvm::DenseMap<Operation *, std::pair<unsigned, unsigned>> spans;
  unsigned next = 0;
};

/// One buffer to place.
struct Placement {
  memref::AllocOp alloc;
  tinyformer::Buffer buffer = {};
  /// The first op that touches it, or null.
  Operation *writer = nullptr;
};

/// From the first op that touches the buffer to the last. A loop beside the
/// allocation counts as a whole: what it reads may be from an earlier
/// iteration. Fails if the buffer outlives the region that allocates it.
LogicalResult findLifetime(const Timeline &timeline, Placement &placement) {
  memref::AllocOp alloc = placement.alloc;
  tinyformer::Buffer &buffer = placement.buffer;
  Block *home = alloc->getBlock();
  buffer.start = std::numeric_limits<unsigned>::max();
  buffer.end = 0;
  SmallVector<Value> aliases{alloc.getResult()};
  llvm::SmallDenseSet<Value> seen{alloc.getResult()};
  auto addAliases = [&](ValueRange values) {
    for (Value value : values)
      if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
        aliases.push_back(value);
  };
  while (!aliases.empty()) {
    for (Operation *user : aliases.pop_back_val().getUsers()) {
      if (isa<memref::DeallocOp>(user))
        continue;
      // What an op or a terminator passes on may be this buffer.
      addAliases(user->getResults());
      for (Region &region : user->getRegions())
        addAliases(region.getArguments());
      if (user->hasTrait<OpTrait::IsTerminator>()) {
        if (user->getBlock() == home)
          return alloc.emitError("outlives the region that allocates it");
        addAliases(user->getParentOp()->getResults());
        for (Region &region : user->getParentOp()->getRegions())
          addAliases(region.getArguments());
      }
      if (isa<ViewLikeOpInterface>(user))
        continue;
      Operation *ancestor = home->findAncestorOpInBlock(*user);
      if (!ancestor)
        return alloc.emitError(
            "is used outside of the block that allocates it");
      auto [first, last] = timeline.getSpan(ancestor);
      if (first < buffer.start) {
        buffer.start = first;
        placement.writer = user;
      }
      buffer.end = std::max(buffer.end, last);
    }
  }
  if (buffer.start > buffer.end)
    buffer.start = buffer.end = timeline.getSpan(alloc).first;
  return success();
}

LogicalResult checkPlaceable(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  if (!type.hasStaticShape())
    return alloc.emitError()
           << "cannot place " << type << ": its size is dynamic";
  if (!type.getLayout().isIdentity() || type.getMemorySpace())
    return alloc.emitError()
           << "cannot place " << type
           << ": expects the identity layout and no memory space";
  if (!type.getElementType().isIntOrFloat())
    return alloc.emitError()
           << "cannot place " << type << ": expects integers or floats";
  for (Operation *parent = alloc->getParentOp(); !isa<func::FuncOp>(parent);
       parent = parent->getParentOp())
    if (parent->hasTrait<OpTrait::HasParallelRegion>())
      return alloc.emitError()
             << "allocates in a parallel loop, whose iterations cannot share "
                "a buffer";
  return success();
}

uint64_t getBytes(MemRefType type) {
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// Named after what writes it: allocations of one shape may have become one.
std::string describe(const Placement &placement) {
  std::string name;
  if (placement.writer)
    name = getLayerName(placement.writer->getLoc());
  if (name.empty())
    name = getLayerName(memref::AllocOp(placement.alloc).getLoc());
  return (name.empty() ? "an unnamed one" : "'" + name + "'") + " with " +
         std::to_string(placement.buffer.size) + " bytes";
}

/// The first RAM of the target that holds the arena. Without a target any
/// size fits.
FailureOr<StringAttr> chooseMemory(func::FuncOp function, uint64_t size,
                                   ArrayRef<Placement> placements) {
  MLIRContext *context = function.getContext();
  auto target =
      function->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTarget);
  if (!target)
    return StringAttr::get(context, "ram");
  std::string capacities;
  for (MemoryAttr memory : target.getMemories()) {
    if (memory.getKind() != MemoryKind::Ram)
      continue;
    uint64_t capacity = memory.getSize() - memory.getReserved();
    if (size <= capacity)
      return StringAttr::get(context, memory.getName());
    capacities += (capacities.empty() ? "'" : " and '") +
                  memory.getName().str() + "' holds " +
                  std::to_string(capacity);
  }
  InFlightDiagnostic error = function.emitError();
  error << "arena needs " << size << " bytes but ";
  if (capacities.empty())
    return error << "target '" << target.getName() << "' has no RAM";
  error << capacities;
  SmallVector<Placement> sorted(placements);
  llvm::stable_sort(sorted, [](const Placement &a, const Placement &b) {
    return a.buffer.size > b.buffer.size;
  });
  StringRef separator = "; the largest buffers are ";
  for (const Placement &placement : ArrayRef(sorted).take_front(3)) {
    error << separator << describe(placement);
    separator = ", ";
  }
  return error;
}

struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  using Base::Base;

  FailureOr<func::FuncOp> findFunction() {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal())
        functions.push_back(function);
    if (functions.size() != 1)
      return getOperation().emitError()
             << "expects one public function to plan, got " << functions.size();
    if (!functions.front().getBody().hasOneBlock())
      return functions.front().emitError()
             << "expects one block, got "
             << functions.front().getBody().getBlocks().size();
    return functions.front();
  }

  LogicalResult collect(func::FuncOp function,
                        SmallVectorImpl<Placement> &placements) {
    Timeline timeline(function);
    WalkResult result = getOperation().walk([&](memref::AllocOp alloc) {
      if (alloc->getParentOfType<func::FuncOp>() != function) {
        alloc.emitError("allocates outside of the public function");
        return WalkResult::interrupt();
      }
      Placement placement{alloc};
      if (failed(checkPlaceable(alloc)) ||
          failed(findLifetime(timeline, placement)))
        return WalkResult::interrupt();
      placement.buffer.size = getBytes(alloc.getType());
      placement.buffer.alignment =
          std::max<uint64_t>(alignment, alloc.getAlignment().value_or(1));
      placements.push_back(placement);
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// The arena as a new last argument.
  FailureOr<Value> addArena(func::FuncOp function, StringAttr memory,
                            uint64_t size, uint64_t lowerBound) {
    Builder builder(&getContext());
    auto type =
        MemRefType::get({static_cast<int64_t>(size)}, builder.getI8Type());
    NamedAttribute attributes[] = {
        builder.getNamedAttr(kArena, memory),
        builder.getNamedAttr(kArenaLowerBound,
                             builder.getI64IntegerAttr(lowerBound))};
    unsigned index = function.getNumArguments();
    if (failed(function.insertArgument(index, type,
                                       builder.getDictionaryAttr(attributes),
                                       function.getLoc())))
      return failure();
    return Value(function.getArgument(index));
  }

  LogicalResult plan() {
    if (!llvm::isPowerOf2_64(alignment))
      return getOperation().emitError()
             << "expects an alignment that is a power of two, got "
             << alignment.getValue();
    FailureOr<func::FuncOp> function = findFunction();
    SmallVector<Placement> placements;
    if (failed(function) || failed(collect(*function, placements)))
      return failure();

    std::vector<tinyformer::Buffer> buffers;
    for (const Placement &placement : placements)
      buffers.push_back(placement.buffer);
    tinyformer::Plan plan = tinyformer::planMemory(buffers);
    // Never empty, so that the function's C interface is always the same.
    uint64_t size = std::max<uint64_t>(plan.size, alignment);
    FailureOr<StringAttr> memory = chooseMemory(*function, size, placements);
    if (failed(memory))
      return failure();
    FailureOr<Value> arena =
        addArena(*function, *memory, size, plan.lowerBound);
    if (failed(arena))
      return failure();

    function->walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    for (auto [placement, offset] : llvm::zip_equal(placements, plan.offsets)) {
      memref::AllocOp alloc = placement.alloc;
      OpBuilder builder(alloc);
      Value position = arith::ConstantIndexOp::create(
          builder, alloc.getLoc(), static_cast<int64_t>(offset));
      Value view =
          memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(),
                                 *arena, position, /*sizes=*/ValueRange());
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
    return success();
  }

  void runOnOperation() override {
    if (failed(plan()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
