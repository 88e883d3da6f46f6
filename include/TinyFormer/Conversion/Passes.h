// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_CONVERSION_PASSES_H
#define TINYFORMER_CONVERSION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tinyattn {

#define GEN_PASS_DECL
#include "TinyFormer/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "TinyFormer/Conversion/Passes.h.inc"

} // namespace mlir::tinyattn

#endif // TINYFORMER_CONVERSION_PASSES_H
