// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferLifetimes.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_PLANMEMORY
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

std::string describeBuffer(const Placement &placement) {
  std::string name = getName(placement);
  return (name.empty() ? "an unnamed one" : "'" + name + "'") + " with " +
         std::to_string(placement.buffer.size) + " bytes";
}

/// A memory that may hold an arena.
struct Ram {
  StringAttr name;
  uint64_t capacity;
};

/// The RAM of the target in the order of preference. Without a target any size
/// fits.
SmallVector<Ram> getRams(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  auto target =
      function->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTarget);
  if (!target)
    return {{StringAttr::get(context, "ram"),
             std::numeric_limits<uint64_t>::max()}};
  SmallVector<Ram> rams;
  for (MemoryAttr memory : target.getMemories())
    if (memory.getKind() == MemoryKind::Ram)
      rams.push_back({StringAttr::get(context, memory.getName()),
                      memory.getSize() - memory.getReserved()});
  return rams;
}

/// Without any RAM, or with too little of it.
LogicalResult reportTooLarge(func::FuncOp function, uint64_t size,
                             ArrayRef<Ram> rams,
                             ArrayRef<Placement> placements) {
  InFlightDiagnostic error = function.emitError();
  error << "arena needs " << size << " bytes but ";
  if (rams.empty()) {
    auto target =
        function->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
            kTarget);
    return error << "target '" << target.getName() << "' has no RAM";
  }
  llvm::interleave(
      rams,
      [&](const Ram &ram) {
        error << "'" << ram.name.getValue() << "' holds " << ram.capacity;
      },
      [&] { error << " and "; });
  if (rams.size() > 1)
    error << ", and it cannot be spread over them";
  SmallVector<Placement> sorted(placements);
  llvm::stable_sort(sorted, [](const Placement &a, const Placement &b) {
    return a.buffer.size > b.buffer.size;
  });
  StringRef separator = "; the largest buffers are ";
  for (const Placement &placement : ArrayRef(sorted).take_front(3)) {
    error << separator << describeBuffer(placement);
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

  /// An arena as a new last argument.
  FailureOr<Value> addArena(func::FuncOp function, StringAttr memory,
                            tinyformer::Arena arena) {
    Builder builder(&getContext());
    auto type = MemRefType::get({static_cast<int64_t>(arena.size)},
                                builder.getI8Type());
    NamedAttribute attributes[] = {
        builder.getNamedAttr(kArena, memory),
        builder.getNamedAttr(kArenaLowerBound,
                             builder.getI64IntegerAttr(arena.lowerBound))};
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
    if (failed(function))
      return failure();
    Timeline timeline(*function);
    FailureOr<SmallVector<Placement>> placements =
        collectBuffers(getOperation(), *function, timeline, alignment);
    if (failed(placements))
      return failure();

    std::vector<tinyformer::Buffer> buffers;
    for (const Placement &placement : *placements)
      buffers.push_back(placement.buffer);
    SmallVector<Ram> rams = getRams(*function);
    tinyformer::SpreadPlan plan = spread(buffers, rams);
    if (!plan.fits)
      return reportTooLarge(*function,
                            std::max<uint64_t>(plan.whole.size, alignment),
                            rams, *placements);
    SmallVector<Value> arenas;
    for (auto [ram, arena] : llvm::zip_equal(rams, plan.arenas)) {
      FailureOr<Value> value = Value();
      if (arena.size != 0)
        value = addArena(*function, ram.name, arena);
      if (failed(value))
        return failure();
      arenas.push_back(*value);
    }
    if (explain)
      describe(*function, timeline, *placements, rams, plan);
    rewrite(*function, *placements, arenas, plan);
    return success();
  }

  /// There is always an arena, so that the function's C interface is always the
  /// same.
  tinyformer::SpreadPlan spread(const std::vector<tinyformer::Buffer> &buffers,
                                ArrayRef<Ram> rams) {
    std::vector<uint64_t> capacities;
    for (const Ram &ram : rams)
      capacities.push_back(ram.capacity);
    tinyformer::SpreadPlan plan = tinyformer::spreadMemory(buffers, capacities);
    if (plan.whole.size != 0)
      return plan;
    const Ram *first = llvm::find_if(
        rams, [&](const Ram &ram) { return ram.capacity >= alignment; });
    plan.fits = first != rams.end();
    if (!plan.fits)
      return plan;
    unsigned memory = first - rams.begin();
    plan.memories.assign(buffers.size(), memory);
    plan.arenas[memory].size = alignment;
    return plan;
  }

  void describe(func::FuncOp function, const Timeline &timeline,
                ArrayRef<Placement> placements, ArrayRef<Ram> rams,
                const tinyformer::SpreadPlan &plan) {
    SmallVector<StringAttr> memories;
    for (unsigned memory : plan.memories)
      memories.push_back(rams[memory].name);
    function->setAttr(kPlan, describePlan(&getContext(), timeline, placements,
                                          memories, plan.offsets));
  }

  /// Allocations become views of the arenas.
  void rewrite(func::FuncOp function, ArrayRef<Placement> placements,
               ArrayRef<Value> arenas, const tinyformer::SpreadPlan &plan) {
    function->walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    for (auto [placement, memory, offset] :
         llvm::zip_equal(placements, plan.memories, plan.offsets)) {
      memref::AllocOp alloc = placement.alloc;
      OpBuilder builder(alloc);
      Value position = arith::ConstantIndexOp::create(
          builder, alloc.getLoc(), static_cast<int64_t>(offset));
      Value view = memref::ViewOp::create(
          builder, alloc.getLoc(), alloc.getType(), arenas[memory], position,
          /*sizes=*/ValueRange());
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
  }

  void runOnOperation() override {
    if (failed(plan()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
