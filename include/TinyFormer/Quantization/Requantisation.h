// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of quantisation, free of MLIR: scales and zero points from
// ranges, integer weights and biases, multipliers and shifts from proven
// bounds. docs/numerics.md derives the formulas.

#ifndef TINYFORMER_QUANTIZATION_REQUANTISATION_H
#define TINYFORMER_QUANTIZATION_REQUANTISATION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace mlir::tinyattn {

/// real = scale * (integer - zeroPoint), integers in [-128, 127].
struct QuantParams {
  double scale = 1.0;
  int32_t zeroPoint = 0;

  bool operator==(const QuantParams &other) const {
    return scale == other.scale && zeroPoint == other.zeroPoint;
  }
  bool operator!=(const QuantParams &other) const { return !(*this == other); }

  /// round(real / scale) + zeroPoint, saturated.
  int8_t quantize(double real) const;
  double dequantize(int integer) const { return scale * (integer - zeroPoint); }
};

/// Parameters that cover [low, high] and 0.
QuantParams chooseAffine(double low, double high);
/// Parameters with zero point 0 that cover [-absMax, absMax] by [-127, 127].
QuantParams chooseSymmetric(double absMax);

/// round to nearest, ties upwards: ⌊x + 1/2⌋.
int64_t roundHalfUp(double value);

/// Requantisation of accumulators: see #tinyattn.requant.
struct Requantisation {
  llvm::SmallVector<int32_t> multipliers;
  int32_t shift = 1;
  bool wide = false;
};

/// Multipliers as wide as the bounds allow: the largest shift such that
/// bound[n]·m[n] + 2^(shift-1) + 128·2^shift < 2^31 for every n, where
/// m[n] = round(ratio[n]·2^shift). If less than 8 bits are left for the
/// largest multiplier, 24 bits and 64-bit products (`wide`).
/// Narrow multipliers stay below 2^multiplierBits besides.
/// Nothing if a ratio is too large for that, or a bound for 32 bits.
std::optional<Requantisation>
chooseRequantisation(llvm::ArrayRef<double> ratios,
                     llvm::ArrayRef<int64_t> bounds,
                     int32_t multiplierBits = 31);

/// Weights, one row a channel, symmetric int8 in [-127, 127] per channel.
struct QuantizedWeights {
  llvm::SmallVector<int8_t> weights; // [N, K]
  llvm::SmallVector<double> scales;  // [N]
  llvm::SmallVector<int32_t> bias;   // [N], zero point of the input folded in
  llvm::SmallVector<int64_t> bounds; // [N], of |bias + Σ x·w|, x any int8
};

/// Quantises weights [N, K] and bias [N] of a layer with the given input.
/// `scales` are those of weights that arrive quantised, or none.
QuantizedWeights quantizeWeights(llvm::ArrayRef<float> weights,
                                 llvm::ArrayRef<float> bias,
                                 const QuantParams &input,
                                 llvm::ArrayRef<double> scales = {});

/// T[d] = round(255·exp(-d·scale)) as unsigned bytes.
llvm::SmallVector<int8_t> makeExpTable(double scale);

/// T[i + 128] = output.quantize(function(input.dequantize(i))).
llvm::SmallVector<int8_t>
makeLookupTable(const QuantParams &input, const QuantParams &output,
                llvm::function_ref<double(double)> function);

/// Late normalisation: numerators[h] = round(ratio[h]·2^shift) with the largest
/// shift such that 128·numerators[h] + 2^(shift-1) + |zeroPoint|·2^shift < 2^31
/// for every h. Nothing if a ratio is too large for that.
std::optional<Requantisation>
chooseLateNormalisation(llvm::ArrayRef<double> ratios, int32_t zeroPoint);

/// Integer weight and bias of a layer normalisation: see tinyattn.layernorm.
struct QuantizedNorm {
  llvm::SmallVector<int16_t> weight;
  llvm::SmallVector<int32_t> bias;
  int64_t varianceEpsilon = 1;
  int32_t shift = 1;
};

/// `halfLog` is c of the op's formula. Nothing if weight or bias is too large
/// against the output's scale.
std::optional<QuantizedNorm> quantizeNorm(llvm::ArrayRef<float> weight,
                                          llvm::ArrayRef<float> bias,
                                          double epsilon, int64_t halfLog,
                                          const QuantParams &input,
                                          const QuantParams &output);

} // namespace mlir::tinyattn

#endif // TINYFORMER_QUANTIZATION_REQUANTISATION_H
