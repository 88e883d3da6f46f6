// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SoftmaxKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn::pulp;

std::string SoftmaxKernel::getName() const {
  return llvm::formatv("tf_softmax{0}_{1}_s{2}_{3}",
                       isSigned     ? "_signed"
                       : normalized ? "_normalized"
                                    : "",
                       columns, inputStride, resultStride);
}

namespace {

/// One row after the other. e = T[max - x]: a dot product with -1 in one lane
/// gives -x, which is added to the address of T[max] by the load. With 1 it
/// gives x, for a table that is reversed.
class Rows {
public:
  Rows(XpulpBuilder &b, const SoftmaxKernel &kernel, Value table)
      : kernel(kernel), words(kernel.columns / 4), rest(kernel.columns % 4),
        table(table) {
    for (int64_t lane = 0; lane < (words ? 4 : 0); ++lane)
      signs.push_back(b.constant(
          int32_t(uint32_t(kernel.isSigned ? 0x01 : 0xff) << (8 * lane))));
    if (words)
      ones = b.constant(0x01010101);
    if (kernel.normalized) {
      offset = b.constant(kernel.isSigned ? -(128 << 22) : 0);
      largest = b.load<xpulp::LbuOp>(table, kernel.isSigned ? 255 : 0);
    }
    if (kernel.isSigned)
      this->table = b.add(table, 255);
    nextInput = b.keep(kernel.inputStride - 4 * words);
    nextResult = b.keep(kernel.resultStride - 4 * words);
  }

  struct Pointers {
    Value input, result;
    /// Unless the rows are normalised.
    Value sums;
  };

  /// The row at `at`, which go on to the next.
  void build(XpulpBuilder &b, Pointers &at) {
    Value result = at.result;
    Value maximum = findMaximum(b, at.input);
    base = kernel.isSigned ? b.make<xpulp::SubOp>(table, maximum)
                           : b.make<xpulp::AddOp>(table, maximum);
    sum = b.constant(0);
    lookUpWords(b, at);
    lookUpRest(b, at);
    if (kernel.normalized) {
      invertSum(b);
      at.result = result;
      scaleWords(b, at.result);
      scaleRest(b, at.result);
    }
    advance(b, at);
    if (!kernel.normalized)
      b.storeAndStep(sum, at.sums, Step{4});
  }

private:
  //===--------------------------------------------------------------------===//
  // The maximum
  //===--------------------------------------------------------------------===//

  Value findMaximum(XpulpBuilder &b, Value input) {
    if (words == 0)
      return findShortMaximum(b, input);
    // The last word may have been seen in part: a maximum may be taken twice.
    Value last;
    if (rest != 0)
      last = b.load(b.add(input, kernel.columns - 4), 0);
    Value even = b.loadAndStep(input, Step{4});
    Value odd = words > 1 ? b.loadAndStep(input, Step{4}) : Value();
    int64_t pairs = (words - 2) / 2;
    if (words >= 4) {
      auto results =
          b.loop(int32_t(pairs), {input, even, odd},
                 [](XpulpBuilder &b, ValueRange arguments) {
                   Value input = arguments[0];
                   Value first = b.loadAndStep(input, Step{4});
                   Value second = b.loadAndStep(input, Step{4});
                   return XpulpBuilder::Values{
                       input, b.make<xpulp::PvMaxBOp>(arguments[1], first),
                       b.make<xpulp::PvMaxBOp>(arguments[2], second)};
                 });
      input = results[0], even = results[1], odd = results[2];
    }
    Value lone = words > 2 && words % 2 != 0 ? b.load(input, 0) : Value();
    for (Value other : {odd, last, lone})
      if (other)
        even = b.make<xpulp::PvMaxBOp>(even, other);
    return reduceLanes(b, even);
  }

  static Value reduceLanes(XpulpBuilder &b, Value word) {
    for (int32_t bits : {16, 8})
      word = b.make<xpulp::PvMaxBOp>(word, b.make<xpulp::SrliOp>(word, bits));
    return b.make<xpulp::PvExtractBOp>(word, 0);
  }

  Value findShortMaximum(XpulpBuilder &b, Value input) {
    SmallVector<Value> bytes;
    for (int64_t column = 0; column < rest; ++column)
      bytes.push_back(b.load<xpulp::LbOp>(input, column));
    Value maximum = bytes[0];
    for (Value byte : ArrayRef(bytes).drop_front())
      maximum = b.make<xpulp::PMaxOp>(maximum, byte);
    return maximum;
  }

  //===--------------------------------------------------------------------===//
  // The exponentials
  //===--------------------------------------------------------------------===//

  /// Two words at a time: what a load gives is not there for the next
  /// instruction.
  void lookUpWords(XpulpBuilder &b, Pointers &at) {
    int64_t pairs = words / 2;
    if (pairs == 1)
      lookUp(b, at.input, at.result, sum, 2);
    if (pairs > 1) {
      auto results = b.loop(int32_t(pairs), {at.input, at.result, sum},
                            [&](XpulpBuilder &b, ValueRange arguments) {
                              Value input = arguments[0], result = arguments[1],
                                    sum = arguments[2];
                              lookUp(b, input, result, sum, 2);
                              return XpulpBuilder::Values{input, result, sum};
                            });
      at.input = results[0], at.result = results[1], sum = results[2];
    }
    if (words % 2 != 0)
      lookUp(b, at.input, at.result, sum, 1);
  }

