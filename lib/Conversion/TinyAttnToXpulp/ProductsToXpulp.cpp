// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that are products of rows with rows: word_linear, and matmul.

#include "../Cores.h"
#include "ProductSplit.h"
#include "XpulpLowering.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

namespace {

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

/// Some rows or columns: the first one, and how many.
struct Range {
  Value first;
  Value count;
};

/// The products of all heads, and where they are. Distances are bytes.
struct Products {
  ProductShape shape;
  Value left, right, result;
  int64_t leftHead, rightHead;
  /// What the kernel of a head wants besides.
  llvm::function_ref<SmallVector<Value>(Value head)> getScales;
};

class Lowering {
public:
  Lowering(Operation *op, XpulpKernels &kernels)
      : b(op->getLoc(), op), kernels(kernels), cores(getCores(op)) {}

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
    bool inHeads = op.getHeads().has_value();
    ProductShape shape{channels / width,          rows,           width,
                       inHeads ? ys->front() : 0,
                       /*merged=*/false,          startsAtWord(y)};
    auto getScales = [](Value) { return SmallVector<Value>(); };
    build(kernel, {shape, left, right, result, /*leftHead=*/0,
                   width * kernel.rightStride, getScales});
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
    bool merged = op.getMergeHeads();
    ProductShape shape{heads,   rows,
                       columns, merged ? columns : ys->front(),
                       merged,  startsAtWord(y)};
    auto getScales = [&](Value head) -> SmallVector<Value> {
      Value multiplier = memref::LoadOp::create(b, op.getMultipliers(), head);
      Value addend = b.word(int32_t(uint32_t(zeroPoint) << kernel.shift));
      if (Value offsets = op.getOffsets())
        addend = arith::AddIOp::create(
            b, addend, memref::LoadOp::create(b, offsets, head));
      SmallVector<Value> scales{multiplier, addend};
      if (op.getRowSums())
        scales.insert(scales.begin(),
                      b.advance(b.getAddress(op.getRowSums()), head, 4 * rows));
      return scales;
    };
    build(kernel,
          {shape, left, right, result, ls->front(), rightHead, getScales});
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

  //===--------------------------------------------------------------------===//
  // Shares of the cores
  //===--------------------------------------------------------------------===//

  void build(const ProductKernel &kernel, const Products &products) {
    if (cores == 1)
      return b.forEach(products.shape.heads, [&](Value head) {
        buildHead(kernel, products, head, std::nullopt);
      });
    ProductSplit split = splitProduct(kernel, products.shape, cores);
    bool whole = split.hasWholeItems();
    if (whole)
      for (int64_t &start : split.starts)
        start /= split.units;
    forEachCore(b, cores, [&](Value core) {
      Value begin = getStart(split, core);
      Value end = getStart(split, getNextCore(b, core));
      if (whole)
        return forEach(begin, end, [&](Value item) {
          buildItem(kernel, products, split, item, std::nullopt);
        });
      Value units = b.index(split.units);
      Value first = arith::DivUIOp::create(b, begin, units);
      Value last = arith::DivUIOp::create(
          b, arith::AddIOp::create(b, end, b.index(split.units - 1)), units);
      forEach(first, last, [&](Value item) {
        buildItem(kernel, products, split, item,
                  getUnits(split, item, begin, end));
      });
    });
  }

  /// Where a core's share starts, from a table if there is no formula for it.
  Value getStart(const ProductSplit &split, Value core) {
    int64_t count = split.starts.back();
    for (int64_t i = 0; i < cores; ++i)
      if (split.starts[i] != i * count / cores)
        return kernels.loadShare(b, split.starts, core);
    return getEvenShare(b, core, cores, count);
  }

  /// The tiles of rows of `item` that lie between two units.
  Range getUnits(const ProductSplit &split, Value item, Value begin,
                 Value end) {
    Value before = arith::MulIOp::create(b, item, b.index(split.units));
    auto inItem = [&](Value unit) {
      return arith::SubIOp::create(b, unit, before);
    };
    Value first = arith::MaxSIOp::create(b, inItem(begin), b.index(0));
    Value last = arith::MinSIOp::create(b, inItem(end), b.index(split.units));
    return {first, arith::SubIOp::create(b, last, first)};
  }

