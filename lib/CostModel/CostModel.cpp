// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/CostModel.h"

#include "XpulpCosts.h"

using namespace mlir::tinyattn;
using llvm::StringRef;

namespace {

/// Products are made for a pair of rows or one at a time, in tiles of up to
/// four columns and steps of two products: the cycles of an instruction of a
/// step, of an output, of a tile, and of a pair or row.
struct ProductCosts {
  double instruction, output, tile, call;
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
// M4 0.6 % (linear), 1.1 % (matmul), 1.7 % (short scores), 3.3 % (softmax);
// M7 1.1 % (linear), 1.1 % (matmul), 1.6 % (short scores), 3.5 % (softmax).
// Sums are portable loops that LLVM unrolls in different ways: 20 to 30 % off,
// of what is 1 % of a layer.
constexpr CoreCosts kCortexM4 = {{1.09, 2.66, 27.75, 40.29},
                                 3.21,
                                 {1.1, 5.02, -1.29, 82.72},
                                 41.95,
                                 3.46,
                                 4.24,
                                 64.76,
                                 13.94};
constexpr CoreCosts kCortexM7 = {{0.58, 2.73, 18.19, 29.02},
                                 1.91,
                                 {0.6, 4.51, 2.44, 60.37},
                                 37.95,
                                 -10.48,
                                 2.48,
                                 51.0,
                                 9.49};

constexpr int64_t kShortDepth = 2;

/// Of an element that is transposed, by loops.
constexpr double kTranspose = 8, kTransposeCortexM7 = 5;

const CoreCosts &getCosts(StringRef core) {
  return core == "cortex-m7" ? kCortexM7 : kCortexM4;
}

bool isPulp(StringRef core) { return core == "ri5cy"; }

int64_t getPairs(int64_t count) { return (count + 1) / 2; }

/// Loads of rows and of pairs of columns, unpackings of pairs, multiplications.
int64_t countInstructions(int64_t rows, int64_t columns) {
  return rows + getPairs(columns) + columns / 2 + rows * columns;
}

/// Of a pair of rows, or of one.
double estimateCall(const ProductCosts &costs, int64_t rows, int64_t columns,
                    int64_t depth) {
  auto tile = [&](int64_t width) {
    return getPairs(depth) * countInstructions(rows, width) *
               costs.instruction +
           rows * width * costs.output + costs.tile;
  };
  double cycles = columns / 4 * tile(4) + costs.call;
  return columns % 4 == 0 ? cycles : cycles + tile(columns % 4);
}

double estimateProduct(const ProductCosts &costs, int64_t rows, int64_t columns,
                       int64_t depth) {
  double cycles = rows / 2 * estimateCall(costs, 2, columns, depth);
  return rows % 2 == 0 ? cycles
                       : cycles + estimateCall(costs, 1, columns, depth);
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
  return estimateProduct(getCosts(core).linear, rows, channels, depth);
}

double mlir::tinyattn::estimateMatmul(StringRef core, int64_t batch,
                                      int64_t rows, int64_t columns,
                                      int64_t depth) {
  if (isPulp(core))
    return batch * pulp::estimateProduct(rows, columns, depth,
                                         pulp::SumsBecome::BytesByRow);
  const CoreCosts &costs = getCosts(core);
  if (depth > kShortDepth)
    return batch * estimateProduct(costs.matmul, rows, columns, depth);
  int64_t tiles = (columns + 3) / 4;
  return batch * getPairs(rows) * (tiles * costs.shortTile + costs.shortPair);
}

double mlir::tinyattn::estimateTranspose(StringRef core, int64_t elements) {
  return elements * (core == "cortex-m7" ? kTransposeCortexM7 : kTranspose);
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
