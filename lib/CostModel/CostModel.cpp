// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/CostModel.h"

using namespace mlir::tinyattn;
using llvm::StringRef;

namespace {

/// cycles = multiplyAccumulate·MACs + output·outputs + call.
struct ProductCosts {
  double multiplyAccumulate, output, call;
};

struct CoreCosts {
  ProductCosts linear, matmul;
  double softmaxElement, softmaxRow;
};

// Printed by tools/fit_cost_model.py. Mean errors there: M4 2.3 % (linear),
// 4.8 % (matmul), 0.8 % (softmax); M7 5.6 %, 2.9 %, 1.2 %.
constexpr CoreCosts kCortexM4 = {
    {4.17, 17.92, 98.93}, {4.06, 14.39, 68.97}, 14.1, -1.0};
constexpr CoreCosts kCortexM7 = {
    {1.81, 11.35, 487.09}, {1.59, 13.58, 164.75}, 8.19, 0.74};

} // namespace

static const CoreCosts &getCosts(StringRef core) {
  return core == "cortex-m7" ? kCortexM7 : kCortexM4;
}

static double estimate(const ProductCosts &costs, double outputs,
                       double depth) {
  return costs.multiplyAccumulate * outputs * depth + costs.output * outputs +
         costs.call;
}

double mlir::tinyattn::estimateLinear(StringRef core, int64_t rows,
                                      int64_t channels, int64_t depth) {
  return estimate(getCosts(core).linear, double(rows) * channels, depth);
}

double mlir::tinyattn::estimateMatmul(StringRef core, int64_t batch,
                                      int64_t rows, int64_t columns,
                                      int64_t depth) {
  return estimate(getCosts(core).matmul, double(batch) * rows * columns, depth);
}

double mlir::tinyattn::estimateSoftmax(StringRef core, int64_t rows,
                                       int64_t columns) {
  const CoreCosts &costs = getCosts(core);
  return rows * (costs.softmaxElement * columns + costs.softmaxRow);
}
