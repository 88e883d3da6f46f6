// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "XpulpLowering.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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

Value XpulpKernels::loadShare(ImplicitLocOpBuilder &b, ArrayRef<int64_t> starts,
                              Value core) {
  std::string name = "tf_shares";
  for (int64_t start : starts)
    name += "_" + std::to_string(start);
  auto type = MemRefType::get({int64_t(starts.size())}, b.getI32Type());
  if (!symbols.lookup(name)) {
    auto tensor = RankedTensorType::get(type.getShape(), b.getI32Type());
    auto words = llvm::to_vector_of<int32_t>(starts);
    OpBuilder detached(b.getContext());
    symbols.insert(memref::GlobalOp::create(
        detached, b.getLoc(), name, b.getStringAttr("private"), type,
        DenseElementsAttr::get(tensor, ArrayRef<int32_t>(words)),
        /*constant=*/true, /*alignment=*/IntegerAttr()));
  }
  Value table = memref::GetGlobalOp::create(b, type, name);
  Value start = memref::LoadOp::create(b, table, core);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), start);
}

void pulp::forShare(LayerBuilder &b, Value first, Value count,
                    llvm::function_ref<void(Value)> body) {
  Value end = arith::AddIOp::create(b, first, count);
  auto loop = scf::ForOp::create(b, first, end, b.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}
