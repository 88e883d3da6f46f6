// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The armdsp dialect: everything that its users include.

#ifndef TINYFORMER_DIALECT_ARMDSP_ARMDSP_H
#define TINYFORMER_DIALECT_ARMDSP_ARMDSP_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::armdsp {
/// The flags GE of the program status register.
struct FlagsResource : SideEffects::Resource::Base<FlagsResource> {
  StringRef getName() final { return "ArmFlags"; }
};

/// The order of the instructions of a block.
struct OrderResource : SideEffects::Resource::Base<OrderResource> {
  StringRef getName() final { return "ArmOrder"; }
};
} // namespace mlir::armdsp

#include "TinyFormer/Dialect/ArmDsp/ArmDspDialect.h.inc"
#include "TinyFormer/Dialect/ArmDsp/ArmDspInterfaces.h.inc"

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/ArmDsp/ArmDspOps.h.inc"

#endif // TINYFORMER_DIALECT_ARMDSP_ARMDSP_H
