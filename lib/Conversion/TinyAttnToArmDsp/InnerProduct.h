// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sums of products of a tile: the innermost loop of everything.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H

#include "OperandStream.h"
#include "ProductKernel.h"

namespace mlir::tinyattn {

/// The sums of one or two rows with one to four columns. Joint form: those of
/// the second column of a pair are 256 times as large, and the first column's
/// on top. A column without a second one is as in the separate form.
struct Sums {
  Sums(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), values(rows * columns) {}

  Value &at(int64_t row, int64_t column) { return values[rows * column + row]; }
  int64_t getPairs() const { return (columns + 1) / 2; }
  bool isWhole(int64_t pair) const { return 2 * pair + 1 < columns; }

  int64_t rows, columns;
  SmallVector<Value> values;
};

class InnerProduct {
public:
  InnerProduct(KernelBuilder &b, const ProductKernel &kernel, int64_t headBytes)
      : b(b), kernel(kernel), headBytes(headBytes),
        isJoint(kernel.form == PanelForm::Joint) {}

  /// Parked addends of the rows.
  void setRowAddends(ArrayRef<Value> addends) {
    rowAddends.assign(addends.begin(), addends.end());
  }

  /// Makes the addends of the rows: -128·Σx.
  void sumRows(Value left);

  /// Remembers where the left panel ends, if there is a loop over steps.
  void parkEnd(Value left);

  Sums run(Value &left, Value &right, int64_t columns);

private:
  bool isLooped() const { return kernel.steps > kernel.unroll; }

  /// Steps in front of the loop, at least one; all if there is no loop.
  int64_t getPeeled() const {
    if (!isLooped())
      return kernel.steps;
    int64_t rest = kernel.steps % kernel.unroll;
    return rest == 0 ? kernel.unroll : rest;
  }

  int64_t getWordBytes() const { return isJoint ? 4 : 8; }

  Value loadLeft(Value left, int64_t step, int64_t row) {
    return b.load(left, 8 * step + 4 * row);
  }
  Value loadRight(Value right, int64_t step, int64_t word);

  SmallVector<Value> sumSteps(Value left, SmallVector<Value> sums,
                              int64_t first, int64_t count);
  void start(Sums &sums, Value right);
  void steps(Sums &sums, Value left, Value right, int64_t first, int64_t count);
  void joint(Sums &sums, OperandStream &operands);
  void separate(Sums &sums, OperandStream &operands);
  void multiply(Value word, OperandStream &operands, Sums &sums, int64_t column,
                bool isLast);

  KernelBuilder &b;
  const ProductKernel &kernel;
  int64_t headBytes;
  bool isJoint;
  SmallVector<Value> rowAddends; // parked
  Value end;                     // of the left panel, parked
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H
