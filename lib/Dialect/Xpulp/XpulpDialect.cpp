// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::xpulp;

#include "TinyFormer/Dialect/Xpulp/XpulpDialect.cpp.inc"
#include "TinyFormer/Dialect/Xpulp/XpulpInterfaces.cpp.inc"

void XpulpDialect::initialize() {
  addArithmetic();
  addLoops();
  addMemory();
  addVectors();
}
