// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Transforms/Panels.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace tinyformer;

namespace {

/// Of a block of expanded bytes, and of a panel that is computed as a whole.
constexpr int64_t packBytes = 512, computeBytes = 2048;

/// Sums of the second column of a joint pair stay below.
constexpr int64_t jointLimit = int64_t(1) << 23;
constexpr int jointShift = 24;

int64_t getPairs(int64_t size) { return llvm::divideCeil(size, 2); }

int64_t getBlockRows(int64_t rows, int64_t width, int64_t wholeBytes) {
  if (getLeftBytes(rows, width) <= wholeBytes)
    return rows;
  int64_t block = std::max<int64_t>(1, packBytes / getLeftBytes(2, width)) * 2;
  if (block >= rows)
    return rows;
  for (int64_t even = block; even > block / 2; even -= 2)
    if (rows % even == 0)
      return even;
  return block;
}

int32_t join(int32_t low, int32_t high) {
  return int32_t((uint32_t(high) << 16) | (uint32_t(low) & 0xffff));
}

int32_t shiftLeft(int32_t value, int bits) {
  return int32_t(uint32_t(value) << bits);
}

/// Beyond the last channel and the end of a part, weights are zero.
struct Part {
  int32_t at(int64_t channel, int64_t k) const {
    if (channel >= layer.channels || k >= width)
      return 0;
    return layer.weights[channel * layer.depth + begin + k];
  }

  bool isJointExact(int64_t channel, int64_t bias) const {
    int64_t bound = std::abs(bias);
    for (int64_t k = 0; k < width; ++k)
      bound += 128 * std::abs(at(channel, k));
    return bound < jointLimit;
  }

  /// The two inputs of a step.
  std::pair<int64_t, int64_t> getInputs(int64_t step) const {
    bool isWhole = 2 * step < width / 4 * 4;
    if (!layer.interleaved || !isWhole)
      return {2 * step, 2 * step + 1};
    int64_t k = step / 2 * 4 + step % 2;
    return {k, k + 2};
  }

  /// The words of the pair of channels from `a` on.
  void append(int64_t a, bool joint, std::vector<int32_t> &words) const {
    for (int64_t step = 0; step < getPairs(width); ++step) {
      auto [k, next] = getInputs(step);
      if (joint) {
        words.push_back(join(256 * at(a + 1, k) + at(a, k),
                             256 * at(a + 1, next) + at(a, next)));
        continue;
      }
      words.push_back(join(at(a, k), at(a, next)));
      words.push_back(join(at(a + 1, k), at(a + 1, next)));
    }
  }

  const LinearWeights &layer;
  int64_t begin, width;
};

/// 256·b + a of weights fits a half unless b is -128.
bool areSymmetric(llvm::ArrayRef<int8_t> weights) {
  return std::find(weights.begin(), weights.end(), -128) == weights.end();
}

} // namespace

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

int64_t tinyformer::getLeftBytes(int64_t rows, int64_t width) {
  return getPairs(rows) * getPairs(width) * 8;
}

int64_t tinyformer::getRightBytes(int64_t columns, int64_t depth, bool joint) {
  return getPairs(columns) * getPairs(depth) * (joint ? 4 : 8);
}

int64_t tinyformer::getPackRows(int64_t rows, int64_t width) {
  return getBlockRows(rows, width, packBytes);
}

int64_t tinyformer::getComputeRows(int64_t rows, int64_t width) {
  return getBlockRows(rows, width, computeBytes);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

bool tinyformer::fitUpperHalf(llvm::ArrayRef<int32_t> multipliers, int shift,
                              int32_t divisor) {
  return std::all_of(multipliers.begin(), multipliers.end(), [&](int32_t m) {
    return m >= 0 && m / divisor < int64_t(1) << (shift - 1);
  });
}

bool tinyformer::isJointExact(const LinearWeights &layer) {
  if (layer.shift > jointShift || !areSymmetric(layer.weights))
    return false;
  Part all{layer, 0, layer.depth};
  for (int64_t channel = 1; channel < layer.channels; channel += 2)
    if (!all.isJointExact(channel, layer.bias[channel]))
      return false;
  return true;
}

std::vector<int32_t> tinyformer::packLinear(const LinearWeights &layer,
                                            bool joint) {
  auto at = [&](llvm::ArrayRef<int32_t> numbers, int64_t channel) {
    return channel < layer.channels ? numbers[channel] : 0;
  };
  int shift = 32 - layer.shift;
  std::vector<int32_t> words;
  for (int64_t a = 0; a < layer.channels; a += 2) {
    int32_t biasA = at(layer.bias, a), biasB = at(layer.bias, a + 1);
    words.push_back(joint ? int32_t(256 * uint32_t(biasB) + uint32_t(biasA))
                          : biasA);
    words.push_back(joint ? biasA : biasB);
    words.push_back(shiftLeft(at(layer.multipliers, a), shift));
    words.push_back(
        shiftLeft(at(layer.multipliers, a + 1), joint ? shift - 8 : shift));
    Part{layer, 0, layer.depth}.append(a, joint, words);
  }
  return words;
}

bool tinyformer::isJointExactInParts(const LinearWeights &layer,
                                     int64_t width) {
  if (!areSymmetric(layer.weights))
    return false;
  for (int64_t begin = 0; begin < layer.depth; begin += width)
    for (int64_t channel = 1; channel < layer.channels; channel += 2)
      if (!Part{layer, begin, width}.isJointExact(channel, /*bias=*/0))
        return false;
  return true;
}

std::vector<int32_t> tinyformer::packParts(const LinearWeights &layer,
                                           int64_t width, bool joint) {
  std::vector<int32_t> words;
  for (int64_t begin = 0; begin < layer.depth; begin += width)
    for (int64_t a = 0; a < layer.channels; a += 2)
      Part{layer, begin, width}.append(a, joint, words);
  return words;
}

bool tinyformer::shouldJoinKeys(int64_t depth, int shift) {
  return depth > 2 && shift <= jointShift && depth * 128 * 128 < jointLimit;
}

bool tinyformer::areValuesTooLarge(int64_t tokens, int64_t width, int shift,
                                   int64_t room) {
  return !shouldJoinValues(tokens, shift) &&
         getRightBytes(width, tokens, /*joint=*/false) > room;
}

bool tinyformer::shouldJoinValues(int64_t tokens, int shift) {
  return shift <= jointShift && tokens * 128 * 255 < jointLimit;
}
