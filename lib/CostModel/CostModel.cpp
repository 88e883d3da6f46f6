// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/CostModel.h"

using namespace mlir::tinyattn;
using llvm::StringRef;

namespace {

/// Products are made for a pair of rows at a time, in tiles of four columns
/// (whole) or two (half) and steps of two products.
struct ProductCosts {
  double wholeStep, halfStep, tile, pair, call;
};

struct CoreCosts {
  ProductCosts linear;
  /// Of a pair of rows, an element of the depth: bytes to halves.
  double packElement;
  ProductCosts matmul;
  /// Products of a depth of at most two, which have a kernel of their own.
  double shortTile, shortPair;
  double softmaxElement, softmaxRow;
};

// Printed by tools/fit_cost_model.py. Mean errors there:
// M4 1.2 % (linear), 1.9 % (matmul), 1.1 % (short scores), 3.1 % (softmax);
// M7 0.8 % (linear), 2.6 % (matmul), 1.0 % (short scores), 3.7 % (softmax).
constexpr CoreCosts kCortexM4 = {{14.83, 5.23, 50.88, 21.88, 0},
                                 6.18,
                                 {16.24, 9.59, 35.26, 51.48, 108.47},
                                 41.46,
                                 10.32,
                                 4.32,
                                 59.73};
constexpr CoreCosts kCortexM7 = {{8.03, 4.46, 40.31, 19.21, 0},
                                 3.66,
                                 {8.81, 6.35, 38.57, 21.39, 158.42},
                                 36.92,
                                 1.35,
                                 2.53,
                                 47.46};

constexpr int64_t kShortDepth = 2;

const CoreCosts &getCosts(StringRef core) {
  return core == "cortex-m7" ? kCortexM7 : kCortexM4;
}

int64_t getPairs(int64_t count) { return (count + 1) / 2; }

/// The tiles of a pair of rows.
struct Tiles {
  explicit Tiles(int64_t columns)
      : whole((columns + 1) / 4), half(columns > 4 * whole) {}
  int64_t whole, half;
};

double estimateProduct(const ProductCosts &costs, int64_t pairs,
                       int64_t columns, int64_t depth) {
  Tiles tiles(columns);
  int64_t steps = getPairs(depth);
  double perPair =
      steps * (tiles.whole * costs.wholeStep + tiles.half * costs.halfStep) +
      (tiles.whole + tiles.half) * costs.tile + costs.pair;
  return pairs * perPair + costs.call;
}

} // namespace

double mlir::tinyattn::estimateLinear(StringRef core, int64_t rows,
                                      int64_t channels, int64_t depth) {
  const CoreCosts &costs = getCosts(core);
  int64_t pairs = getPairs(rows);
  return estimateProduct(costs.linear, pairs, channels, depth) +
         costs.packElement * pairs * depth;
}

double mlir::tinyattn::estimateMatmul(StringRef core, int64_t batch,
                                      int64_t rows, int64_t columns,
                                      int64_t depth) {
  const CoreCosts &costs = getCosts(core);
  int64_t pairs = batch * getPairs(rows);
  if (depth > kShortDepth)
    return estimateProduct(costs.matmul, pairs, columns, depth);
  Tiles tiles(columns);
  return pairs *
         ((tiles.whole + tiles.half) * costs.shortTile + costs.shortPair);
}

double mlir::tinyattn::estimateSoftmax(StringRef core, int64_t rows,
                                       int64_t columns) {
  const CoreCosts &costs = getCosts(core);
  return rows * (costs.softmaxElement * columns + costs.softmaxRow);
}
