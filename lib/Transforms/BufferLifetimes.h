// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `tinyattn-plan-memory` has to place, and when it is alive.

#ifndef TINYFORMER_LIB_TRANSFORMS_BUFFERLIFETIMES_H
#define TINYFORMER_LIB_TRANSFORMS_BUFFERLIFETIMES_H

#include "TinyFormer/Transforms/MemoryPlanner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::tinyattn {

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
  void number(Operation *op);

  llvm::DenseMap<Operation *, std::pair<unsigned, unsigned>> spans;
  unsigned next = 0;
};

/// One buffer to place.
struct Placement {
  memref::AllocOp alloc;
  tinyformer::Buffer buffer = {};
  /// The first op that touches it, or null.
  Operation *writer = nullptr;
  /// All ops that touch it.
  SmallVector<Operation *> users;
};

/// All allocations of the module, which must be in `function`, with at least
/// this alignment each.
FailureOr<SmallVector<Placement>> collectBuffers(ModuleOp module,
                                                 func::FuncOp function,
                                                 const Timeline &timeline,
                                                 uint64_t alignment);

/// Named after what writes it, because allocations of one shape may have become
/// one; "" if nothing there has a name.
std::string getName(const Placement &placement);

/// What the function's attribute says about the plan: the ops that touch
/// buffers, by the names of their layers, and for each buffer its place and the
/// first and last of these ops.
DictionaryAttr describePlan(MLIRContext *context, const Timeline &timeline,
                            ArrayRef<Placement> placements,
                            ArrayRef<StringAttr> memories,
                            ArrayRef<uint64_t> offsets);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_BUFFERLIFETIMES_H
