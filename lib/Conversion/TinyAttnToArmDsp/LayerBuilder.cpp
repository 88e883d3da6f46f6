// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

func::FuncOp KernelLibrary::get(
    Location loc, StringRef name, unsigned arguments,
    llvm::function_ref<void(KernelBuilder &, ValueRange)> build) {
  if (auto existing = symbols.lookup<func::FuncOp>(name))
    return existing;
  KernelBuilder b(loc, loc.getContext());
  SmallVector<Type> words(arguments, b.getI32Type());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(words, {}));
  function.setPrivate();
  // Inlined blocks of assembly would be copied by whatever unrolls loops.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  symbols.insert(function);
  Block *body = function.addEntryBlock();
  b.setInsertionPointToEnd(body);
  auto block = armdsp::BlockOp::create(b, body->getArguments());
  func::ReturnOp::create(b);
  SmallVector<Location> locations(arguments, loc);
  Block *instructions = b.createBlock(&block.getBody(), {}, words, locations);
  build(b, instructions->getArguments());
  return function;
}

std::optional<SmallVector<int64_t>> tinyattn::getStaticStrides(Value memRef) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(cast<MemRefType>(memRef.getType())
                 .getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamicShape(strides))
    return std::nullopt;
  return strides;
}

void LayerBuilder::forEach(int64_t count,
                           llvm::function_ref<void(Value)> body) {
  if (count == 0)
    return;
  if (count == 1)
    return body(index(0));
  auto loop = scf::ForOp::create(*this, index(0), index(count), index(1));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value LayerBuilder::getAddress(Value memRef) {
  auto type = cast<MemRefType>(memRef.getType());
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(*this, memRef);
  if (type.getLayout().isIdentity())
    return address;
  auto metadata = memref::ExtractStridedMetadataOp::create(*this, memRef);
  return advance(address, metadata.getOffset(),
                 type.getElementTypeBitWidth() / 8);
}

Value LayerBuilder::advance(Value base, Value position, int64_t bytes) {
  Value distance = arith::MulIOp::create(*this, position, index(bytes));
  return arith::AddIOp::create(*this, base, distance);
}

Value LayerBuilder::advance(Value base, int64_t bytes) {
  return bytes == 0 ? base : arith::AddIOp::create(*this, base, index(bytes));
}

void LayerBuilder::call(func::FuncOp kernel, ValueRange arguments) {
  SmallVector<Value> words;
  for (Value argument : arguments)
    words.push_back(
        argument.getType().isIndex()
            ? arith::IndexCastOp::create(*this, getI32Type(), argument)
                  .getResult()
            : argument);
  func::CallOp::create(*this, kernel, words);
}
