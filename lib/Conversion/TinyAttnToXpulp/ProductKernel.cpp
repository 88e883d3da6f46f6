// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductKernel.h"

#include "ProductTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

std::string ProductKernel::getName() const {
  const char *names[] = {"sums", "columns", "uniform", "rows"};
  std::string name =
      llvm::formatv("tf_product_{0}x{1}{2}_k{3}{4}{5}_s{6}_{7}_{8}_{9}", rows,
                    hasTiles ? "n" : "", restColumns, depth,
                    unsignedLeft ? "u" : "", paddedRight ? "" : "e", leftStride,
                    rightStride, names[int(scaling)], shift);
  name += llvm::formatv("_{0}{1}", transposed ? "t" : "r", resultStride);
  return name;
}

int64_t ProductKernel::getTileRows() const {
  constexpr int64_t registers = 28;
  auto fits = [&](int64_t rows) {
    int64_t operands = rows + 2, pointers = 3;
    int64_t scales =
        scaling == Scaling::Uniform || scaling == Scaling::OfRows ? 2 : 0;
    int64_t steps = 0;
    for (int64_t bytes : {leftStride, 4 - (rows - 1) * leftStride, rightStride,
                          4 - (kTile - 1) * rightStride})
      steps += !llvm::isInt<12>(bytes);
    return rows * kTile + operands + pointers + scales + steps <= registers;
  };
  return fits(kTile) ? kTile : kTile / 2;
}

namespace {

/// A function of the kernel, while it is filled.
class Body {
public:
  Body(XpulpBuilder &b, const ProductKernel &kernel, ValueRange arguments)
      : b(b), kernel(kernel), right(arguments[1]), columnTiles(arguments[4]) {
    int64_t lastWord = ProductTile::getLastWord(kernel.depth);
    bool hasHead = kernel.scaling == Scaling::OfColumns;
    right = b.add(right, lastWord + (hasHead ? 8 : 0));
    if (kernel.hasTiles)
      tile.emplace(b, kernel, kTile);
    if (kernel.restColumns != 0)
      rest.emplace(b, kernel, kernel.restColumns);
    leftStep = {int32_t(kernel.rows * kernel.leftStride)};
    int64_t resultRow = kernel.transposed ? 1 : kernel.resultStride;
    resultStep = {int32_t(kernel.rows * resultRow)};
    if (kernel.scaling == Scaling::Uniform)
      scales = {arguments[5], arguments[6]};
    if (kernel.scaling == Scaling::OfRows) {
      rowSums = arguments[5];
      numerator = arguments[6];
      scales = {allocateMultipliers(), arguments[7]};
    }
    Value left = b.add(arguments[0], lastWord);
    build(arguments[3], left, arguments[2]);
  }

private:
  void build(Value rowTiles, Value left, Value result) {
    auto index = [&](int64_t value) {
      return arith::ConstantIndexOp::create(b, value);
    };
    Value count = arith::IndexCastOp::create(b, b.getIndexType(), rowTiles);
    SmallVector<Value> inits{left, result};
    if (rowSums)
      inits.push_back(rowSums);
    auto loop = scf::ForOp::create(b, index(0), count, index(1), inits);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ValueRange at = loop.getRegionIterArgs();
    scf::YieldOp::create(b, buildRows(at[0], at[1], rowSums ? at[2] : Value()));
  }

  /// The columns of one tile of rows, and the pointers of the next.
  SmallVector<Value> buildRows(Value left, Value result, Value rowSums) {
    if (rowSums)
      storeMultipliers(rowSums);
    b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
      TilePointers at{left, right, result};
      SmallVector<Value> words =
          (tile ? *tile : *rest).loadLeftOnce(b, at.left);
      if (tile)
        buildTiles(b, at, words);
      if (rest)
        rest->build(b, at, words, scales);
      return {};
    });
    SmallVector<Value> next{b.advance(left, leftStep),
                            b.advance(result, resultStep)};
    if (rowSums)
      next.push_back(b.add(rowSums, 4 * kernel.rows));
    return next;
  }

  void buildTiles(XpulpBuilder &b, TilePointers &at, ArrayRef<Value> words) {
    auto results = b.loop(
        columnTiles, {at.left, at.right, at.result},
        [&](XpulpBuilder &b, ValueRange arguments) {
          TilePointers inside{arguments[0], arguments[1], arguments[2]};
          tile->build(b, inside, words, scales);
          return XpulpBuilder::Values{inside.left, inside.right, inside.result};
        });
    at = {results[0], results[1], results[2]};
  }

  /// The address of a word for each row of a tile, on the stack.
  Value allocateMultipliers() {
    auto type = MemRefType::get({kTile}, b.getI32Type());
    Value memRef = memref::AllocaOp::create(b, type);
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, memRef);
    return arith::IndexCastOp::create(b, b.getI32Type(), address);
  }

  void storeMultipliers(Value rowSums) {
    for (int64_t row = 0; row < kernel.rows; ++row) {
      Value sum = b.load(rowSums, 4 * row);
      Value quotient = b.make<xpulp::DivuOp>(numerator, sum);
      xpulp::SwOp::create(b, quotient, scales[0], int32_t(4 * row));
    }
  }

  XpulpBuilder &b;
  const ProductKernel &kernel;
  Value right, columnTiles, rowSums, numerator;
  std::optional<ProductTile> tile, rest;
  ProductTile::Scales scales;
  Step leftStep, resultStep;
};

} // namespace

void ProductKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Body(b, *this, arguments);
}
