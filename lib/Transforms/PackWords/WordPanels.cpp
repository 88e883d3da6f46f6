// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Transforms/WordPanels.h"

#include <cstring>

using namespace tinyformer;

/// Banks of the memory that cores share, interleaved by words.
static constexpr int64_t kBanks = 16;

static int64_t getWords(int64_t bytes) { return (bytes + 3) / 4; }

static int64_t keepApart(int64_t words) {
  return words % kBanks == 0 ? words + 1 : words;
}

int64_t tinyformer::getWordPanelWidth(int64_t depth, bool hasHead) {
  return keepApart(getWords(depth) + (hasHead ? kWordPanelHead : 0));
}

int64_t tinyformer::getWordRowBytes(int64_t width) {
  return 4 * keepApart(getWords(width));
}

int64_t tinyformer::getReadAhead(int64_t width) {
  return width % 4 == 0 || width < 3 ? 0 : 3;
}

std::vector<int32_t> tinyformer::packWords(const LinearWeights &layer,
                                           int32_t zeroPoint) {
  int64_t width = getWordPanelWidth(layer.depth, /*hasHead=*/true);
  std::vector<int32_t> words(layer.channels * width);
  for (int64_t n = 0; n < layer.channels; ++n) {
    int32_t *row = &words[n * width];
    // Modulo 2^32, as the core adds.
    uint32_t multiplier = layer.multipliers[n];
    uint32_t addend = uint32_t(layer.bias[n]) * multiplier +
                      (uint32_t(zeroPoint) << layer.shift);
    if (!layer.offsets.empty())
      addend += uint32_t(layer.offsets[n]);
    row[0] = int32_t(multiplier);
    row[1] = int32_t(addend);
    std::memcpy(row + kWordPanelHead, &layer.weights[n * layer.depth],
                layer.depth);
  }
  return words;
}

std::vector<int32_t> tinyformer::packWordParts(const LinearWeights &layer,
                                               int64_t width) {
  int64_t stride = getWordPanelWidth(width, /*hasHead=*/false);
  int64_t parts = layer.depth / width;
  std::vector<int32_t> words(parts * layer.channels * stride);
  for (int64_t part = 0; part < parts; ++part)
    for (int64_t n = 0; n < layer.channels; ++n)
      std::memcpy(&words[(part * layer.channels + n) * stride],
                  &layer.weights[n * layer.depth + part * width], width);
  return words;
}
