// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers for the values of an armdsp.block, whose order is not to change.

#ifndef TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_ALLOCATEREGISTERS_H
#define TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_ALLOCATEREGISTERS_H

#include "TinyFormer/Dialect/ArmDsp/ArmDsp.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::armdsp {

/// Names of registers, as the assembler knows them.
struct Registers {
  llvm::DenseMap<Value, StringRef> names;
  /// What must be copied in front of a loop: targets and sources.
  llvm::DenseMap<Operation *, SmallVector<std::pair<StringRef, StringRef>>>
      copies;
  /// All that are written, but for the inputs.
  llvm::SetVector<StringRef> written;
};

/// Linear scan: a value keeps its register from its definition to its last use.
/// The inputs are in r0, r1 and so on. A value that is iterated by a loop has
/// one register in all iterations. Fails with a diagnostic if there are not
/// enough registers, or where an iterated value is still in use when the next
/// one takes its place.
FailureOr<Registers> allocateRegisters(BlockOp block);

} // namespace mlir::armdsp

#endif // TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_ALLOCATEREGISTERS_H
