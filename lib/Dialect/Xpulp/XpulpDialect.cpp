// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::xpulp;

#include "TinyFormer/Dialect/Xpulp/XpulpDialect.cpp.inc"
#include "TinyFormer/Dialect/Xpulp/XpulpInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpOps.cpp.inc"

void XpulpDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/Xpulp/XpulpOps.cpp.inc"
      >();
}

void LiOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (isa_and_present<BlockOp, HwloopOp>((*this)->getParentOp()))
    effects.emplace_back(MemoryEffects::Write::get(), OrderResource::get());
}

unsigned LiOp::getInstructionCount() {
  int32_t value = getValue();
  return llvm::isInt<12>(value) || (value & 0xfff) == 0 ? 1 : 2;
}
