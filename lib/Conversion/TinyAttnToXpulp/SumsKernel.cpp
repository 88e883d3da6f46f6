// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SumsKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

static constexpr int64_t kColumns = 4;

/// Whole tiles of columns in a loop, the rest behind it. `tile` moves the
/// pointers by its number of columns.
static void
forTiles(XpulpBuilder &b, int64_t columns, SmallVector<Value> pointers,
         llvm::function_ref<void(XpulpBuilder &, SmallVector<Value> &, int64_t)>
             tile) {
  b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
    SmallVector<Value> at = pointers;
    if (columns >= kColumns)
      at = b.loop(int32_t(columns / kColumns), at,
                  [&](XpulpBuilder &b, ValueRange arguments) {
                    XpulpBuilder::Values inside(arguments);
                    tile(b, inside, kColumns);
                    return inside;
                  });
    if (columns % kColumns != 0)
      tile(b, at, columns % kColumns);
    return {};
  });
}

std::string RequantizeKernel::getName() const {
  return llvm::formatv("tf_requantize_n{0}_s{1}_{2}_{3}", columns, shift,
                       inputStride, resultStride);
}

void RequantizeKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Value rows = arguments[3], addend = arguments[4];
  auto tile = [&](XpulpBuilder &b, SmallVector<Value> &at, int64_t size) {
    SmallVector<Value> multipliers;
    for (int64_t i = 0; i < size; ++i)
      multipliers.push_back(b.loadAndStep(at[1], {4}));
    bool isWord = size == kColumns;
    Step nextInput = b.keep(inputStride - 4 * (size - 1));
    Step nextResult = b.keep(resultStride - (isWord ? 0 : size - 1));
    b.loop(rows, {at[0], at[2]}, [&](XpulpBuilder &b, ValueRange pointers) {
      Value input = pointers[0], result = pointers[1];
      SmallVector<Value> sums;
      for (int64_t i = 0; i < size; ++i)
        sums.push_back(
            b.loadAndStep(input, i + 1 < size ? Step{4} : nextInput));
      for (auto [sum, multiplier] : llvm::zip(sums, multipliers))
        sum = b.make<xpulp::MulOp>(sum, multiplier);
      for (Value &sum : sums)
        sum = b.addAndRound(sum, addend, shift);
      for (Value &sum : sums)
        sum = b.saturate(sum);
      if (isWord)
        b.storeAndStep(b.packBytes(sums), result, nextResult);
      for (int64_t i = 0; i < size && !isWord; ++i)
        b.storeByteAndStep(sums[i], result,
                           i + 1 < size ? Step{1} : nextResult);
      return XpulpBuilder::Values{input, result};
    });
    at[0] = b.add(at[0], 4 * size);
    at[2] = b.add(at[2], size);
  };
  forTiles(b, columns, {arguments[0], arguments[1], arguments[2]}, tile);
}

std::string BroadcastKernel::getName() const {
  return llvm::formatv("tf_broadcast_n{0}_{1}", columns, resultStride);
}

void BroadcastKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  Value rows = arguments[2];
  auto tile = [&](XpulpBuilder &b, SmallVector<Value> &at, int64_t size) {
    SmallVector<Value> words;
    for (int64_t i = 0; i < size; ++i)
      words.push_back(b.loadAndStep(at[0], {4}));
    Step next = b.keep(resultStride - 4 * (size - 1));
    b.loop(rows, at[1], [&](XpulpBuilder &b, ValueRange pointers) {
      Value result = pointers[0];
      for (int64_t i = 0; i < size; ++i)
        b.storeAndStep(words[i], result, i + 1 < size ? Step{4} : next);
      for (int64_t i = size; i < int64_t(xpulp::minBodySize); ++i)
        xpulp::NopOp::create(b);
      return XpulpBuilder::Values{result};
    });
    at[1] = b.add(at[1], 4 * size);
    // The end of the loop inside is two instructions away from that of this.
    xpulp::NopOp::create(b);
  };
  forTiles(b, columns, {arguments[0], arguments[1]}, tile);
}
