// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sums of products of a tile: the innermost loop of everything.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H

#include "ProductKernel.h"

namespace mlir::tinyattn {

/// The sums of two rows with some pairs of columns. Joint form: `high` is that
/// of the words, `low` that of their low bytes. Separate form: `low` is of the
/// first column of the pair, `high` of the second.
struct Sums {
  explicit Sums(int64_t pairs) : low(2 * pairs), high(2 * pairs) {}

  int64_t getPairs() const { return low.size() / 2; }
  Value &getLow(int64_t row, int64_t pair) { return low[2 * pair + row]; }
  Value &getHigh(int64_t row, int64_t pair) { return high[2 * pair + row]; }

  SmallVector<Value> low, high;
};

class InnerProduct {
public:
  InnerProduct(KernelBuilder &b, const ProductKernel &kernel, int64_t headBytes)
      : b(b), kernel(kernel), headBytes(headBytes),
        isJoint(kernel.form == PanelForm::Joint) {}

  /// Parked addends of the two rows.
  void setRowAddends(ArrayRef<Value> addends) {
    rowAddends.assign(addends.begin(), addends.end());
  }

  /// Makes the addends of the two rows: -128·Σx.
  void sumRows(Value left);

  /// Remembers where the left panel ends, if there is a loop over steps.
  void parkEnd(Value left);

  Sums run(Value &left, Value &right, int64_t pairs);

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
  /// `second` is for the separate form: the word of the second column.
  Value loadRight(Value right, int64_t step, int64_t pair,
                  bool second = false) {
    return b.load(right, pair * kernel.pairStride + headBytes +
                             getWordBytes() * step + 4 * second);
  }
  Value lowBytes(Value word) {
    return kernel.biased ? b.unsignedBytes(word) : b.signedBytes(word);
  }

  /// Two products are added to the sums of both rows. Row 1 goes first: at the
  /// first step, row 0 overwrites what both start with.
  void multiply(Value word, Value x0, Value x1, Value &sum0, Value &sum1) {
    sum1 = b.multiplyPairs(word, x1, sum1);
    sum0 = b.multiplyPairs(word, x0, sum0);
  }

  void start(Sums &sums, Value right);
  void steps(Sums &sums, Value left, Value right, int64_t first, int64_t count);
  void grouped(Sums &sums, Value left, Value right, int64_t step);
  void groupedJoint(Sums &sums, Value x0, Value x1, Value right, int64_t step);
  void groupedSeparate(Sums &sums, Value x0, Value x1, Value right,
                       int64_t step);
  void alternating(Sums &sums, Value left, Value right, int64_t first,
                   int64_t count);

  /// The operands of a step that are loaded during the one before.
  struct Operands {
    Value x0, x1, word;
  };
  void alternatingJoint(Sums &sums, Operands &operands, Value left, Value right,
                        int64_t step, bool isLast);
  void alternatingSeparate(Sums &sums, Operands &operands, Value left,
                           Value right, int64_t step, bool isLast);

  KernelBuilder &b;
  const ProductKernel &kernel;
  int64_t headBytes;
  bool isJoint;
  SmallVector<Value> rowAddends; // parked
  Value end;                     // of the left panel, parked
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_INNERPRODUCT_H
