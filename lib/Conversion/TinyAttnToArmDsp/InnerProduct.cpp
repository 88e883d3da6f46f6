// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A step of the joint form with two pairs of columns is 4 loads, 2 unpackings
// and 8 multiplications of two products each. The M4 takes 15 cycles: loads in
// a row cost one cycle more than there are loads. The M7 takes 8: each
// multiplication has something to issue with.

#include "InnerProduct.h"

using namespace mlir;
using namespace mlir::tinyattn;

//===----------------------------------------------------------------------===//
// Starts and ends
//===----------------------------------------------------------------------===//

void InnerProduct::sumRows(Value left) {
  constexpr int64_t group = 4;
  Value ones = b.constant(0x00010001);
  auto add = [&](Value left, SmallVector<Value> sums, int64_t first,
                 int64_t count) {
    for (int64_t step = first; step < first + count; step += group) {
      SmallVector<Value> words;
      int64_t end = std::min(step + group, first + count);
      for (int64_t s = step; s < end; ++s)
        for (int64_t row : {0, 1})
          words.push_back(loadLeft(left, s, row));
      for (auto [i, word] : llvm::enumerate(words))
        sums[i % 2] = b.multiplyPairs(word, ones, sums[i % 2]);
    }
    return sums;
  };
  int64_t peeled = getPeeled();
  SmallVector<Value> sums = add(left, {Value(), Value()}, 0, peeled);
  if (isLooped()) {
    Value distance = b.constant(8 * (kernel.steps - peeled));
    Value end = b.park(b.add(distance, left));
    SmallVector<Value> results = b.loop(
        {left, sums[0], sums[1]}, [&](ValueRange v) -> KernelBuilder::Next {
          auto sums = add(v[0], {v[1], v[2]}, peeled, kernel.unroll);
          Value next = b.addImm(v[0], 8 * kernel.unroll);
          return {{next, sums[0], sums[1]}, next, b.unpark(end)};
        });
    sums = {results[1], results[2]};
  }
  Value zero = b.constant(0);
  for (Value sum : sums)
    rowAddends.push_back(b.park(b.sub(zero, sum, 7)));
}

void InnerProduct::parkEnd(Value left) {
  if (!isLooped())
    return;
  Value distance = b.constant(8 * (kernel.steps - getPeeled()));
  end = b.park(b.add(distance, left));
}

void InnerProduct::start(Sums &sums, Value right) {
  if (kernel.addend == Addend::Nothing)
    return;
  if (kernel.addend == Addend::OfRows) {
    Value addends[] = {b.unpark(rowAddends[0]), b.unpark(rowAddends[1])};
    for (int64_t pair = 0; pair < sums.getPairs(); ++pair)
      for (int64_t row : {0, 1})
        sums.getLow(row, pair) = sums.getHigh(row, pair) = addends[row];
    return;
  }
  for (int64_t pair = 0; pair < sums.getPairs(); ++pair) {
    Value first = b.load(right, pair * kernel.pairStride);
    Value second = b.load(right, pair * kernel.pairStride + 4);
    for (int64_t row : {0, 1}) {
      sums.getHigh(row, pair) = isJoint ? first : second;
      sums.getLow(row, pair) = isJoint ? second : first;
    }
  }
}

Sums InnerProduct::run(Value &left, Value &right, int64_t pairs) {
  Sums sums(pairs);
  start(sums, right);
  int64_t peeled = getPeeled();
  steps(sums, left, right, 0, peeled);
  if (!isLooped())
    return sums;

  SmallVector<Value> inits{left, right};
  inits.append(sums.low);
  inits.append(sums.high);
  SmallVector<Value> results =
      b.loop(inits, [&](ValueRange iterated) -> KernelBuilder::Next {
        Sums sums(pairs);
        ValueRange values = iterated.drop_front(2);
        sums.low.assign(values.begin(), values.begin() + 2 * pairs);
        sums.high.assign(values.begin() + 2 * pairs, values.end());
        steps(sums, iterated[0], iterated[1], peeled, kernel.unroll);
        Value left = b.addImm(iterated[0], 8 * kernel.unroll);
        Value right = b.addImm(iterated[1], getWordBytes() * kernel.unroll);
        SmallVector<Value> next{left, right};
        next.append(sums.low);
        next.append(sums.high);
        return {next, left, b.unpark(end)};
      });
  left = b.retreat(results[0], 8 * (kernel.steps - peeled));
  right = b.retreat(results[1], getWordBytes() * (kernel.steps - peeled));
  sums.low.assign(results.begin() + 2, results.begin() + 2 + 2 * pairs);
  sums.high.assign(results.begin() + 2 + 2 * pairs, results.end());
  return sums;
}

void InnerProduct::steps(Sums &sums, Value left, Value right, int64_t first,
                         int64_t count) {
  if (kernel.dualIssue)
    return alternating(sums, left, right, first, count);
  for (int64_t step = first; step < first + count; ++step)
    grouped(sums, left, right, step);
}

