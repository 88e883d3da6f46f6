// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::xpulp;

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpArithmetic.cpp.inc"

void XpulpDialect::addArithmetic() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/Xpulp/XpulpArithmetic.cpp.inc"
      >();
}

void LiOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (isa_and_present<BlockOp, HwloopOp>((*this)->getParentOp()))
    effects.emplace_back(MemoryEffects::Write::get(), OrderResource::get());
}
