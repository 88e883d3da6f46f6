// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activations that the first memory has no room for: they stay in the far
// memory, and the ops on them get some rows at a time.

#ifndef TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROWSTREAMS_H
#define TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROWSTREAMS_H

#include "TransferBuilder.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::tinyattn {

/// The buffers of a function that go to the far memory.
class RowStreams {
public:
  /// Chooses them so that the rest, at any time, takes no more than `capacity`
  /// bytes, if there are enough that ops take by rows: the largest first.
  RowStreams(func::FuncOp function, const Timeline &timeline,
             ArrayRef<Placement> placements, uint64_t capacity);

  /// The allocations that are not among them.
  std::vector<tinyformer::Buffer> getNearBuffers() const;

  /// Cuts the ops on them into parts of some rows. While cores compute one
  /// part, the rows of the next one come and those of the last one go.
  void insert(TransferBuilder &transfers);

private:
  bool hasFarRows(Operation *op) const;

  func::FuncOp function;
  ArrayRef<Placement> placements;
  llvm::SmallSetVector<Value, 8> far;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_ROWSTREAMS_H
