// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfers, their waits, and room for their buffers.

#ifndef TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_TRANSFERBUILDER_H
#define TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_TRANSFERBUILDER_H

#include "../BufferLifetimes.h"
#include "Room.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {

/// What is smaller costs less where it is than a transfer costs.
constexpr int64_t kLeastTransferBytes = 64;

int64_t getBytes(Value memRef);

/// Whether its bytes follow each other, as a transfer copies them.
bool isDense(Value memRef);

/// Whether `op` runs on the cores. A loop is a step of the block that it is in.
bool isStep(Operation *op);

/// A use by a step that is no loop: whether it writes.
bool isWritten(OpOperand &use);

/// The uses of a buffer, and of slices of it, by steps; none if something else
/// has it.
std::optional<SmallVector<OpOperand *>> findUses(Value buffer);

class TransferBuilder {
public:
  TransferBuilder(func::FuncOp function, const Timeline &timeline,
                  tinyformer::Room room)
      : function(function), timeline(timeline), room(std::move(room)),
        rewriter(function.getContext()) {}

  /// Takes room for `bytes` bytes from step `start` to step `end`.
  bool take(Operation *start, Operation *end, int64_t bytes);

  /// When `op` runs; of a part, when the whole was to run.
  std::pair<unsigned, unsigned> getSpan(Operation *op) const;

  /// The step before `op` in its block, or null.
  static Operation *getStepBefore(Operation *op);

  /// The step before `op`, so that a transfer of `far` is behind it, or `op`
  /// itself if that is not possible.
  Operation *getStart(Value far, Operation *op);

  /// Takes `parts` for what `op`, which goes away, was. They are in its place.
  void replace(Operation *op, ArrayRef<Operation *> parts);

  /// No more is said of `op`, which goes away.
  void forget(Operation *op) { waits.erase(op); }

  /// A buffer as large as `like`, made at the start of the block: before all
  /// slices of it.
  Value allocate(Value like, Block &block);

  /// Copies `far` to `near` from before `start` on, until `step` needs it.
  void copyIn(Value far, Value near, Operation *start, Operation *step);

  /// Copies `near`, which is complete behind `last`, to `far`, and waits for
  /// that before `step`.
  void copyOut(Value near, Value far, Operation *last, Operation *step);

private:
  bool moveTo(Value far, Operation *place);
  void waitBefore(Operation *step, Value number, Value near);

  func::FuncOp function;
  const Timeline &timeline;
  tinyformer::Room room;
  IRRewriter rewriter;
  /// One for all that a step needs.
  llvm::DenseMap<Operation *, TransferWaitOp> waits;
  /// Of ops that are parts of another, when that one was to run.
  llvm::DenseMap<Operation *, std::pair<unsigned, unsigned>> spans;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_INSERTTRANSFERS_TRANSFERBUILDER_H
