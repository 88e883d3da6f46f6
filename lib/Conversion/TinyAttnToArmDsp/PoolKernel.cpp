// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PoolKernel.h"

#include "RowMaximum.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// Columns of a tile: its sums are two words each of these, and stay in
/// registers while a pointer goes down the rows.
static constexpr int64_t kMeanWords = 3, kMaximumWords = 4;

/// Runs `body` for each tile of at most `tileWords` words, with a pointer to
/// its first row, the one behind its last row, where its result goes, and its
/// words. Both pointers of the arguments are parked meanwhile.
static void
forTiles(KernelBuilder &b, ValueRange arguments, int64_t rows, int64_t columns,
         int64_t tileWords,
         llvm::function_ref<void(Value, Value, Value, int64_t)> body) {
  int64_t words = columns / 4, tiles = words / tileWords;
  auto tile = [&](Value matrix, Value result, int64_t count) {
    Value first = b.unpark(matrix);
    Value distance = b.constant(rows * columns);
    Value end = b.park(b.add(distance, first));
    body(first, end, result, count);
  };
  SmallVector<Value> parked{b.park(arguments[0]), b.park(arguments[1])};
  auto advance = [&](Value pointer) {
    return b.addImm(b.unpark(pointer), 4 * tileWords);
  };
  if (tiles > 0) {
    Value last = b.park(b.addImm(arguments[1], 4 * tileWords * tiles));
    parked = b.loop(parked, [&](ValueRange v) -> KernelBuilder::Next {
      tile(v[0], v[1], tileWords);
      Value matrix = b.park(advance(v[0])), result = advance(v[1]);
      return {{matrix, b.park(result)}, result, b.unpark(last)};
    });
  }
  if (words % tileWords != 0)
    tile(parked[0], parked[1], words % tileWords);
}

//===----------------------------------------------------------------------===//
// Mean
//===----------------------------------------------------------------------===//

std::string MeanPoolKernel::getName() const {
  return ("tf_pool_mean_m" + Twine(rows) + "_n" + Twine(columns) + "_s" +
          Twine(shift))
      .str();
}

SmallVector<Value> MeanPoolKernel::build(KernelBuilder &b,
                                         ValueRange arguments) const {
  Type type = b.getI32Type();
  Value parkedMultiplier = b.park(arguments[2]);
  Value parkedOffset = b.park(arguments[3]);
  forTiles(b, arguments, rows, columns, kMeanWords,
           [&](Value first, Value end, Value parkedResult, int64_t words) {
             SmallVector<Value> inits{first};
             for (int64_t i = 0; i < 2 * words; ++i)
               inits.push_back(b.constant(0));
             auto sums =
                 b.loop(inits, [&](ValueRange v) -> KernelBuilder::Next {
                   SmallVector<Value> loaded, next{Value()};
                   for (int64_t i = 0; i < words; ++i)
                     loaded.push_back(b.load(v[0], 4 * i));
                   for (int64_t i = 0; i < words; ++i)
                     for (int32_t odd : {0, 1})
                       next.push_back(armdsp::Sxtab16Op::create(
                           b, type, loaded[i], v[1 + 2 * i + odd], 8 * odd));
                   next[0] = b.addImm(v[0], columns);
                   return {next, next[0], b.unpark(end)};
                 });
             Value multiplier = b.unpark(parkedMultiplier);
             Value offset = b.unpark(parkedOffset),
                   result = b.unpark(parkedResult);
             auto scale = [&](Value sum) -> Value {
               sum = armdsp::MlaOp::create(b, type, sum, multiplier, offset);
               return armdsp::SsatOp::create(b, type, sum, 8, shift);
             };
             for (int64_t i = 0; i < words; ++i) {
               Value even = sums[1 + 2 * i], odd = sums[2 + 2 * i];
               Value word = scale(armdsp::SxthOp::create(b, type, even));
               Value second = scale(armdsp::SxthOp::create(b, type, odd));
               word = armdsp::BfiOp::create(b, type, word, second, 8);
               Value third = scale(b.asr(even, 16));
               word = armdsp::BfiOp::create(b, type, word, third, 16);
               Value fourth = scale(b.asr(odd, 16));
               word = armdsp::BfiOp::create(b, type, word, fourth, 24);
               b.store(word, result, 4 * i);
             }
           });
  return {};
}

//===----------------------------------------------------------------------===//
// Maximum
//===----------------------------------------------------------------------===//

std::string MaximumPoolKernel::getName() const {
  return ("tf_pool_max_m" + Twine(rows) + "_n" + Twine(columns)).str();
}

SmallVector<Value> MaximumPoolKernel::build(KernelBuilder &b,
                                            ValueRange arguments) const {
  forTiles(b, arguments, rows, columns, kMaximumWords,
           [&](Value first, Value end, Value parkedResult, int64_t words) {
             SmallVector<Value> inits{first};
             for (int64_t i = 0; i < words; ++i)
               inits.push_back(b.constant(int32_t(0x80808080)));
             auto largest =
                 b.loop(inits, [&](ValueRange v) -> KernelBuilder::Next {
                   SmallVector<Value> loaded, next{Value()};
                   for (int64_t i = 0; i < words; ++i)
                     loaded.push_back(b.load(v[0], 4 * i));
                   for (int64_t i = 0; i < words; ++i)
                     next.push_back(largerBytes(b, v[1 + i], loaded[i]));
                   next[0] = b.addImm(v[0], columns);
                   return {next, next[0], b.unpark(end)};
                 });
             Value result = b.unpark(parkedResult);
             for (int64_t i = 0; i < words; ++i)
               b.store(largest[1 + i], result, 4 * i);
           });
  return {};
}