//===----------------------------------------------------------------------===//
// Cortex-M4: loads stand together
//===----------------------------------------------------------------------===//

void InnerProduct::grouped(Sums &sums, Value left, Value right, int64_t step) {
  Value x0 = loadLeft(left, step, 0), x1 = loadLeft(left, step, 1);
  if (isJoint)
    groupedJoint(sums, x0, x1, right, step);
  else
    groupedSeparate(sums, x0, x1, right, step);
}

void InnerProduct::groupedJoint(Sums &sums, Value x0, Value x1, Value right,
                                int64_t step) {
  SmallVector<Value> words;
  for (int64_t pair = 0; pair < sums.getPairs(); ++pair)
    words.push_back(loadRight(right, step, pair));
  for (auto [pair, word] : llvm::enumerate(words))
    multiply(word, x0, x1, sums.getHigh(0, pair), sums.getHigh(1, pair));
  for (Value &word : words)
    word = lowBytes(word);
  for (auto [pair, word] : llvm::enumerate(words))
    multiply(word, x0, x1, sums.getLow(0, pair), sums.getLow(1, pair));
}

void InnerProduct::groupedSeparate(Sums &sums, Value x0, Value x1, Value right,
                                   int64_t step) {
  for (int64_t pair = 0; pair < sums.getPairs(); ++pair) {
    Value first = loadRight(right, step, pair);
    Value second = loadRight(right, step, pair, /*second=*/true);
    multiply(first, x0, x1, sums.getLow(0, pair), sums.getLow(1, pair));
    multiply(second, x0, x1, sums.getHigh(0, pair), sums.getHigh(1, pair));
  }
}

//===----------------------------------------------------------------------===//
// Cortex-M7: loads and multiplications alternate
//===----------------------------------------------------------------------===//

void InnerProduct::alternating(Sums &sums, Value left, Value right,
                               int64_t first, int64_t count) {
  Operands operands{loadLeft(left, first, 0), loadLeft(left, first, 1),
                    loadRight(right, first, 0)};
  for (int64_t step = first; step < first + count; ++step) {
    bool isLast = step + 1 == first + count;
    if (isJoint)
      alternatingJoint(sums, operands, left, right, step, isLast);
    else
      alternatingSeparate(sums, operands, left, right, step, isLast);
  }
}

void InnerProduct::alternatingJoint(Sums &sums, Operands &operands, Value left,
                                    Value right, int64_t step, bool isLast) {
  auto [x0, x1, word] = operands;
  bool two = sums.getPairs() == 2;
  auto add = [&](Value w, Value x, Value &sum) {
    sum = b.multiplyPairs(w, x, sum);
  };
  Value other;
  add(word, x1, sums.getHigh(1, 0));
  if (two)
    other = loadRight(right, step, 1);
  add(word, x0, sums.getHigh(0, 0));
  Value low = lowBytes(word);
  Value otherLow;
  if (two) {
    add(other, x1, sums.getHigh(1, 1));
    add(other, x0, sums.getHigh(0, 1));
    otherLow = lowBytes(other);
  }
  add(low, x1, sums.getLow(1, 0));
  if (!two && !isLast)
    operands.x1 = loadLeft(left, step + 1, 1);
  add(low, x0, sums.getLow(0, 0));
  if (!isLast)
    operands.word = loadRight(right, step + 1, 0);
  if (two) {
    add(otherLow, x1, sums.getLow(1, 1));
    if (!isLast)
      operands.x1 = loadLeft(left, step + 1, 1);
    add(otherLow, x0, sums.getLow(0, 1));
  }
  if (!isLast)
    operands.x0 = loadLeft(left, step + 1, 0);
}

void InnerProduct::alternatingSeparate(Sums &sums, Operands &operands,
                                       Value left, Value right, int64_t step,
                                       bool isLast) {
  auto [x0, x1, word] = operands;
  int64_t words = 2 * sums.getPairs();
  for (int64_t i = 0; i < words; ++i) {
    int64_t pair = i / 2;
    auto &sum = i % 2 == 0 ? sums.low : sums.high;
    bool isLastWord = i + 1 == words;
    Value next;
    sum[2 * pair + 1] = b.multiplyPairs(word, x1, sum[2 * pair + 1]);
    if (!isLastWord)
      next = loadRight(right, step, (i + 1) / 2, (i + 1) % 2);
    else if (!isLast)
      operands.x1 = loadLeft(left, step + 1, 1);
    sum[2 * pair] = b.multiplyPairs(word, x0, sum[2 * pair]);
    word = next;
  }
  if (isLast)
    return;
  operands.word = loadRight(right, step + 1, 0);
  operands.x0 = loadLeft(left, step + 1, 0);
}
