// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PoolKernel.h"

#include "ElementwiseKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

std::string PoolKernel::getName() const {
  std::string name = llvm::formatv("tf_pool_{0}_m{1}_{2}",
                                   isMean ? "mean" : "max", rows, stride);
  return isMean ? name + "_s" + std::to_string(shift) : name;
}

/// Four columns or one, and the pointer in the next row.
static Value loadRow(XpulpBuilder &b, Value &row, Step next, bool isWord) {
  if (isWord)
    return b.loadAndStep(row, next);
  return b.loadAndStep<xpulp::LbPostOp, xpulp::LbPostRegOp>(row, next);
}

Value PoolKernel::buildMaximum(XpulpBuilder &b, Value column,
                               bool isWord) const {
  Step next = b.keep(stride);
  Value lowest = b.constant(isWord ? int32_t(0x80808080) : -128);
  return b.loop(int32_t(rows), {column, lowest},
                [&](XpulpBuilder &b, ValueRange arguments) {
                  Value row = arguments[0], largest = arguments[1];
                  Value word = loadRow(b, row, next, isWord);
                  // What is loaded is not there for the next instruction.
                  xpulp::NopOp::create(b);
                  largest = isWord ? b.make<xpulp::PvMaxBOp>(largest, word)
                                   : b.make<xpulp::PMaxOp>(largest, word);
                  return XpulpBuilder::Values{row, largest};
                })[1];
}

Value PoolKernel::buildMean(XpulpBuilder &b, Value column, bool isWord,
                            ValueRange arguments) const {
  Value init = arguments[3], multiplier = arguments[4], addend = arguments[5];
  Step next = b.keep(stride);
  SmallVector<Value> lanes;
  for (int64_t lane = 0; isWord && lane < 4; ++lane)
    lanes.push_back(b.constant(int32_t(1) << (8 * lane)));
  SmallVector<Value> inits{column};
  inits.append(isWord ? 4 : 1, init);
  SmallVector<Value> sums =
      b.loop(int32_t(rows), inits, [&](XpulpBuilder &b, ValueRange arguments) {
        XpulpBuilder::Values values(arguments);
        Value word = loadRow(b, values[0], next, isWord);
        for (auto [i, lane] : llvm::enumerate(lanes))
          values[i + 1] = b.make<xpulp::PvSdotspBOp>(word, lane, values[i + 1]);
        if (!isWord) {
          xpulp::NopOp::create(b);
          values[1] = b.make<xpulp::AddOp>(values[1], word);
        }
        return values;
      });
  sums.erase(sums.begin());
  for (Value &sum : sums)
    sum = b.make<xpulp::MulOp>(sum, multiplier);
  for (Value &sum : sums)
    sum = b.addAndRound(sum, addend, shift);
  for (Value &sum : sums)
    sum = b.saturate(sum);
  return isWord ? b.packBytes(sums) : sums[0];
}

void PoolKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  auto buildColumns = [&](XpulpBuilder &b, SmallVector<Value> &at,
                          bool isWord) {
    Value result = isMean ? buildMean(b, at[0], isWord, arguments)
                          : buildMaximum(b, at[0], isWord);
    at[0] = b.add(at[0], isWord ? 4 : 1);
    if (isWord)
      return b.storeAndStep(result, at[1], {4});
    b.storeByteAndStep(result, at[1], {1});
  };
  buildPieces(
      b, arguments[2], /*log2Size=*/2, {arguments[0], arguments[1]},
      [&](XpulpBuilder &b, SmallVector<Value> &at) {
        buildColumns(b, at, /*isWord=*/true);
      },
      [&](XpulpBuilder &b, SmallVector<Value> &at) {
        buildColumns(b, at, /*isWord=*/false);
      });
}
