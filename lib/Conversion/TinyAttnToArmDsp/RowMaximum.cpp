// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowMaximum.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// Words whose maximum is taken at a time.
static constexpr int64_t kWords = 6;

Value tinyattn::largerBytes(KernelBuilder &b, Value lhs, Value rhs) {
  armdsp::Ssub8Op::create(b, b.getI32Type(), lhs, rhs);
  return armdsp::SelOp::create(b, b.getI32Type(), lhs, rhs);
}

/// Of the words from `first` to `end`, and of `largest` if there is one.
static Value findMaximumOfWords(KernelBuilder &b, Value row, Value largest,
                                int64_t first, int64_t end) {
  for (int64_t word = first; word < end; word += kWords) {
    SmallVector<Value> words;
    for (int64_t w = word; w < std::min(word + kWords, end); ++w)
      words.push_back(b.load(row, 4 * w));
    for (Value w : words)
      largest = largest ? largerBytes(b, largest, w) : w;
  }
  return largest;
}

Value tinyattn::findMaximum(KernelBuilder &b, Value row, int64_t columns) {
  int64_t words = columns / 4;
  int64_t looped = columns > kStraightElements ? words / kWords * kWords : 0;
  Value largest;
  if (looped != 0) {
    Value first = b.load(row, 0);
    Value distance = b.constant(4 * looped);
    Value end = b.add(distance, row);
    auto results =
        b.loop({row, first}, [&](ValueRange v) -> KernelBuilder::Next {
          Value largest = findMaximumOfWords(b, v[0], v[1], 0, kWords);
          Value next = b.addImm(v[0], 4 * kWords);
          return {{next, largest}, next, end};
        });
    largest = results[1];
  }
  largest = findMaximumOfWords(b, row, largest, looped, words);
  // Now in the lowest byte.
  if (largest)
    for (int32_t bits : {16, 8})
      largest = largerBytes(b, b.asr(largest, bits), largest);
  for (int64_t i = 4 * words; i < columns; ++i) {
    Value element = b.load<armdsp::LdrsbOp>(row, i);
    largest = largest ? largerBytes(b, largest, element) : element;
  }
  // The other bytes are anything.
  return b.asr(b.lsl(largest, 24), 24);
}
