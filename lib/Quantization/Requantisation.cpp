// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Quantization/Requantisation.h"

#include <algorithm>
#include <cmath>

using namespace mlir::tinyattn;
using llvm::ArrayRef;
using llvm::SmallVector;

static constexpr double kInt32Limit = 2147483648.0; // 2^31

int64_t mlir::tinyattn::roundHalfUp(double value) {
  return static_cast<int64_t>(std::floor(value + 0.5));
}

static int8_t saturate(double value) {
  return static_cast<int8_t>(std::clamp(value, -128.0, 127.0));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

int8_t QuantParams::quantize(double real) const {
  return saturate(std::floor(real / scale + 0.5) + zeroPoint);
}

QuantParams mlir::tinyattn::chooseAffine(double low, double high) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (low == high)
    return {1.0, 0};
  QuantParams params;
  params.scale = (high - low) / 255.0;
  params.zeroPoint = saturate(std::floor(-128.0 - low / params.scale + 0.5));
  return params;
}

QuantParams mlir::tinyattn::chooseSymmetric(double absMax) {
  return {absMax > 0 ? absMax / 127.0 : 1.0, 0};
}

//===----------------------------------------------------------------------===//
// Requantisation
//===----------------------------------------------------------------------===//

/// Largest shift in [1, 30] for which all of `fits` holds, or 0.
static int32_t largestShift(llvm::function_ref<bool(int32_t)> fits) {
  for (int32_t shift = 30; shift >= 1; --shift)
    if (fits(shift))
      return shift;
  return 0;
}

static SmallVector<int32_t> scaleBy(ArrayRef<double> ratios, int32_t shift) {
  SmallVector<int32_t> scaled;
  for (double ratio : ratios)
    scaled.push_back(roundHalfUp(std::ldexp(ratio, shift)));
  return scaled;
}

std::optional<Requantisation> mlir::tinyattn::chooseRequantisation(
    ArrayRef<double> ratios, ArrayRef<int64_t> bounds, int32_t multiplierBits) {
  constexpr double minNarrow = 128.0;           // 8 bits
  constexpr double wideMultiplier = 16777216.0; // 2^24
  constexpr int32_t maxWideShift = 54;
  double largest = *std::max_element(ratios.begin(), ratios.end());
  if (*std::max_element(bounds.begin(), bounds.end()) >= kInt32Limit)
    return std::nullopt;
  int32_t shift = largestShift([&](int32_t shift) {
    double rounding = std::ldexp(0.5, shift) + std::ldexp(128.0, shift);
    for (auto [ratio, bound] : llvm::zip_equal(ratios, bounds)) {
      double multiplier = std::floor(std::ldexp(ratio, shift) + 0.5);
      if (bound * multiplier + rounding >= kInt32Limit ||
          multiplier >= std::ldexp(1.0, multiplierBits))
        return false;
    }
    return true;
  });
  if (shift != 0 && std::ldexp(largest, shift) >= minNarrow)
    return Requantisation{scaleBy(ratios, shift), shift, /*wide=*/false};
  int32_t wideShift = maxWideShift;
  while (wideShift >= 1 && std::ldexp(largest, wideShift) >= wideMultiplier)
    --wideShift;
  if (wideShift < 1)
    return std::nullopt;
  return Requantisation{scaleBy(ratios, wideShift), wideShift, /*wide=*/true};
}

