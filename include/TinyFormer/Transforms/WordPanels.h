// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of layers as rows of words, and the lengths of such rows. Free of
// MLIR types; `word_linear` describes the rows.

#ifndef TINYFORMER_TRANSFORMS_WORDPANELS_H
#define TINYFORMER_TRANSFORMS_WORDPANELS_H

#include "TinyFormer/Transforms/Panels.h"

namespace tinyformer {

/// Words at the head of a row of weights: multiplier and addend.
constexpr int64_t kWordPanelHead = 2;

/// Words of one row of weights of so many inputs.
int64_t getWordPanelWidth(int64_t depth, bool hasHead);

/// Bytes from one row of `width` activations to the next: whole words, such
/// that four rows do not start in the same of 16 memory banks.
int64_t getWordRowBytes(int64_t width);

/// Bytes that may be read behind the last of some rows of `width` activations
/// without gaps: to the end of its last word. One or two are read as they are.
int64_t getReadAhead(int64_t width);

/// The rows of the layer. The zero point is that of the output.
std::vector<int32_t> packWords(const LinearWeights &layer, int32_t zeroPoint);

/// The same for sums of `width` inputs each, without multipliers and addends:
/// depth/width panels, one after the other.
std::vector<int32_t> packWordParts(const LinearWeights &layer, int64_t width);

} // namespace tinyformer

#endif // TINYFORMER_TRANSFORMS_WORDPANELS_H
