// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that are products of rows with rows: word_linear, and matmul.

#include "ProductKernel.h"
#include "XpulpLowering.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

namespace {

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

/// A product of some rows with some columns, and where it is.
struct Product {
  int64_t rows, columns;
  Value left, right, result;
  SmallVector<Value> scales;
};

class Lowering {
public:
  Lowering(Operation *op, XpulpKernels &kernels)
      : b(op->getLoc(), op), kernels(kernels) {}

  LogicalResult lower(WordLinearOp op) {
    Value x = op.getInput(), w = op.getWeight(), y = op.getInits().front();
    auto xs = getRowStrides(x), ws = getRowStrides(w), ys = getRowStrides(y);
    if (!xs || !ws || !ys)
      return failure();
    int64_t rows = getDim(x, 0), channels = getDim(w, 0);
    int64_t heads = op.getHeads().value_or(1), width = channels / heads;
    ProductKernel kernel{};
    kernel.depth = getDim(x, 1);
    kernel.leftStride = xs->front();
    kernel.rightStride = 4 * ws->front();
    kernel.paddedRight = true;
    kernel.transposed = op.getTransposed();
    kernel.resultStride = ys->rbegin()[1];
    if (auto requant = op.getRequant()) {
      kernel.scaling = Scaling::OfColumns;
      kernel.shift = requant->getShift();
    } else {
      kernel.scaling = Scaling::None;
      kernel.resultStride *= 4;
    }
    Value left = b.getAddress(x), right = b.getAddress(w);
    Value result = b.getAddress(y);
    // Channels of all heads follow each other.
    if (kernel.transposed && ys->front() == width * kernel.resultStride)
      width = channels;
    b.forEach(channels / width, [&](Value head) {
      call(kernel, {rows,
                    width,
                    left,
                    b.advance(right, head, width * kernel.rightStride),
                    b.advance(result, head, op.getHeads() ? ys->front() : 0),
                    {}});
    });
    return success();
  }

  LogicalResult lower(MatmulOp op) {
    Value lhs = op.getLhs(), rhs = op.getRhs(), y = op.getInits().front();
    auto ls = getRowStrides(lhs), rs = getRowStrides(rhs),
         ys = getRowStrides(y);
    if (!ls || !rs || !ys || !op.getTransposeB() || op.getRequant()->getWide())
      return failure();
    int64_t heads = getDim(lhs, 0), rows = getDim(lhs, 1);
    int64_t columns =
        getDim(rhs, cast<ShapedType>(rhs.getType()).getRank() - 2);
    ProductKernel kernel{};
    kernel.depth = getDim(lhs, 2);
    kernel.leftStride = (*ls)[1];
    kernel.rightStride = rs->rbegin()[1];
    kernel.unsignedLeft = op.getUnsignedLhs();
    kernel.scaling = op.getRowSums() ? Scaling::OfRows : Scaling::Uniform;
    kernel.shift = op.getRequant()->getShift();
    int32_t zeroPoint = op.getRequant()->getZeroPoint();
    kernel.resultStride = ys->rbegin()[1];
    if (op.getRowSums() && !isContiguousFrom(op.getRowSums(), 0))
      return failure();

    Value left = b.getAddress(lhs), right = b.getAddress(rhs);
    Value result = b.getAddress(y);
    int64_t rightHead = rs->size() == 3 ? rs->front() : 0;
    int64_t resultHead = op.getMergeHeads() ? columns : ys->front();
    b.forEach(heads, [&](Value head) {
      Value multiplier = memref::LoadOp::create(b, op.getMultipliers(), head);
      SmallVector<Value> scales{
          multiplier, b.word(int32_t(uint32_t(zeroPoint) << kernel.shift))};
      if (op.getRowSums())
        scales.insert(scales.begin(),
                      b.advance(b.getAddress(op.getRowSums()), head, 4 * rows));
      call(kernel, {rows, columns, b.advance(left, head, ls->front()),
                    b.advance(right, head, rightHead),
                    b.advance(result, head, resultHead), scales});
    });
    return success();
  }

private:
  /// In elements, those of the last dimension one apart.
  static std::optional<SmallVector<int64_t>> getRowStrides(Value memRef) {
    auto strides = getStaticStrides(memRef);
    if (!strides || strides->size() < 2 || strides->back() != 1)
      return std::nullopt;
    return strides;
  }

  /// The whole tiles of rows, and the rest.
  void call(ProductKernel kernel, const Product &product) {
    kernel.hasTiles = product.columns >= kTile;
    kernel.restColumns = product.columns % kTile;
    int64_t height = kernel.getTileRows();
    int64_t tiles = product.rows / height, rest = product.rows % height;
    if (tiles != 0)
      call(kernel, product, height, tiles, 0);
    if (rest != 0)
      call(kernel, product, rest, 1, tiles * height);
  }

  void call(ProductKernel kernel, const Product &product, int64_t rows,
            int64_t tiles, int64_t firstRow) {
    kernel.rows = rows;
    int64_t resultRow = kernel.transposed ? 1 : kernel.resultStride;
    SmallVector<Value> arguments{
        b.advance(product.left, firstRow * kernel.leftStride), product.right,
        b.advance(product.result, firstRow * resultRow), b.word(tiles),
        b.word(product.columns / kTile)};
    llvm::append_range(arguments, product.scales);
    if (kernel.scaling == Scaling::OfRows)
      arguments[5] = b.advance(arguments[5], 4 * firstRow);
    b.call(kernels.get(b.getLoc(), kernel), arguments);
  }

  LayerBuilder b;
  XpulpKernels &kernels;
};

} // namespace

LogicalResult pulp::lowerProduct(Operation *op, XpulpKernels &kernels) {
  Lowering lowering(op, kernels);
  LogicalResult lowered = llvm::TypeSwitch<Operation *, LogicalResult>(op)
                              .Case<WordLinearOp, MatmulOp>(
                                  [&](auto op) { return lowering.lower(op); })
                              .Default(failure());
  if (succeeded(lowered))
    op->erase();
  return lowered;
}
