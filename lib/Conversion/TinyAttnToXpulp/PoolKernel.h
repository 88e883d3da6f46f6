// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mean or maximum of each column.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_POOLKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_POOLKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// Arguments: x, y, how many columns; of means the init of a sum, the
/// multiplier, and the zero point times 2^shift.
struct PoolKernel {
  bool isMean;
  int64_t rows, stride; // bytes from one row to the next
  int32_t shift;        // of means

  std::string getName() const;
  unsigned getNumArguments() const { return isMean ? 6 : 3; }
  void build(XpulpBuilder &b, ValueRange arguments) const;

private:
  Value buildMaximum(XpulpBuilder &b, Value column, bool isWord) const;
  Value buildMean(XpulpBuilder &b, Value column, bool isWord,
                  ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_POOLKERNEL_H
