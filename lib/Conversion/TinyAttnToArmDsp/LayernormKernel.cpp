// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayernormKernel.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// Bytes that are unrolled; of wider rows, this many at a time are looped over.
static constexpr int64_t kChunk = 64;

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

std::string RowSumsKernel::getName() const {
  return "tf_row_sums_n" + std::to_string(width);
}

/// Sums of the bytes from `first` to `end`, on top of those in `sums`.
static void addBytes(KernelBuilder &b, Value row, Value ones,
                     SmallVector<Value> &sums, int64_t first, int64_t end) {
  constexpr int64_t group = 4; // words
  int64_t i = first;
  while (i + 4 <= end) {
    SmallVector<Value> words;
    for (; i + 4 <= end && int64_t(words.size()) < group; i += 4)
      words.push_back(b.load(row, i));
    for (Value word : words) {
      Value odd = b.signedBytes(word, 8), even = b.signedBytes(word);
      for (Value halves : {even, odd}) {
        sums[0] = b.multiplyPairs(halves, ones, sums[0]);
        sums[1] = b.multiplyPairs(halves, halves, sums[1]);
      }
    }
  }
  for (; i < end; ++i) {
    Value element = b.load<armdsp::LdrsbOp>(row, i);
    sums[0] = b.add(sums[0], element);
    sums[1] =
        armdsp::MlaOp::create(b, b.getI32Type(), element, element, sums[1]);
  }
}

SmallVector<Value> RowSumsKernel::build(KernelBuilder &b,
                                        ValueRange arguments) const {
  Value row = arguments[0], ones = b.constant(0x00010001);
  SmallVector<Value> sums{b.constant(0), b.constant(0)};
  int64_t looped = width < 2 * kChunk ? 0 : width / kChunk * kChunk;
  if (looped != 0) {
    Value distance = b.constant(looped);
    Value end = b.add(distance, row);
    SmallVector<Value> results = b.loop(
        {row, sums[0], sums[1]}, [&](ValueRange v) -> KernelBuilder::Next {
          SmallVector<Value> sums{v[1], v[2]};
          addBytes(b, v[0], ones, sums, 0, kChunk);
          Value next = b.addImm(v[0], kChunk);
          return {{next, sums[0], sums[1]}, next, end};
        });
    row = results[0];
    sums = {results[1], results[2]};
  }
  addBytes(b, row, ones, sums, 0, width - looped);
  return sums;
}

//===----------------------------------------------------------------------===//
// Scaling
//===----------------------------------------------------------------------===//

namespace {
class ScaleEmitter {
public:
  ScaleEmitter(KernelBuilder &b, ValueRange arguments, int32_t shift)
      : b(b), scale(arguments[4]), offset(arguments[5]), rounding(arguments[6]),
        shift(shift) {}

  /// `pointers` are those of the row, G, B and the result.
  void emit(ValueRange pointers, int64_t size) {
    int64_t i = 0;
    for (; i + 4 <= size; i += 4) {
      SmallVector<Value> values = normalize(pointers[0], i, 4);
      scalePair(pointers, values, i, 0);
      scalePair(pointers, values, i, 2);
      Value word = values[0];
      for (int64_t k = 1; k < 4; ++k)
        word = armdsp::BfiOp::create(b, b.getI32Type(), word, values[k], 8 * k);
      b.store(word, pointers[3], i);
    }
    for (; i < size; ++i) {
      Value t = normalize(pointers[0], i, 1).front();
      Value weight = b.load<armdsp::LdrshOp>(pointers[1], 2 * i);
      Value bias = b.load(pointers[2], 4 * i);
      Value sum = armdsp::SmlatbOp::create(b, b.getI32Type(), t, weight, bias);
      b.store<armdsp::StrbOp>(saturate(sum), pointers[3], i);
    }
  }

private:
  /// t_k in the upper halves.
  SmallVector<Value> normalize(Value row, int64_t first, int64_t count) {
    SmallVector<Value> values;
    for (int64_t k = 0; k < count; ++k)
      values.push_back(b.load<armdsp::LdrsbOp>(row, first + k));
    for (Value &value : values)
      value = armdsp::MlaOp::create(b, b.getI32Type(), value, scale, offset);
    return values;
  }

  void scalePair(ValueRange pointers, SmallVector<Value> &values, int64_t first,
                 int64_t k) {
    Value weights = b.load(pointers[1], 2 * (first + k));
    Value bias0 = b.load(pointers[2], 4 * (first + k));
    Value bias1 = b.load(pointers[2], 4 * (first + k) + 4);
    Type word = b.getI32Type();
    values[k] =
        saturate(armdsp::SmlatbOp::create(b, word, values[k], weights, bias0));
    values[k + 1] = saturate(
        armdsp::SmlattOp::create(b, word, values[k + 1], weights, bias1));
  }

  Value saturate(Value sum) {
    return armdsp::SsatOp::create(b, b.getI32Type(), b.add(sum, rounding), 8,
                                  shift);
  }

  KernelBuilder &b;
  Value scale, offset, rounding;
  int32_t shift;
};
} // namespace

std::string ScaleRowKernel::getName() const {
  return ("tf_scale_row_n" + Twine(width) + "_s" + Twine(shift)).str();
}

SmallVector<Value> ScaleRowKernel::build(KernelBuilder &b,
                                         ValueRange arguments) const {
  ScaleEmitter emitter(b, arguments, shift);
  SmallVector<Value> pointers(arguments.take_front(4));
  int64_t looped = width < 2 * kChunk ? 0 : width / kChunk * kChunk;
  if (looped != 0) {
    Value distance = b.constant(looped);
    Value end = b.park(b.add(distance, pointers[0]));
    pointers = b.loop(pointers, [&](ValueRange v) -> KernelBuilder::Next {
      emitter.emit(v, kChunk);
      SmallVector<Value> next{
          b.addImm(v[0], kChunk), b.addImm(v[1], 2 * kChunk),
          b.addImm(v[2], 4 * kChunk), b.addImm(v[3], kChunk)};
      return {next, next[0], b.unpark(end)};
    });
  }
  emitter.emit(pointers, width - looped);
  return {};
}
