// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;

func::FuncOp KernelLibrary::get(
    Location loc, StringRef name, unsigned arguments,
    llvm::function_ref<SmallVector<Value>(KernelBuilder &, ValueRange)> build) {
  if (auto existing = symbols.lookup<func::FuncOp>(name))
    return existing;
  KernelBuilder b(loc, loc.getContext());
  SmallVector<Type> words(arguments, b.getI32Type());
  SmallVector<Location> locations(arguments, loc);

  // The block first: it tells the number of results.
  Region body;
  Block *instructions = b.createBlock(&body, {}, words, locations);
  SmallVector<Value> values = build(b, instructions->getArguments());
  armdsp::YieldOp::create(b, values);
  SmallVector<Type> results(values.size(), b.getI32Type());

  b.clearInsertionPoint();
  auto function =
      func::FuncOp::create(b, name, b.getFunctionType(words, results));
  function.setPrivate();
  // Inlined blocks of assembly would be copied by whatever unrolls loops.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  symbols.insert(function);
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToEnd(entry);
  auto block = armdsp::BlockOp::create(b, results, entry->getArguments());
  block.getBody().takeBody(body);
  func::ReturnOp::create(b, block.getResults());
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

bool tinyattn::isContiguousFrom(Value memRef, unsigned dimension) {
  auto strides = getStaticStrides(memRef);
  if (!strides)
    return false;
  int64_t expected = 1;
  for (unsigned i = strides->size(); i-- > dimension;) {
    if ((*strides)[i] != expected)
      return false;
    expected *= cast<ShapedType>(memRef.getType()).getDimSize(i);
  }
  return true;
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

SmallVector<Value> LayerBuilder::call(func::FuncOp kernel,
                                      ValueRange arguments) {
  SmallVector<Value> words;
  for (Value argument : arguments)
    words.push_back(
        argument.getType().isIndex()
            ? arith::IndexCastOp::create(*this, getI32Type(), argument)
                  .getResult()
            : argument);
  return SmallVector<Value>(
      func::CallOp::create(*this, kernel, words).getResults());
}
