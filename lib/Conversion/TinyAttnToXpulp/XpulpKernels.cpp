// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "XpulpLowering.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

func::FuncOp
XpulpKernels::get(Location loc, StringRef name, unsigned arguments,
                  llvm::function_ref<void(XpulpBuilder &, ValueRange)> build) {
  if (auto existing = symbols.lookup<func::FuncOp>(name))
    return existing;
  XpulpBuilder b(loc, loc.getContext());
  SmallVector<Type> words(arguments, b.getI32Type());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(words, {}));
  function.setPrivate();
  // Inlined kernels would have the registers of their callers to share.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  symbols.insert(function);
  b.setInsertionPointToStart(function.addEntryBlock());
  build(b, function.getArguments());
  func::ReturnOp::create(b);
  return function;
}
