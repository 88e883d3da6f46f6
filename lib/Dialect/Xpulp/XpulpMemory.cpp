// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::xpulp;

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpMemory.cpp.inc"

void XpulpDialect::addMemory() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/Xpulp/XpulpMemory.cpp.inc"
      >();
}
