// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slots for the values of an xpulp.block: registers without names, of which
// LLVM chooses one each.

#ifndef TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_ALLOCATESLOTS_H
#define TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_ALLOCATESLOTS_H

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::xpulp {

/// Registers that LLVM gives to inline assembly: all but x0, sp, gp and tp.
constexpr unsigned registerCount = 28;

struct Copy {
  unsigned target, source;
};

struct Slots {
  /// How many there are. The first ones begin with the values of `inputs`.
  unsigned count = 0;
  llvm::SetVector<Value> inputs;
  llvm::DenseMap<Value, unsigned> numbers;
  /// Those that are written to.
  llvm::SmallSetVector<unsigned, 32> written;
  /// What must be copied in front of an op, one after the other.
  llvm::DenseMap<Operation *, SmallVector<Copy>> copies;
  /// Instructions of each loop's body, with copies.
  llvm::DenseMap<Operation *, unsigned> lengths;
  /// Where loops have a number of rounds that their set-up cannot hold.
  llvm::DenseMap<Operation *, unsigned> counters;
};

/// Linear scan: values whose life times do not overlap share a slot, so that
/// there are as many slots as values are alive at once. An operand that its
/// instruction overwrites hands its slot on if it dies there, and a loop's
/// iterated value stays in its slot where the dataflow lets it; all else is
/// copied. `kept` are inputs that are needed behind the block.
///
/// Fails with a diagnostic if that takes more registers than there are, or
/// copies make a loop's body too long.
FailureOr<Slots> allocateSlots(BlockOp block,
                               const llvm::DenseSet<Value> &kept);

} // namespace mlir::xpulp

#endif // TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_ALLOCATESLOTS_H
