// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of an armdsp.block for the assembler.

#ifndef TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_PRINTASSEMBLY_H
#define TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_PRINTASSEMBLY_H

#include "AllocateRegisters.h"

namespace mlir::armdsp {

/// One instruction a line; loops have local numeric labels.
std::string printAssembly(BlockOp block, const Registers &registers);

} // namespace mlir::armdsp

#endif // TINYFORMER_LIB_CONVERSION_ARMDSPTOLLVM_PRINTASSEMBLY_H
