// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
/// Offsets, sizes and strides of a part along one dimension.
struct Part {
  Part(OpBuilder &b, ShapedType type, unsigned dimension, OpFoldResult offset,
       int64_t size)
      : offsets(type.getRank(), b.getIndexAttr(0)),
        strides(type.getRank(), b.getIndexAttr(1)) {
    for (int64_t extent : type.getShape())
      sizes.push_back(b.getIndexAttr(extent));
    offsets[dimension] = offset;
    sizes[dimension] = b.getIndexAttr(size);
  }

  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

SmallVector<Value> BlockBuilder::forBlocks(
    int64_t rows, int64_t step, ValueRange carried,
    llvm::function_ref<SmallVector<Value>(const RowBlock &, ValueRange)> body) {
  if (step == rows)
    return body({getIndexAttr(0), rows, /*isAll=*/true}, carried);
  int64_t rest = rows % step;
  SmallVector<Value> results;
  if (rows - rest == step) {
    results = body({getIndexAttr(0), step, /*isAll=*/false}, carried);
  } else {
    auto index = [&](int64_t value) {
      return arith::ConstantIndexOp::create(*this, value);
    };
    auto loop = scf::ForOp::create(*this, index(0), index((rows - rest) / 2),
                                   index(step / 2), carried);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next =
        body({loop.getInductionVar(), step, /*isAll=*/false},
             loop.getRegionIterArgs());
    scf::YieldOp::create(*this, next);
    results.assign(loop.result_begin(), loop.result_end());
  }
  if (rest != 0)
    results =
        body({getIndexAttr((rows - rest) / 2), rest, /*isAll=*/false}, results);
  return results;
}

Value BlockBuilder::slice(Value whole, const RowBlock &block,
                          RowDimension rows) {
  if (block.isAll)
    return whole;
  if (rows.inPairs)
    return slice(whole, rows.dimension, block.firstPair,
                 llvm::divideCeil(block.rows, 2));
  return slice(whole, rows.dimension, multiply(block.firstPair, 2), block.rows);
}

Value BlockBuilder::insert(Value tile, Value whole, const RowBlock &block,
                           RowDimension rows) {
  if (block.isAll)
    return tile;
  auto type = cast<ShapedType>(whole.getType());
  auto tileType = cast<ShapedType>(tile.getType());
  Part part(*this, type, rows.dimension,
            rows.inPairs ? block.firstPair : multiply(block.firstPair, 2),
            tileType.getDimSize(rows.dimension));
  return tensor::InsertSliceOp::create(*this, tile, whole, part.offsets,
                                       part.sizes, part.strides);
}

Value BlockBuilder::slice(Value whole, unsigned dimension, OpFoldResult offset,
                          int64_t size) {
  Part part(*this, cast<ShapedType>(whole.getType()), dimension, offset, size);
  return tensor::ExtractSliceOp::create(*this, whole, part.offsets, part.sizes,
                                        part.strides);
}

Value BlockBuilder::empty(ArrayRef<int64_t> shape, unsigned bits) {
  return tensor::EmptyOp::create(*this, shape, getIntegerType(bits));
}

OpFoldResult BlockBuilder::multiply(OpFoldResult value, int64_t factor) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return getIndexAttr(*constant * factor);
  if (factor == 1)
    return value;
  return arith::MulIOp::create(*this, cast<Value>(value),
                               arith::ConstantIndexOp::create(*this, factor))
      .getResult();
}