std::optional<Requantisation>
mlir::tinyattn::chooseLateNormalisation(ArrayRef<double> ratios,
                                        int32_t zeroPoint) {
  int32_t shift = largestShift([&](int32_t shift) {
    return llvm::all_of(ratios, [&](double ratio) {
      double numerator = std::floor(std::ldexp(ratio, shift) + 0.5);
      double rounding = std::ldexp(0.5 + std::abs(zeroPoint), shift);
      return 128.0 * numerator + rounding < kInt32Limit;
    });
  });
  if (shift == 0)
    return std::nullopt;
  return Requantisation{scaleBy(ratios, shift), shift, /*wide=*/false};
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static float absMax(ArrayRef<float> values) {
  float result = 0;
  for (float value : values)
    result = std::max(result, std::abs(value));
  return result;
}

/// A scale a channel. Channels of tiny or no weights get a scale that keeps
/// their bias, in units of the accumulator, below 2^24.
static SmallVector<double> chooseWeightScales(ArrayRef<float> weights,
                                              ArrayRef<float> bias,
                                              double inputScale) {
  size_t depth = weights.size() / bias.size();
  double fallback = absMax(weights) / 127.0;
  if (fallback == 0)
    fallback = 1.0;
  SmallVector<double> scales;
  for (size_t n = 0; n < bias.size(); ++n) {
    double scale = absMax(weights.slice(n * depth, depth)) / 127.0;
    double floor = std::abs(bias[n]) / (inputScale * 16777216.0);
    scales.push_back(std::max(scale > 0 ? scale : fallback, floor));
  }
  return scales;
}

QuantizedWeights mlir::tinyattn::quantizeWeights(ArrayRef<float> weights,
                                                 ArrayRef<float> bias,
                                                 const QuantParams &input,
                                                 ArrayRef<double> scales) {
  QuantizedWeights result;
  size_t depth = weights.size() / bias.size();
  if (scales.empty())
    result.scales = chooseWeightScales(weights, bias, input.scale);
  else
    result.scales.assign(scales.begin(), scales.end());
  for (size_t n = 0; n < bias.size(); ++n) {
    int64_t sum = 0, low = 0, high = 0;
    for (float weight : weights.slice(n * depth, depth)) {
      int64_t q = std::clamp<int64_t>(roundHalfUp(weight / result.scales[n]),
                                      -127, 127);
      result.weights.push_back(q);
      sum += q;
      low += std::min(q * 127, q * -128);
      high += std::max(q * 127, q * -128);
    }
    int64_t offset = roundHalfUp(bias[n] / (input.scale * result.scales[n])) -
                     input.zeroPoint * sum;
    result.bias.push_back(offset);
    result.bounds.push_back(
        std::max(std::abs(offset + low), std::abs(offset + high)));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Tables and norms
//===----------------------------------------------------------------------===//

SmallVector<int8_t> mlir::tinyattn::makeExpTable(double scale) {
  SmallVector<int8_t> table;
  for (int d = 0; d < 256; ++d)
    table.push_back(static_cast<int8_t>(
        static_cast<uint8_t>(roundHalfUp(255.0 * std::exp(-d * scale)))));
  return table;
}

SmallVector<int8_t>
mlir::tinyattn::makeLookupTable(const QuantParams &input,
                                const QuantParams &output,
                                llvm::function_ref<double(double)> function) {
  SmallVector<int8_t> table;
  for (int i = -128; i < 128; ++i)
    table.push_back(output.quantize(function(input.dequantize(i))));
  return table;
}

std::optional<QuantizedNorm> mlir::tinyattn::quantizeNorm(
    ArrayRef<float> weight, ArrayRef<float> bias, double epsilon,
    int64_t halfLog, const QuantParams &input, const QuantParams &output) {
  double width = weight.size();
  // The normalised value t has 15 - halfLog fraction bits.
  auto scaledWeight = [&](float w, int32_t shift) {
    return std::floor(
        std::ldexp(w / output.scale, shift - 15 + static_cast<int>(halfLog)) +
        0.5);
  };
  auto scaledBias = [&](float b, int32_t shift) {
    return std::floor(std::ldexp(b / output.scale, shift) + 0.5);
  };
  QuantizedNorm norm;
  norm.shift = largestShift([&](int32_t shift) {
    double rounding = std::ldexp(0.5, shift) + std::ldexp(128.0, shift);
    for (auto [w, b] : llvm::zip_equal(weight, bias)) {
      double g = std::abs(scaledWeight(w, shift));
      if (g > 32767.0 ||
          32768.0 * g + std::abs(scaledBias(b, shift)) + rounding >=
              kInt32Limit)
        return false;
    }
    return true;
  });
  if (norm.shift == 0)
    return std::nullopt;
  for (auto [w, b] : llvm::zip_equal(weight, bias)) {
    norm.weight.push_back(scaledWeight(w, norm.shift));
    norm.bias.push_back(scaledBias(b, norm.shift));
  }
  double scaled = width * width * epsilon / (input.scale * input.scale);
  norm.varianceEpsilon =
      roundHalfUp(std::clamp(scaled, 1.0, std::ldexp(1.0, 40)));
  return norm;
}
