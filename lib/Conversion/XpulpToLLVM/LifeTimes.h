// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When each value of an xpulp.block is needed for the last time.

#ifndef TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_LIFETIMES_H
#define TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_LIFETIMES_H

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "llvm/ADT/DenseMap.h"

namespace mlir::xpulp {

/// Positions of instructions in their order, and the last one at which each
/// value is needed within the block.
class LifeTimes {
public:
  explicit LifeTimes(BlockOp block);

  unsigned getPosition(Operation *op) const { return positions.lookup(op); }

  /// 0 without uses. A value from outside a loop is needed until it is over.
  unsigned getLastUse(Value value) const;

  bool diesAt(Value value, Operation *op) const {
    return getLastUse(value) == getPosition(op);
  }

  /// The operand that hands its register on to `value`: the one that the
  /// instruction overwrites, or a loop's init, if it dies there.
  Value getPredecessor(Value value) const;

private:
  unsigned getEnd(Value value, Operation *user) const;

  llvm::DenseMap<Operation *, unsigned> positions;
  Block *body;
};

/// The operand that the definition of `result` overwrites with it, if any.
OpOperand *getTiedOperand(OpResult result);

} // namespace mlir::xpulp

#endif // TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_LIFETIMES_H
