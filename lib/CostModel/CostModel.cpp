// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/CostModel.h"

#include "XpulpCosts.h"

using namespace mlir::tinyattn;
using llvm::StringRef;

namespace {

/// Products are made for a pair of rows at a time, in tiles of four columns
/// (whole) or two (half) and steps of two products.
struct ProductCosts {
  double wholeStep, halfStep, tile, pair;
};

struct CoreCosts {
  ProductCosts linear;
  /// Of a pair of rows, an element of the depth: bytes to halves.
  double packElement;
  ProductCosts matmul;
  /// Products of a depth of at most two, which have a kernel of their own.
  double shortTile, shortPair;
  double softmaxElement, softmaxRow;
  double sumsElement;
};

// Printed by tools/fit_cost_model.py. Mean errors there:
// M4 1.1 % (linear), 1.8 % (matmul), 0.8 % (short scores), 2.6 % (softmax);
// M7 0.9 % (linear), 2.3 % (matmul), 0.9 % (short scores), 3.2 % (softmax).
// Sums are portable loops that LLVM unrolls in different ways: 20 to 30 % off,
// of what is 1 % of a layer.
constexpr CoreCosts kCortexM4 = {{14.84, 5.13, 50.79, 21.86},
                                 6.23,
                                 {15.61, 9.06, 38.43, 58.97},
                                 41.01,
                                 15.34,
                                 4.31,
                                 61.41,
                                 13.94};
constexpr CoreCosts kCortexM7 = {{8.04, 4.37, 40.2, 19.17},
                                 3.7,
                                 {8.46, 5.88, 40.79, 30.18},
                                 36.93,
                                 1.39,
                                 2.51,
                                 48.08,
                                 9.49};

constexpr int64_t kShortDepth = 2;

const CoreCosts &getCosts(StringRef core) {
  return core == "cortex-m7" ? kCortexM7 : kCortexM4;
}

bool isPulp(StringRef core) { return core == "ri5cy"; }

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
  return pairs * perPair;
}

} // namespace

double mlir::tinyattn::getEstimateError(StringRef core) {
  return isPulp(core) ? 0.005 : 0.01;
}

double mlir::tinyattn::estimateLinear(StringRef core, int64_t rows,
                                      int64_t channels, int64_t depth) {
  if (isPulp(core))
    return pulp::estimateProduct(rows, channels, depth,
                                 pulp::SumsBecome::Bytes);
  return estimateLinearOnPanels(core, rows, channels, depth) +
         getCosts(core).packElement * getPairs(rows) * depth;
}

double mlir::tinyattn::estimateLinearOnPanels(StringRef core, int64_t rows,
                                              int64_t channels, int64_t depth) {
  if (isPulp(core))
    return pulp::estimateProduct(rows, channels, depth,
                                 pulp::SumsBecome::Words);
  return estimateProduct(getCosts(core).linear, getPairs(rows), channels,
                         depth);
}

double mlir::tinyattn::estimateMatmul(StringRef core, int64_t batch,
                                      int64_t rows, int64_t columns,
                                      int64_t depth) {
  if (isPulp(core))
    return batch * pulp::estimateProduct(rows, columns, depth,
                                         pulp::SumsBecome::BytesByRow);
  const CoreCosts &costs = getCosts(core);
  int64_t pairs = batch * getPairs(rows);
  if (depth > kShortDepth)
    return estimateProduct(costs.matmul, pairs, columns, depth);
  Tiles tiles(columns);
  return pairs *
         ((tiles.whole + tiles.half) * costs.shortTile + costs.shortPair);
}

double mlir::tinyattn::estimateSums(StringRef core, int64_t elements) {
  return getCosts(core).sumsElement * elements;
}

double mlir::tinyattn::estimateSoftmax(StringRef core, int64_t rows,
                                       int64_t columns) {
  if (isPulp(core))
    return pulp::estimateSoftmax(rows, columns);
  const CoreCosts &costs = getCosts(core);
  return rows * (costs.softmaxElement * columns + costs.softmaxRow);
}
