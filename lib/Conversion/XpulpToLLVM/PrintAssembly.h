// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of xpulp ops for the assembler.

#ifndef TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_PRINTASSEMBLY_H
#define TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_PRINTASSEMBLY_H

#include "AllocateSlots.h"

namespace mlir::xpulp {

/// The instruction with the operands $0, $1 and so on: results, then operands.
std::string printInstruction(InstructionOpInterface op);

/// One instruction a line, where slot i is the operand `operands[i]` of the
/// assembly. Loops are aligned and not compressed.
std::string printBlock(BlockOp block, const Slots &slots,
                       ArrayRef<unsigned> operands);

} // namespace mlir::xpulp

#endif // TINYFORMER_LIB_CONVERSION_XPULPTOLLVM_PRINTASSEMBLY_H
