// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The xpulp dialect: everything that its users include.

#ifndef TINYFORMER_DIALECT_XPULP_XPULP_H
#define TINYFORMER_DIALECT_XPULP_XPULP_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::xpulp {
/// The order of the instructions of a block.
struct OrderResource : SideEffects::Resource::Base<OrderResource> {
  StringRef getName() final { return "XpulpOrder"; }
};
} // namespace mlir::xpulp

#include "TinyFormer/Dialect/Xpulp/XpulpDialect.h.inc"
#include "TinyFormer/Dialect/Xpulp/XpulpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpArithmetic.h.inc"
#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpLoop.h.inc"
#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpMemory.h.inc"
#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpVector.h.inc"

namespace mlir::xpulp {
/// The hardware's limits on the body of a loop, in instructions.
constexpr unsigned minBodySize = 3;
constexpr unsigned maxBodySize = 2047;
/// What an outer loop has at least behind the one inside.
constexpr unsigned minBehindInner = 2;

/// Instructions that put `constant` into a register.
unsigned countInstructions(int32_t constant);

/// Instructions of a body, where no value has to be copied.
unsigned countInstructions(Block &body);
} // namespace mlir::xpulp

#endif // TINYFORMER_DIALECT_XPULP_XPULP_H
