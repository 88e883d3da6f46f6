// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ElementwiseKernel.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// Runs `body` for parts of `chunk` bytes in a loop over all pointers, which
/// stand at the rest afterwards. Nothing happens if that is less than twice.
static int64_t loopOverChunks(KernelBuilder &b, int64_t size, int64_t chunk,
                              SmallVector<Value> &pointers,
                              llvm::function_ref<void(ValueRange)> body) {
  int64_t looped = size / chunk * chunk;
  if (looped < 2 * chunk)
    return 0;
  Value distance = b.constant(looped);
  Value end = b.park(b.add(distance, pointers.front()));
  pointers = b.loop(pointers, [&](ValueRange iterated) -> KernelBuilder::Next {
    body(iterated);
    SmallVector<Value> next;
    for (Value pointer : iterated)
      next.push_back(b.addImm(pointer, chunk));
    return {next, next.front(), b.unpark(end)};
  });
  return looped;
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

/// All loads of a group stand together: n indices, n entries in their places,
/// 2n + 1 cycles on the M4, and n for the stores. 3 + 1/n cycles an element is
/// the least, with n what three pointers leave of the registers: indices of a
/// word would have to be taken apart by an instruction each, and entries are
/// stored one by one or joined, two at a time, by as many.
static void lookUp(KernelBuilder &b, Value x, Value table, Value y,
                   int64_t size) {
  constexpr int64_t group = 11;
  for (int64_t first = 0; first < size; first += group) {
    int64_t end = std::min(first + group, size);
    SmallVector<Value> values;
    for (int64_t i = first; i < end; ++i)
      values.push_back(b.load<armdsp::LdrsbOp>(x, i));
    for (Value &value : values)
      value = armdsp::LdrbIndexedOp::create(b, b.getI32Type(), table, value);
    for (auto [i, value] : llvm::enumerate(values))
      b.store<armdsp::StrbOp>(value, y, first + i);
  }
}

std::string LookupKernel::getName() const {
  return "tf_lookup_n" + std::to_string(size);
}

SmallVector<Value> LookupKernel::build(KernelBuilder &b,
                                       ValueRange arguments) const {
  constexpr int64_t chunk = 66;
  Value table = arguments[1];
  SmallVector<Value> pointers{arguments[0], arguments[2]};
  int64_t done = loopOverChunks(b, size, chunk, pointers, [&](ValueRange v) {
    lookUp(b, v[0], table, v[1], chunk);
  });
  lookUp(b, pointers[0], table, pointers[1], size - done);
  return {};
}

//===----------------------------------------------------------------------===//
// Add
//===----------------------------------------------------------------------===//

namespace {
class AddEmitter {
public:
  AddEmitter(KernelBuilder &b, Value multipliers, Value offset, int32_t shift)
      : b(b), multipliers(multipliers), offset(offset), shift(shift) {}

  void emit(Value lhs, Value rhs, Value result, int64_t size) {
    int64_t i = 0;
    for (; i + 8 <= size; i += 8)
      addWords(lhs, rhs, result, i, 2);
    for (; i + 4 <= size; i += 4)
      addWords(lhs, rhs, result, i, 1);
    for (; i < size; ++i) {
      Value a = b.load<armdsp::LdrsbOp>(lhs, i);
      Value c = b.load<armdsp::LdrsbOp>(rhs, i);
      b.store<armdsp::StrbOp>(scale(b.lowHalves(a, c)), result, i);
    }
  }

private:
  void addWords(Value lhs, Value rhs, Value result, int64_t first,
                int64_t count) {
    SmallVector<Value> words;
    for (int64_t i = 0; i < count; ++i) {
      words.push_back(b.load(lhs, first + 4 * i));
      words.push_back(b.load(rhs, first + 4 * i));
    }
    for (int64_t i = 0; i < count; ++i)
      b.store(addWord(words[2 * i], words[2 * i + 1]), result, first + 4 * i);
  }

  Value addWord(Value a, Value c) {
    Value oddA = b.signedBytes(a, 8), oddC = b.signedBytes(c, 8);
    Value evenA = b.signedBytes(a), evenC = b.signedBytes(c);
    Value sums[] = {b.lowHalves(evenA, evenC), b.lowHalves(oddA, oddC),
                    b.highHalves(evenA, evenC), b.highHalves(oddA, oddC)};
    for (Value &sum : sums)
      sum = scale(sum);
    Value word = sums[0];
    for (int64_t i = 1; i < 4; ++i)
      word = armdsp::BfiOp::create(b, b.getI32Type(), word, sums[i], 8 * i);
    return word;
  }

  Value scale(Value pair) {
    Value sum = b.multiplyPairs(pair, multipliers, offset);
    return armdsp::SsatOp::create(b, b.getI32Type(), sum, 8, shift);
  }

  KernelBuilder &b;
  Value multipliers, offset;
  int32_t shift;
};
} // namespace

std::string AddKernel::getName() const {
  return ("tf_add_n" + Twine(size) + "_s" + Twine(shift)).str();
}

SmallVector<Value> AddKernel::build(KernelBuilder &b,
                                    ValueRange arguments) const {
  constexpr int64_t chunk = 64;
  AddEmitter emitter(b, arguments[3], arguments[4], shift);
  SmallVector<Value> pointers(arguments.take_front(3));
  int64_t done = loopOverChunks(b, size, chunk, pointers, [&](ValueRange v) {
    emitter.emit(v[0], v[1], v[2], chunk);
  });
  emitter.emit(pointers[0], pointers[1], pointers[2], size - done);
  return {};
}
