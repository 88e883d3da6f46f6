// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When the operands of an inner loop are loaded: as early as registers allow.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_OPERANDSTREAM_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_OPERANDSTREAM_H

#include "KernelBuilder.h"

#include <functional>

namespace mlir::tinyattn {

/// The operands of all steps: words of one or two rows, and of the columns.
///
/// On the Cortex-M4, loads in a row cost one cycle more than there are loads:
/// when one is missing, all registers are filled. On the Cortex-M7, loads issue
/// with multiplications: behind each of those comes what it has room for.
class OperandStream {
public:
  struct Shape {
    int64_t rows, words;  // that are loaded in a step
    int64_t instructions; // of a step that are no loads
    int64_t steps;
    int64_t registers; // that operands may take
    bool dualIssue;
  };
  using Load = std::function<Value(int64_t step, int64_t number)>;

  OperandStream(const Shape &shape, Load row, Load word)
      : shape(shape), row(std::move(row)), word(std::move(word)) {
    if (shape.dualIssue)
      load(2 * getPerStep());
  }

  Value getRow(int64_t number) {
    // The last row is multiplied with first.
    return get(number + 1 == shape.rows ? 0 : 2);
  }
  Value getWord(int64_t number) {
    return get(number == 0 ? 1 : shape.rows + number);
  }

  /// A register is free.
  void release() { --live; }

  /// An instruction that is no load has been emitted.
  void advance() {
    if (shape.dualIssue)
      load(llvm::divideCeil(getPerStep(), shape.instructions));
  }

  void nextStep() { base += getPerStep(); }

private:
  int64_t getPerStep() const { return shape.rows + shape.words; }

  Value get(int64_t position) {
    size_t number = base + position;
    if (number >= values.size())
      load(shape.dualIssue ? number + 1 - values.size() : shape.registers);
    assert(number < values.size() && "there are too few registers");
    return values[number];
  }

  /// At most `count` operands, as far as there are registers.
  void load(int64_t count) {
    int64_t end = shape.steps * getPerStep();
    for (; count > 0 && live < shape.registers && int64_t(values.size()) < end;
         --count, ++live)
      values.push_back(loadNext());
  }

  Value loadNext() {
    int64_t step = values.size() / getPerStep();
    int64_t position = values.size() % getPerStep();
    if (position == 0)
      return row(step, shape.rows - 1);
    if (position == 1)
      return word(step, 0);
    if (position < shape.rows + 1)
      return row(step, 0);
    return word(step, position - shape.rows);
  }

  Shape shape;
  Load row, word;
  SmallVector<Value> values;
  int64_t base = 0, live = 0;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_OPERANDSTREAM_H
