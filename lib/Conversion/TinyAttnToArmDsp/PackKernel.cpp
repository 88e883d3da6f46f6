// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackKernel.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Words of four bytes that are unrolled; more are looped over.
constexpr int64_t kUnroll = 8;

class PackEmitter {
public:
  PackEmitter(KernelBuilder &b, PackKernel::Kind kind) : b(b), kind(kind) {}

  void emit(int64_t width, Value row0, Value row1, Value panel) {
    int64_t words = width / 4;
    int64_t looped = words / kUnroll > 1 ? words / kUnroll * kUnroll : 0;
    if (looped != 0)
      loop(looped, row0, row1, panel);
    packWords(row0, row1, panel, words - looped);
    if (width % 4 != 0)
      packRest(width % 4, row0, row1, panel, words - looped);
  }

private:
  int64_t getBytesPerWord() const { return kind == PackKernel::Joint ? 8 : 16; }

  void loop(int64_t words, Value &row0, Value &row1, Value &panel) {
    Value distance = b.constant(4 * words);
    Value end = b.add(distance, row0);
    auto results =
        b.loop({row0, row1, panel}, [&](ValueRange v) -> KernelBuilder::Next {
          packWords(v[0], v[1], v[2], kUnroll);
          Value row0 = b.addImm(v[0], 4 * kUnroll);
          Value row1 = b.addImm(v[1], 4 * kUnroll);
          Value panel = b.addImm(v[2], getBytesPerWord() * kUnroll);
          return {{row0, row1, panel}, row0, end};
        });
    row0 = results[0];
    row1 = results[1];
    panel = results[2];
  }

  void packWords(Value row0, Value row1, Value panel, int64_t words) {
    if (kind == PackKernel::Interleaved)
      return interleave(row0, row1, panel, words);
    for (int64_t word = 0; word < words; ++word)
      packWord(row0, row1, panel, word);
  }

  /// The bytes of two words are loaded while those before are extended: loads
  /// stand together on the M4, and wait for nothing on the M7. A store comes
  /// when the next extension has begun.
  void interleave(Value row0, Value row1, Value panel, int64_t words) {
    constexpr int64_t together = 2;
    auto loadFrom = [&](int64_t first) {
      SmallVector<Value> bytes;
      for (int64_t word = first; word < std::min(first + together, words);
           ++word)
        for (Value row : {row0, row1})
          bytes.push_back(b.load(row, 4 * word));
      return bytes;
    };
    Value finished;
    int64_t offset = 0;
    auto finish = [&](Value next, int64_t nextOffset) {
      if (finished)
        b.store(finished, panel, offset);
      finished = next;
      offset = nextOffset;
    };
    SmallVector<Value> bytes = loadFrom(0);
    for (int64_t first = 0; first < words; first += together) {
      SmallVector<Value> following = loadFrom(first + together);
      for (auto [i, word] : llvm::enumerate(bytes))
        for (int64_t odd : {0, 1})
          finish(b.signedBytes(word, 8 * odd),
                 16 * (first + i / 2) + 8 * odd + 4 * (i % 2));
      bytes = following;
    }
    finish({}, 0);
  }

  /// Four bytes of each row: two steps.
  void packWord(Value row0, Value row1, Value panel, int64_t word) {
    Value bytes[] = {b.load(row0, 4 * word), b.load(row1, 4 * word)};
    int64_t offset = getBytesPerWord() * word;
    if (kind == PackKernel::Joint)
      return packJoint(bytes[0], bytes[1], panel, offset);
    for (int64_t row : {0, 1}) {
      Value even = halves(bytes[row], 0), odd = halves(bytes[row], 8);
      b.store(b.lowHalves(even, odd), panel, offset + 4 * row);
      b.store(b.highHalves(even, odd), panel, offset + 8 + 4 * row);
    }
  }

  void packJoint(Value first, Value second, Value panel, int64_t offset) {
    first = b.eorImm(first, 0x80808080);
    Value even = b.orr(b.unsignedBytes(first), b.unsignedBytes(second), 8);
    Value odd = b.orr(b.unsignedBytes(first, 8), b.unsignedBytes(second, 8), 8);
    b.store(b.lowHalves(even, odd), panel, offset);
    b.store(b.highHalves(even, odd), panel, offset + 4);
  }

  Value halves(Value bytes, int32_t rotation) {
    return kind == PackKernel::Unsigned ? b.unsignedBytes(bytes, rotation)
                                        : b.signedBytes(bytes, rotation);
  }

  /// One to three bytes of each row: one or two steps, the last half 0.
  void packRest(int64_t bytes, Value row0, Value row1, Value panel,
                int64_t word) {
    Value zero = b.constant(0);
    for (int64_t i = 0; i < bytes; i += 2) {
      int64_t source = 4 * word + i;
      int64_t target =
          getBytesPerWord() * word + getBytesPerWord() / 2 * (i / 2);
      Value pairs[2];
      for (int64_t row : {0, 1}) {
        Value pointer = row == 0 ? row0 : row1;
        Value low = loadByte(pointer, source);
        Value high = i + 1 < bytes ? loadByte(pointer, source + 1) : zero;
        pairs[row] = b.lowHalves(low, high);
      }
      if (kind == PackKernel::Joint) {
        Value low = b.eorImm(b.unsignedBytes(pairs[0]), 0x00800080);
        b.store(b.orr(low, b.unsignedBytes(pairs[1]), 8), panel, target);
      } else {
        b.store(pairs[0], panel, target);
        b.store(pairs[1], panel, target + 4);
      }
    }
  }

  Value loadByte(Value pointer, int64_t offset) {
    return kind == PackKernel::Unsigned
               ? b.load<armdsp::LdrbOp>(pointer, offset)
               : b.load<armdsp::LdrsbOp>(pointer, offset);
  }

  KernelBuilder &b;
  PackKernel::Kind kind;
};

} // namespace

std::string PackKernel::getName() const {
  StringRef kinds[] = {"signed", "unsigned", "interleaved", "joint"};
  return ("tf_pack_" + kinds[kind] + "_k" + Twine(width)).str();
}

SmallVector<Value> PackKernel::build(KernelBuilder &b,
                                     ValueRange arguments) const {
  PackEmitter(b, kind).emit(width, arguments[0], arguments[1], arguments[2]);
  return {};
}
