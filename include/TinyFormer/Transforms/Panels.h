// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of panels and of the blocks that they are made in, and the weights of
// layers as panels. Free of MLIR types; `packed_linear` describes the panels.

#ifndef TINYFORMER_TRANSFORMS_PANELS_H
#define TINYFORMER_TRANSFORMS_PANELS_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace tinyformer {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Bytes of a left panel, twice those of int8 rows: those of a pair of rows are
/// kept at least.
int64_t getLeftBytes(int64_t rows, int64_t width);

/// Bytes of a right panel of `columns` columns, `depth` deep.
int64_t getRightBytes(int64_t columns, int64_t depth, bool joint);

/// How many of `rows` rows go into a left panel at a time when bytes are
/// expanded: all of them where that takes little, else an even number that
/// takes about 512 bytes, of several such one that leaves no rest.
int64_t getPackRows(int64_t rows, int64_t width);

/// The same for what is computed as a left panel and is not bytes before:
/// somewhat more is worth fewer loops.
int64_t getComputeRows(int64_t rows, int64_t width);

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// A quantised linear layer: weights [channels, depth].
struct LinearWeights {
  llvm::ArrayRef<int8_t> weights;
  llvm::ArrayRef<int32_t> bias, multipliers;
  int64_t channels = 0, depth = 0;
  int shift = 0;
  /// Of each four inputs, a word has the first and the third, the next one the
  /// others: that is how bytes are extended.
  bool interleaved = false;
  /// Added to products with the multipliers, in words for XpulpV2 only.
  llvm::ArrayRef<int32_t> offsets = {};
};

/// Every multiplier fits the upper half of a product: 0 ≤ m/`divisor` <
/// 2^(shift-1).
bool fitUpperHalf(llvm::ArrayRef<int32_t> multipliers, int shift,
                  int32_t divisor = 1);

/// The joint form is exact: the second channel of each pair stays below 2^23
/// for every input of int8, and its multiplier has bits to spare.
bool isJointExact(const LinearWeights &layer);

/// The panel [pairs of channels, 4 + words] of the layer.
std::vector<int32_t> packLinear(const LinearWeights &layer, bool joint);

/// The same for sums of `width` inputs each, without bias and multipliers:
/// depth/width panels [pairs of channels, words], one after the other.
bool isJointExactInParts(const LinearWeights &layer, int64_t width);
std::vector<int32_t> packParts(const LinearWeights &layer, int64_t width,
                               bool joint);

/// Whether the joint form is exact for keys of `depth` channels, or for values
/// that exponentials of `tokens` columns weigh. Scores of two channels are one
/// instruction each, so that those keys had better be separate words.
bool shouldJoinKeys(int64_t depth, int shift);
bool shouldJoinValues(int64_t tokens, int shift);

/// Whether values of a head that have to be separate, which is twice their
/// bytes, would take more than `room`: a long sequence is short of memory
/// first.
bool areValuesTooLarge(int64_t tokens, int64_t width, int shift, int64_t room);

} // namespace tinyformer

#endif // TINYFORMER_TRANSFORMS_PANELS_H
