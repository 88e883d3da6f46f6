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

std::string describe(const Placement &placement) {
  std::string name = getName(placement);
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
    tinyformer::Plan plan = tinyformer::planMemory(buffers);
    // Never empty, so that the function's C interface is always the same.
    uint64_t size = std::max<uint64_t>(plan.size, alignment);
    FailureOr<StringAttr> memory = chooseMemory(*function, size, *placements);
    if (failed(memory))
      return failure();
    FailureOr<Value> arena =
        addArena(*function, *memory, size, plan.lowerBound);
    if (failed(arena))
      return failure();
    if (explain) {
      SmallVector<StringAttr> memories(placements->size(), *memory);
      function.value()->setAttr(kPlan, describePlan(&getContext(), timeline,
                                                    *placements, memories,
                                                    plan.offsets));
    }

    function->walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    for (auto [placement, offset] :
         llvm::zip_equal(*placements, plan.offsets)) {
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
