// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix product of one pair of rows with all columns, in tiles of 2x4 and,
// for what is left over, of 2x1 to 2x3; or of a single row, in tiles of 1x4 and
// less. One generator for linear layers, scores and context, for both cores.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PRODUCTKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PRODUCTKERNEL_H

#include "KernelBuilder.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// What the sums start with.
enum class Addend {
  Nothing,
  /// Two words at the head of each pair of columns, the same for both rows.
  OfColumns,
  /// A word a row, for panels whose low bytes are biased by 128: -128·Σx.
  OfRows,
};

/// What the sums are multiplied with at the end.
enum class Multiplier {
  /// Nothing: they are added to words in memory.
  None,
  /// Two words at the head of each pair of columns.
  OfColumns,
  /// One for all.
  Uniform,
  /// One a row.
  OfRows,
};

/// A kernel is known by these numbers: equal ones are one function.
struct ProductKernel {
  /// Dual issue: loads and multiplications alternate (Cortex-M7). Otherwise
  /// loads stand together, where they are pipelined (Cortex-M4).
  bool dualIssue;
  /// Two, or one: the first of a pair.
  int64_t rows;
  int64_t steps;    // of two products each
  int64_t channels; // columns that are written
  PanelForm form;   // of the right panel
  /// Low bytes of the joint form are biased.
  bool biased;
  int64_t pairStride; // bytes from one pair of columns to the next
  Addend addend;
  Multiplier multiplier;
  int32_t zeroPoint;
  PanelLayout layout;
  PanelForm resultForm;
  /// Bytes from one pair of channels to the next, where `values` are written.
  int64_t resultStride;
  /// Steps that are unrolled; more are looped over in chunks of this number.
  int64_t unroll;

  /// A symbol that says all of the above.
  std::string getName() const;

  /// Arguments: left, right, one or two destinations (layout `rows` and sums
  /// have a pointer a row), then a word each of multipliers (Uniform 1, OfRows
  /// one a row) and addends (OfRows, unless they are computed here:
  /// `sumsRows`).
  unsigned getNumArguments() const;

  /// Whether offsets of loads fit.
  bool isPossible() const;

  /// The row addends are computed from the left panel, not passed.
  bool sumsRows() const {
    return addend == Addend::OfRows && multiplier == Multiplier::Uniform;
  }
  int64_t getDestinations() const {
    return layout == PanelLayout::Rows ? rows : 1;
  }
  int64_t getMultipliers() const {
    return multiplier == Multiplier::Uniform  ? 1
           : multiplier == Multiplier::OfRows ? rows
                                              : 0;
  }

  /// Fills a block with these arguments.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PRODUCTKERNEL_H