  void lookUp(XpulpBuilder &b, Value &input, Value &result, Value &sum,
              int64_t count) {
    SmallVector<Value> loaded, indices, bytes, packed;
    for (int64_t i = 0; i < count; ++i)
      loaded.push_back(b.loadAndStep(input, Step{4}));
    for (Value word : loaded)
      for (Value sign : signs)
        indices.push_back(b.make<xpulp::PvDotspBOp>(word, sign));
    for (Value index : indices)
      bytes.push_back(b.make<xpulp::LbuRegOp>(base, index));
    for (int64_t i = 0; i < count; ++i)
      packed.push_back(b.packBytes(ArrayRef(bytes).slice(4 * i, 4)));
    for (Value word : packed)
      b.storeAndStep(word, result, Step{4});
    for (Value word : packed)
      sum = b.make<xpulp::PvSdotupBOp>(word, ones, sum);
  }

  void lookUpRest(XpulpBuilder &b, Pointers &at) {
    SmallVector<Value> bytes;
    for (int64_t i = 0; i < rest; ++i)
      bytes.push_back(b.load<xpulp::LbOp>(at.input, i));
    for (Value &byte : bytes)
      byte = kernel.isSigned ? b.make<xpulp::AddOp>(base, byte)
                             : b.make<xpulp::SubOp>(base, byte);
    for (Value &byte : bytes)
      byte = b.load<xpulp::LbuOp>(byte, 0);
    for (auto [i, byte] : llvm::enumerate(bytes))
      xpulp::SbOp::create(b, byte, at.result, int32_t(i));
    for (Value byte : bytes)
      sum = b.make<xpulp::AddOp>(sum, byte);
  }

  //===--------------------------------------------------------------------===//
  // Normalisation: y = (e·R + offset + 2^21) >> 22
  //===--------------------------------------------------------------------===//

  /// R = ⌊2^30 / Σe⌋, less where one element is the whole sum. Of all e, its y
  /// alone would be 256, and has to be 255.
  void invertSum(XpulpBuilder &b) {
    Value isAlone = b.make<xpulp::PSletuOp>(sum, largest);
    Value excess = b.make<xpulp::SlliOp>(isAlone, 22);
    Value dividend = b.make<xpulp::SubOp>(b.constant(1 << 30), excess);
    reciprocal = b.make<xpulp::DivuOp>(dividend, sum);
  }

  Value scale(XpulpBuilder &b, Value product) {
    return b.addAndRound(product, offset, 22);
  }

  void scaleWords(XpulpBuilder &b, Value &result) {
    int64_t pairs = words / 2;
    if (pairs == 1)
      scaleWords(b, result, 2);
    if (pairs > 1)
      result = b.loop(int32_t(pairs), result,
                      [&](XpulpBuilder &b, ValueRange arguments) {
                        Value result = arguments[0];
                        scaleWords(b, result, 2);
                        return XpulpBuilder::Values{result};
                      })[0];
    if (words % 2 != 0)
      scaleWords(b, result, 1);
  }

  void scaleWords(XpulpBuilder &b, Value &result, int64_t count) {
    SmallVector<Value> loaded;
    for (int64_t i = 0; i < count; ++i)
      loaded.push_back(b.load(result, 4 * i));
    for (Value word : loaded) {
      SmallVector<Value> bytes;
      for (int32_t lane = 0; lane < 4; ++lane)
        bytes.push_back(b.make<xpulp::PvExtractuBOp>(word, lane));
      for (Value &byte : bytes)
        byte = b.make<xpulp::MulOp>(byte, reciprocal);
      for (Value &byte : bytes)
        byte = scale(b, byte);
      b.storeAndStep(b.packBytes(bytes), result, Step{4});
    }
  }

  void scaleRest(XpulpBuilder &b, Value result) {
    SmallVector<Value> bytes;
    for (int64_t i = 0; i < rest; ++i)
      bytes.push_back(b.load<xpulp::LbuOp>(result, i));
    for (Value &byte : bytes)
      byte = b.make<xpulp::MulOp>(byte, reciprocal);
    for (auto [i, byte] : llvm::enumerate(bytes))
      xpulp::SbOp::create(b, scale(b, byte), result, int32_t(i));
  }

  //===--------------------------------------------------------------------===//
  // The next row
  //===--------------------------------------------------------------------===//

  void advance(XpulpBuilder &b, Pointers &at) {
    // The hardware wants two instructions behind the inner loop, one of which
    // stores the sum.
    bool isAtEnd = words % 2 == 0 && rest == 0;
    int64_t behind = (nextInput.bytes != 0) + (nextResult.bytes != 0) +
                     (kernel.normalized ? 0 : 1);
    for (; isAtEnd && behind < int64_t(xpulp::minBehindInner); ++behind)
      xpulp::NopOp::create(b);
    at.input = b.advance(at.input, nextInput);
    at.result = b.advance(at.result, nextResult);
  }

  const SoftmaxKernel &kernel;
  int64_t words, rest;
  Value table;
  /// A byte -1 or 1 in each lane; a byte 1 in all lanes.
  SmallVector<Value> signs;
  Value ones;
  /// To normalise: 0 or -128·2^22, and T[0].
  Value offset, largest;
  Step nextInput, nextResult;
  /// Of the row: the address of T[max], the sum of its exponentials, and R.
  Value base, sum, reciprocal;
};

} // namespace

void SoftmaxKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Rows rows(b, *this, arguments[2]);
  b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
    SmallVector<Value> inits{arguments[0], arguments[1]};
    if (!normalized)
      inits.push_back(arguments[4]);
    b.loop(arguments[3], inits, [&](XpulpBuilder &b, ValueRange at) {
      Rows::Pointers next{at[0], at[1], normalized ? Value() : at[2]};
      rows.build(b, next);
      XpulpBuilder::Values moved{next.input, next.result};
      if (!normalized)
        moved.push_back(next.sums);
      return moved;
    });
    return {};
  });
}
