// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layer normalisation of rows.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_LAYERNORMKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_LAYERNORMKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// Arguments: x, weights, biases, y, and how many rows.
struct LayernormKernel {
  int64_t width;
  int64_t inputStride, resultStride; // bytes from one row to the next
  int64_t varianceEpsilon;
  int32_t shift, zeroPoint;

  std::string getName() const;
  unsigned getNumArguments() const { return 5; }
  void build(XpulpBuilder &b, ValueRange arguments) const;

private:
  /// A row's Σx and Σx².
  std::pair<Value, Value> buildSums(XpulpBuilder &b, Value row) const;
  /// I of the formula of tinyattn.layernorm.
  Value buildInverseDeviation(XpulpBuilder &b, Value sum, Value squares) const;
  /// x·slope + offset is t·2^16 with its rounding.
  void buildScaling(XpulpBuilder &b, Value row, Value weight, Value bias,
                    Value result, Value slope, Value offset) const;
  Value finish(XpulpBuilder &b, Value sum) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_LAYERNORMKERNEL_H
