// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferLifetimes.h"

#include "PackOperands/Packable.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/WordPanels.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::tinyattn;

void Timeline::number(Operation *op) {
  unsigned first = next++;
  for (Region &region : op->getRegions())
    for (Operation &inner : region.getOps())
      number(&inner);
  spans[op] = {first, next - 1};
}

/// From the first op that touches the buffer to the last. A loop beside the
/// allocation counts as a whole: what it reads may be from an earlier
/// iteration. Fails if the buffer outlives the region that allocates it.
static LogicalResult findLifetime(const Timeline &timeline,
                                  Placement &placement) {
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
      placement.users.push_back(user);
      auto [first, last] = timeline.getSpan(ancestor);
      if (first < buffer.start) {
        buffer.start = first;
        placement.writer = user;
      }
      buffer.end = std::max(buffer.end, last);
    }
  }
  if (placement.users.empty())
    buffer.start = buffer.end = timeline.getSpan(alloc).first;
  return success();
}

static LogicalResult checkPlaceable(memref::AllocOp alloc) {
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

/// With what kernels that take words may read behind the last row.
static uint64_t getBytes(MemRefType type, TargetAttr target) {
  uint64_t bytes = type.getNumElements() *
                   llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  if (hasWordKernels(target) && type.getRank() != 0 &&
      type.getElementType().isInteger(8))
    bytes += tinyformer::getReadAhead(type.getShape().back());
  return bytes;
}

/// Both sides of a transfer have their places; slices of them, too.
static tinyformer::Buffer::Place getPlace(Value buffer) {
  for (Operation *user : buffer.getUsers()) {
    if (auto transfer = dyn_cast<TransferStartOp>(user))
      return transfer.getNear() == buffer ? tinyformer::Buffer::InFirst
                                          : tinyformer::Buffer::NotInFirst;
    if (!isa<memref::SubViewOp>(user))
      continue;
    auto place = getPlace(user->getResult(0));
    if (place != tinyformer::Buffer::Anywhere)
      return place;
  }
  return tinyformer::Buffer::Anywhere;
}

FailureOr<SmallVector<Placement>>
tinyattn::collectBuffers(ModuleOp module, func::FuncOp function,
                         const Timeline &timeline, uint64_t alignment) {
  SmallVector<Placement> placements;
  auto target = module->getAttrOfType<TargetAttr>(kTarget);
  WalkResult result = module.walk([&](memref::AllocOp alloc) {
    if (alloc->getParentOfType<func::FuncOp>() != function) {
      alloc.emitError("allocates outside of the public function");
      return WalkResult::interrupt();
    }
    Placement placement{alloc};
    if (failed(checkPlaceable(alloc)) ||
        failed(findLifetime(timeline, placement)))
      return WalkResult::interrupt();
    placement.buffer.size = getBytes(alloc.getType(), target);
    placement.buffer.place = getPlace(alloc.getResult());
    placement.buffer.alignment =
        std::max<uint64_t>(alignment, alloc.getAlignment().value_or(1));
    placements.push_back(placement);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  return placements;
}

std::string tinyattn::getName(const Placement &placement) {
  std::string name;
  if (placement.writer)
    name = getLayerName(placement.writer->getLoc());
  if (!name.empty())
    return name;
  return getLayerName(memref::AllocOp(placement.alloc).getLoc());
}

DictionaryAttr tinyattn::describePlan(MLIRContext *context,
                                      const Timeline &timeline,
                                      ArrayRef<Placement> placements,
                                      ArrayRef<StringAttr> memories,
                                      ArrayRef<uint64_t> offsets) {
  Builder b(context);
  // Other ops do not matter to the plan, and would stretch a picture of it.
  std::map<unsigned, Operation *> ops;
  for (const Placement &placement : placements)
    for (Operation *user : placement.users)
      ops[timeline.getSpan(user).first] = user;
  SmallVector<unsigned> times;
  SmallVector<Attribute> steps, buffers;
  for (auto [time, op] : ops) {
    times.push_back(time);
    steps.push_back(b.getStringAttr(getLayerName(op->getLoc())));
  }
  for (auto [placement, memory, offset] :
       llvm::zip_equal(placements, memories, offsets)) {
    if (placement.users.empty())
      continue;
    const tinyformer::Buffer &buffer = placement.buffer;
    auto integer = [&](StringRef name, uint64_t value) {
      return b.getNamedAttr(name, b.getI64IntegerAttr(value));
    };
    int64_t first = llvm::lower_bound(times, buffer.start) - times.begin();
    int64_t last = llvm::upper_bound(times, buffer.end) - times.begin() - 1;
    buffers.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("name", b.getStringAttr(getName(placement))),
         b.getNamedAttr("memory", memory), integer("offset", offset),
         integer("size", buffer.size), integer("first", first),
         integer("last", last)}));
  }
  return b.getDictionaryAttr(
      {b.getNamedAttr("steps", b.getArrayAttr(steps)),
       b.getNamedAttr("buffers", b.getArrayAttr(buffers))});
}