  void forEach(Value begin, Value end, llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, begin, end, b.index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  /// Some heads, or a block of the columns of one.
  void buildItem(const ProductKernel &kernel, const Products &products,
                 const ProductSplit &split, Value item,
                 std::optional<Range> units) {
    if (split.heads > 1) {
      Value first = arith::MulIOp::create(b, item, b.index(split.heads));
      return b.forEach(split.heads, [&](Value head) {
        buildHead(kernel, products, arith::AddIOp::create(b, first, head),
                  units);
      });
    }
    if (split.blocks == 1)
      return buildHead(kernel, products, item, units);
    Value blocks = b.index(split.blocks);
    Value head = item, block = b.index(0);
    if (products.shape.heads == 1) {
      head = b.index(0);
      block = item;
    } else {
      head = arith::DivUIOp::create(b, item, blocks);
      block = arith::RemUIOp::create(b, item, blocks);
    }
    buildBlock(kernel, products, split, head, block, units);
  }

  void buildBlock(ProductKernel kernel, const Products &products,
                  const ProductSplit &split, Value head, Value block,
                  std::optional<Range> units) {
    int64_t tiles = products.shape.columns / kTile;
    int64_t rest = products.shape.columns % kTile;
    Value first = arith::MulIOp::create(b, block, b.index(split.blockTiles));
    Value count = b.index(split.blockTiles);
    if (tiles % split.blockTiles != 0)
      count = arith::MinUIOp::create(
          b, count, arith::SubIOp::create(b, b.index(tiles), first));
    kernel.hasTiles = true;
    if (rest == 0)
      return buildRows(kernel, products, head, {first, count}, units);
    Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, block,
                                         b.index(split.blocks - 1));
    buildIf(
        isLast,
        [&] {
          kernel.restColumns = rest;
          buildRows(kernel, products, head, {first, count}, units);
        },
        [&] {
          kernel.restColumns = 0;
          buildRows(kernel, products, head, {first, count}, units);
        });
  }

  //===--------------------------------------------------------------------===//
  // Calls
  //===--------------------------------------------------------------------===//

  /// All columns of a head.
  void buildHead(ProductKernel kernel, const Products &products, Value head,
                 std::optional<Range> units) {
    int64_t columns = products.shape.columns;
    kernel.hasTiles = columns >= kTile;
    kernel.restColumns = columns % kTile;
    buildRows(kernel, products, head, {Value(), b.index(columns / kTile)},
              units);
  }

  /// Some columns of a head, in whole tiles: those of `units`, or of all rows.
  void buildRows(const ProductKernel &kernel, const Products &products,
                 Value head, Range columns, std::optional<Range> units) {
    const ProductShape &shape = products.shape;
    Products of = products;
    of.left = b.advance(of.left, head, of.leftHead);
    of.right = b.advance(of.right, head, of.rightHead);
    of.result = b.advance(of.result, head, shape.resultHead);
    if (columns.first) {
      int64_t step = kernel.transposed                 ? kernel.resultStride
                     : kernel.scaling == Scaling::None ? 4
                                                       : 1;
      of.right = b.advance(of.right, columns.first, kTile * kernel.rightStride);
      of.result = b.advance(of.result, columns.first, kTile * step);
    }
    int64_t height = kernel.getTileRows();
    int64_t tiles = shape.rows / height, rest = shape.rows % height;
    SmallVector<Value> scales = products.getScales(head);
    Value none = b.index(0), all = b.index(tiles);
    Value first = units ? units->first : none, count = all, end;
    if (units) {
      end = arith::AddIOp::create(b, first, units->count);
      Value last = rest != 0 ? arith::MinUIOp::create(b, end, all) : end;
      count = arith::SubIOp::create(b, last, first);
    }
    if (tiles != 0)
      call(kernel, of, scales, columns.count, height, first, height, count);
    if (rest == 0)
      return;
    auto callRest = [&] {
      call(kernel, of, scales, columns.count, rest, b.index(1), tiles * height,
           b.index(1));
    };
    if (!units)
      return callRest();
    Value hasRest =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, end, all);
    buildIf(hasRest, callRest);
  }

  /// A kernel of `rows` rows, `count` times, from row `position`·`step` on.
  void call(ProductKernel kernel, const Products &of, ValueRange scales,
            Value columnTiles, int64_t rows, Value position, int64_t step,
            Value count) {
    kernel.rows = rows;
    int64_t resultRow = kernel.transposed ? 1 : kernel.resultStride;
    SmallVector<Value> arguments{
        b.advance(of.left, position, step * kernel.leftStride), of.right,
        b.advance(of.result, position, step * resultRow), count, columnTiles};
    llvm::append_range(arguments, scales);
    if (kernel.scaling == Scaling::OfRows)
      arguments[5] = b.advance(arguments[5], position, 4 * step);
    b.call(kernels.get(b.getLoc(), kernel), arguments);
  }

  void buildIf(Value condition, llvm::function_ref<void()> then,
               llvm::function_ref<void()> otherwise = nullptr) {
    auto op = scf::IfOp::create(b, condition, /*withElseRegion=*/!!otherwise);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.thenBlock());
    then();
    if (!otherwise)
      return;
    b.setInsertionPointToStart(op.elseBlock());
    otherwise();
  }

  LayerBuilder b;
  XpulpKernels &kernels;
  int64_t cores;
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
