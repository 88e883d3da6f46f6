// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShortProduct.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Tiles of four columns that are unrolled; more are looped over.
constexpr int64_t kTiles = 8;

class ShortEmitter {
public:
  ShortEmitter(KernelBuilder &b, const ProductKernel &kernel,
               ValueRange arguments)
      : b(b), kernel(kernel), right(arguments[1]) {
    for (int64_t row = 0; row < kernel.rows; ++row)
      queries.push_back(b.load(arguments[0], 4 * row));
    for (Value row : arguments.slice(2, kernel.rows))
      rows.push_back(b.park(row));
    multiplier = arguments.back();
    if (kernel.zeroPoint != 0)
      zero = b.constant(kernel.zeroPoint);
  }

  void emit() {
    int64_t tiles = kernel.channels / 4;
    int64_t looped = tiles >= 2 * kTiles ? tiles / kTiles * kTiles : 0;
    if (looped != 0)
      loop(looped);
    for (int64_t t = 0; t < tiles - looped; ++t)
      tile(right, rows, t, 2);
    if (int64_t rest = kernel.channels - 4 * tiles)
      tile(right, rows, tiles - looped, rest == 3 ? 2 : 1);
  }

private:
  void loop(int64_t tiles) {
    Value distance = b.constant(tiles * getTileStride());
    Value end = b.park(b.add(distance, right));
    SmallVector<Value> inits{right};
    inits.append(rows);
    auto results = b.loop(inits, [&](ValueRange v) -> KernelBuilder::Next {
      for (int64_t t = 0; t < kTiles; ++t)
        tile(v[0], v.drop_front(), t, 2);
      Value right = b.addImm(v[0], kTiles * getTileStride());
      SmallVector<Value> next{right};
      for (Value row : v.drop_front())
        next.push_back(b.park(b.addImm(b.unpark(row), 4 * kTiles)));
      return {next, right, b.unpark(end)};
    });
    right = results[0];
    rows.assign(results.begin() + 1, results.end());
  }

  int64_t getTileStride() const { return 2 * kernel.pairStride; }

  void tile(Value right, ValueRange rows, int64_t number, int64_t pairs) {
    SmallVector<Value> keys;
    SmallVector<SmallVector<Value>> scores(kernel.rows);
    for (int64_t i = 0; i < 2 * pairs; ++i)
      keys.push_back(b.load(right, number * getTileStride() +
                                       i / 2 * kernel.pairStride +
                                       4 * (i % 2)));
    for (Value key : keys)
      for (int64_t row = kernel.rows; row-- > 0;)
        scores[row].push_back(b.multiplyPairs(key, queries[row], {}));
    for (auto &row : scores)
      for (Value &score : row)
        score = b.multiplyHigh(score, multiplier, zero);
    if (pairs == 2)
      writeWords(scores, rows, 4 * number);
    else
      writeBytes(scores, rows, 4 * number);
  }

  void writeWords(ArrayRef<SmallVector<Value>> scores, ValueRange rows,
                  int64_t offset) {
    SmallVector<std::pair<Value, Value>> pairs;
    for (const auto &q : scores)
      pairs.append({{q[0], q[2]}, {q[1], q[3]}});
    SmallVector<Value> halves = b.saturatedHalves(pairs), pointers, words;
    // On the M7 what is unparked arrives late.
    for (Value row : rows)
      pointers.push_back(b.unpark(row));
    for (Value &half : halves)
      half = b.unsignedBytes(half);
    for (int64_t row = 0; row < kernel.rows; ++row)
      words.push_back(b.orr(halves[2 * row], halves[2 * row + 1], 8));
    for (auto [word, pointer] : llvm::zip(words, pointers))
      b.store(word, pointer, offset);
  }

  void writeBytes(ArrayRef<SmallVector<Value>> scores, ValueRange rows,
                  int64_t offset) {
    SmallVector<std::pair<Value, Value>> pairs;
    for (const auto &q : scores)
      pairs.push_back({q[0], q[1]});
    for (auto [half, row] : llvm::zip(b.saturatedHalves(pairs), rows)) {
      Value pointer = b.unpark(row);
      b.store<armdsp::StrbOp>(half, pointer, offset);
      b.store<armdsp::StrbOp>(b.asr(half, 16), pointer, offset + 1);
    }
  }

  KernelBuilder &b;
  const ProductKernel &kernel;
  Value right, multiplier, zero;
  SmallVector<Value> queries;
  SmallVector<Value> rows; // parked
};

} // namespace

bool tinyattn::isShortProduct(const ProductKernel &kernel) {
  constexpr int64_t largestOffset = 4095;
  return kernel.steps == 1 && kernel.form == PanelForm::Separate &&
         kernel.multiplier == Multiplier::Uniform &&
         kernel.layout == PanelLayout::Rows &&
         2 * (2 * kTiles + 1) * kernel.pairStride <= largestOffset;
}

void tinyattn::buildShortProduct(KernelBuilder &b, const ProductKernel &kernel,
                                 ValueRange arguments) {
  ShortEmitter(b, kernel, arguments).emit();
}
