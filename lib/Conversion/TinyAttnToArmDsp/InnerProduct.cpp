// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A step of the joint form with two rows and four columns is 4 loads, 2
// unpackings and 8 multiplications of two products each. The M4 takes 15
// cycles: loads in a row cost one cycle more than there are loads. The M7 takes
// 8: each multiplication has something to issue with. One row with four columns
// is 3 loads, 2 unpackings and 4 multiplications; more loads stand together.

#include "InnerProduct.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// But for the pointers of both panels.
constexpr int64_t kRegisters = 12;

} // namespace

//===----------------------------------------------------------------------===//
// Starts and ends
//===----------------------------------------------------------------------===//

SmallVector<Value> InnerProduct::sumSteps(Value left, SmallVector<Value> sums,
                                          int64_t first, int64_t count) {
  constexpr int64_t group = 4;
  Value ones = b.constant(0x00010001);
  for (int64_t step = first; step < first + count; step += group) {
    SmallVector<Value> words;
    int64_t end = std::min(step + group, first + count);
    for (int64_t s = step; s < end; ++s)
      for (int64_t row = 0; row < kernel.rows; ++row)
        words.push_back(loadLeft(left, s, row));
    for (auto [i, word] : llvm::enumerate(words)) {
      Value &sum = sums[i % kernel.rows];
      sum = b.multiplyPairs(word, ones, sum);
    }
  }
  return sums;
}

void InnerProduct::sumRows(Value left) {
  int64_t peeled = getPeeled();
  SmallVector<Value> sums(kernel.rows);
  sums = sumSteps(left, sums, 0, peeled);
  if (isLooped()) {
    Value distance = b.constant(8 * (kernel.steps - peeled));
    Value end = b.park(b.add(distance, left));
    SmallVector<Value> inits{left};
    inits.append(sums);
    SmallVector<Value> results =
        b.loop(inits, [&](ValueRange v) -> KernelBuilder::Next {
          SmallVector<Value> sums(v.drop_front());
          sums = sumSteps(v.front(), sums, peeled, kernel.unroll);
          SmallVector<Value> next{b.addImm(v.front(), 8 * kernel.unroll)};
          next.append(sums);
          return {next, next.front(), b.unpark(end)};
        });
    sums.assign(results.begin() + 1, results.end());
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
    for (int64_t row = 0; row < sums.rows; ++row) {
      Value addend = b.unpark(rowAddends[row]);
      for (int64_t column = 0; column < sums.columns; ++column)
        sums.at(row, column) = addend;
    }
    return;
  }
  for (int64_t column = 0; column < sums.columns; ++column) {
    bool isSecond = (column % 2 != 0) != isJoint;
    Value word =
        b.load(right, column / 2 * kernel.pairStride + (isSecond ? 4 : 0));
    for (int64_t row = 0; row < sums.rows; ++row)
      sums.at(row, column) = word;
  }
}

Sums InnerProduct::run(Value &left, Value &right, int64_t columns) {
  Sums sums(kernel.rows, columns);
  start(sums, right);
  int64_t peeled = getPeeled();
  steps(sums, left, right, 0, peeled);
  if (!isLooped())
    return sums;

  SmallVector<Value> inits{left, right};
  inits.append(sums.values);
  SmallVector<Value> results =
      b.loop(inits, [&](ValueRange iterated) -> KernelBuilder::Next {
        Sums sums(kernel.rows, columns);
        llvm::copy(iterated.drop_front(2), sums.values.begin());
        steps(sums, iterated[0], iterated[1], peeled, kernel.unroll);
        Value left = b.addImm(iterated[0], 8 * kernel.unroll);
        Value right = b.addImm(iterated[1], getWordBytes() * kernel.unroll);
        SmallVector<Value> next{left, right};
        next.append(sums.values);
        return {next, left, b.unpark(end)};
      });
  left = b.retreat(results[0], 8 * (kernel.steps - peeled));
  right = b.retreat(results[1], getWordBytes() * (kernel.steps - peeled));
  sums.values.assign(results.begin() + 2, results.end());
  return sums;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Words are pairs of columns in the joint form, columns in the separate one.
Value InnerProduct::loadRight(Value right, int64_t step, int64_t word) {
  int64_t pair = isJoint ? word : word / 2, second = isJoint ? 0 : word % 2;
  return b.load(right, pair * kernel.pairStride + headBytes +
                           getWordBytes() * step + 4 * second);
}

void InnerProduct::steps(Sums &sums, Value left, Value right, int64_t first,
                         int64_t count) {
  int64_t products = sums.rows * sums.columns;
  OperandStream operands(
      {sums.rows, isJoint ? sums.getPairs() : sums.columns,
       products + (isJoint ? sums.columns / 2 : 0), count,
       kRegisters - products, kernel.dualIssue},
      [&](int64_t step, int64_t row) {
        return loadLeft(left, first + step, row);
      },
      [&](int64_t step, int64_t word) {
        return loadRight(right, first + step, word);
      });
  for (int64_t step = 0; step < count; ++step) {
    isJoint ? joint(sums, operands) : separate(sums, operands);
    operands.nextStep();
  }
}

void InnerProduct::joint(Sums &sums, OperandStream &operands) {
  SmallVector<Value> words;
  for (int64_t pair = 0; pair < sums.getPairs(); ++pair) {
    Value word = operands.getWord(pair);
    bool isWhole = sums.isWhole(pair);
    if (isWhole)
      multiply(word, operands, sums, 2 * pair + 1, /*isLast=*/false);
    // The second column of a pair is 0 where there is none, but for biased
    // forms.
    if (isWhole || kernel.biased) {
      word = kernel.biased ? b.unsignedBytes(word) : b.signedBytes(word);
      operands.advance();
    }
    words.push_back(word);
  }
  for (auto [pair, word] : llvm::enumerate(words))
    multiply(word, operands, sums, 2 * pair, pair + 1 == words.size());
}

void InnerProduct::separate(Sums &sums, OperandStream &operands) {
  for (int64_t column = 0; column < sums.columns; ++column)
    multiply(operands.getWord(column), operands, sums, column,
             column + 1 == sums.columns);
}

/// Two products are added to the sums of the rows with a column. Row 1 goes
/// first: at the first step, row 0 overwrites what both start with.
void InnerProduct::multiply(Value word, OperandStream &operands, Sums &sums,
                            int64_t column, bool isLast) {
  for (int64_t row = sums.rows; row-- > 0;) {
    Value &sum = sums.at(row, column);
    sum = b.multiplyPairs(word, operands.getRow(row), sum);
    if (isLast)
      operands.release();
    bool diesHere = row == 0 && (!isJoint || column % 2 == 0);
    if (diesHere)
      operands.release();
    operands.advance();
  }
}
