// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductSplit.h"

#include "TinyFormer/CostModel/Shares.h"

using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

namespace {

/// Of a call of a kernel, with its loop over heads or blocks.
constexpr double kCallCycles = 70;
/// Of the loops for each tile of rows.
constexpr double kRowCycles = 22;

/// `rows` rows of `columns` columns, no more than a tile of either.
double estimateTile(const ProductKernel &kernel, int64_t rows,
                    int64_t columns) {
  if (rows * columns == 0)
    return 0;
  double words = double((kernel.depth + 3) / 4);
  double sums = double(rows * columns);
  return words * (double(rows + columns) + sums) + 4.5 * sums + 6;
}

class Splitter {
public:
  Splitter(const ProductKernel &kernel, const ProductShape &shape)
      : kernel(kernel), shape(shape), height(kernel.getTileRows()),
        tiles(shape.columns / kTile), rest(shape.columns % kTile) {}

  ProductSplit split(int64_t blocks, int64_t cores) const {
    ProductSplit result;
    result.blockTiles = tiles == 0 ? 0 : llvm::divideCeil(tiles, blocks);
    result.blocks = tiles == 0 ? 1 : llvm::divideCeil(tiles, result.blockTiles);
    result.heads = getHeadsTogether();
    result.units = llvm::divideCeil(shape.rows, height);
    std::vector<tinyformer::WorkUnit> work;
    for (int64_t head = 0; head < shape.heads; head += result.heads)
      for (int64_t block = 0; block < result.blocks; ++block)
        for (int64_t unit = 0; unit < result.units; ++unit)
          work.push_back(
              {estimateUnit(result, block, unit),
               mayBegin(head, block * result.blockTiles * kTile, unit)});
    tinyformer::Shares shares = tinyformer::shareOut(work, cores);
    result.starts = std::move(shares.starts);
    result.cycles = shares.cycles + (result.hasWholeItems() ? 0 : kCallCycles);
    return result;
  }

  int64_t getMostBlocks(int64_t cores) const {
    bool inWords = kernel.transposed || isWhole(kernel.resultStride);
    return shape.aligned && inWords && getHeadsTogether() == 1
               ? std::clamp<int64_t>(tiles, 1, cores)
               : 1;
  }

private:
  static bool isWhole(int64_t bytes) { return bytes % 4 == 0; }

  /// Heads that lie side by side share words if they are not whole words wide.
  int64_t getHeadsTogether() const {
    if (!shape.merged)
      return 1;
    for (int64_t heads = 1; heads < shape.heads; ++heads)
      if (shape.heads % heads == 0 && isWhole(heads * shape.resultHead) &&
          shape.aligned)
        return heads;
    return shape.heads;
  }

  /// Whether the first result of a unit is in another word than those before.
  /// In rows of whole words, slices of two rows do not meet wherever they
  /// begin.
  bool mayBegin(int64_t head, int64_t column, int64_t unit) const {
    int64_t stride = kernel.resultStride, row = unit * height;
    int64_t start = head * shape.resultHead;
    if (unit == 0 && column == 0)
      return shape.aligned && isWhole(start);
    if (kernel.transposed)
      return shape.aligned && isWhole(stride) && isWhole(start) && isWhole(row);
    if (isWhole(stride) && (shape.merged || shape.heads == 1))
      return true;
    return shape.aligned && !shape.merged && isWhole(start + row * stride) &&
           (column == 0 || isWhole(stride));
  }

  double estimateUnit(const ProductSplit &split, int64_t block,
                      int64_t unit) const {
    int64_t rows = std::min(height, shape.rows - unit * height);
    bool isLast = block == split.blocks - 1;
    int64_t whole =
        std::min(split.blockTiles, tiles - block * split.blockTiles);
    double cycles =
        kRowCycles + double(whole) * estimateTile(kernel, rows, kTile);
    if (isLast)
      cycles += estimateTile(kernel, rows, rest);
    // A division for each row, which takes longest for small sums.
    if (kernel.scaling == Scaling::OfRows)
      cycles += 22.0 * double(rows);
    bool isCall = unit == 0 || rows != height;
    return double(split.heads) * (cycles + (isCall ? kCallCycles : 0));
  }

  const ProductKernel &kernel;
  const ProductShape &shape;
  int64_t height, tiles, rest;
};

} // namespace

ProductSplit pulp::splitProduct(const ProductKernel &kernel,
                                const ProductShape &shape, int64_t cores) {
  Splitter splitter(kernel, shape);
  ProductSplit best = splitter.split(/*blocks=*/1, cores);
  for (int64_t blocks = 2, most = splitter.getMostBlocks(cores); blocks <= most;
       ++blocks) {
    ProductSplit split = splitter.split(blocks, cores);
    if (split.cycles < best.cycles)
      best = std::move(split);
  }
  return best;
}
