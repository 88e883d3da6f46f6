// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the sums of a tile to what the next op reads.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_REQUANTISE_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_REQUANTISE_H

#include "InnerProduct.h"

namespace mlir::tinyattn {

class Requantise {
public:
  Requantise(KernelBuilder &b, const ProductKernel &kernel)
      : b(b), kernel(kernel), isJoint(kernel.form == PanelForm::Joint) {}

  /// Parked: one, or one a row.
  void setMultipliers(ArrayRef<Value> values) {
    multipliers.assign(values.begin(), values.end());
  }

  /// Writes a tile; `destinations` are parked pointers, which go on to the next
  /// tile.
  void write(Sums &sums, Value right, SmallVector<Value> &destinations);

private:
  /// Numbers of 16 bits, by row and channel.
  struct Tile {
    int64_t rows, channels;
    Value q[2][4];
  };

  void subtract(Sums &sums);
  void accumulate(Sums &sums, SmallVector<Value> &destinations);
  Value addSum(Value word, Sums &sums, int64_t row, int64_t channel);
  Tile scale(Sums &sums, Value right);
  void scaleByColumns(Sums &sums, Value right, Value zero, Tile &tile);
  void scaleUniformly(Sums &sums, Value multiplier, Value zero, Tile &tile);
  void scaleByRows(Sums &sums, Value first, Value zero, Tile &tile);
  /// The multiplier of sums that are 256 times too large.
  Value forHigh(Value multiplier) {
    return isJoint ? b.asr(multiplier, 8) : multiplier;
  }

  void scaleSum(Sums &sums, int64_t row, int64_t channel, Value multiplier,
                Value zero, Tile &tile);

  void writeRows(const Tile &tile, SmallVector<Value> &destinations);
  void writeColumn(const Tile &tile, SmallVector<Value> &destinations);
  Value writeBytes(Value word, Value pointer, int64_t channels);
  SmallVector<Value> joinChannels(const Tile &tile);
  void writeLeft(const Tile &tile, Value &destination);
  void writeKeys(const Tile &tile, Value &destination);
  void writeValues(const Tile &tile, Value &destination);
  void writeWords(ArrayRef<Value> words, Value &destination);
  /// Halves 256·b + a + 128 of each two words, a and b.
  SmallVector<Value> join(ArrayRef<Value> words);

  KernelBuilder &b;
  const ProductKernel &kernel;
  bool isJoint;
  SmallVector<Value> multipliers; // parked
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_REQUANTISE_H
