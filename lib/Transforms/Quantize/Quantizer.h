// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the integer twin of a float function, op by op.

#ifndef TINYFORMER_LIB_TRANSFORMS_QUANTIZE_QUANTIZER_H
#define TINYFORMER_LIB_TRANSFORMS_QUANTIZE_QUANTIZER_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Quantization/Requantisation.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {

/// An int8 value and what it stands for.
struct QuantizedValue {
  Value value;
  QuantParams params;
};

/// The four operands of an integer projection.
struct QuantizedProjection {
  Value weight, bias, multipliers;
  RequantAttr requant;
};

class Quantizer {
public:
  explicit Quantizer(func::FuncOp function)
      : function(function), rewriter(function.getContext()) {}

  /// Rewrites the whole function; on failure, a diagnostic was emitted and
  /// the function must not be used any more.
  LogicalResult run();

private:
  // Values and parameters (Quantize.cpp).
  bool isInteger();
  LogicalResult verifyInterface();
  LogicalResult quantizeArguments();
  LogicalResult quantizeReturn(func::ReturnOp op);
  LogicalResult quantizeOp(Operation *op);
  FailureOr<QuantizedValue> getInput(Operation *user, Value value);
  FailureOr<QuantizedValue> quantizeConstant(Operation *user, Value value,
                                             const QuantParams &params);
  FailureOr<QuantParams> chooseParams(Value value);
  bool mustBeSymmetric(Value value);
  void map(Value original, Value value, const QuantParams &params) {
    quantized[original] = {value, params};
  }

  // Layers (QuantizeLayers.cpp).
  struct WeightedLayer;
  template <typename OpTy> FailureOr<WeightedLayer> quantizeWeighted(OpTy op);
  LogicalResult quantize(LinearOp op);
  LogicalResult quantize(ConvOp op);
  LogicalResult quantize(LayernormOp op);
  LogicalResult quantize(SoftmaxOp op);
  LogicalResult quantize(LookupOp op);
  LogicalResult quantize(AddOp op);
  LogicalResult quantize(PoolOp op);
  LogicalResult quantize(EmbeddingOp op);

  // Attention (QuantizeAttention.cpp).
  LogicalResult quantize(MhsaOp op);
  LogicalResult quantize(FusedMhsaOp op);
  QuantizedValue makeSymmetric(Location loc, const QuantizedValue &input);
  struct AttentionCore;
  template <typename AttentionOp>
  FailureOr<AttentionCore>
  quantizeCore(AttentionOp op, ArrayRef<double> queryScales,
               ArrayRef<double> keyScales, ArrayRef<double> valueScales,
               int64_t depth);

  // Data movement (QuantizeMovement.cpp).
  LogicalResult quantizeMovement(Operation *op);
  LogicalResult quantizeConcat(Operation *op);

  // Helpers.
  FailureOr<SmallVector<float>> readWeights(Operation *op, Value value,
                                            StringRef name);
  FailureOr<ArrayRef<double>> readScales(Operation *op, StringRef name,
                                         Value weight, ArrayRef<float> elements,
                                         int64_t channels);
  FailureOr<DenseF64ArrayAttr> readRange(Operation *op, StringRef name,
                                         int64_t size);
  /// outputScales has one scale a channel.
  FailureOr<QuantizedProjection>
  quantizeProjection(Operation *op, StringRef name, Value weight, Value bias,
                     const QuantParams &input, ArrayRef<double> outputScales,
                     int32_t outputZeroPoint);
  FailureOr<Requantisation> requantise(Operation *op, StringRef name,
                                       ArrayRef<double> ratios,
                                       ArrayRef<int64_t> bounds,
                                       int32_t multiplierBits = 31);
  Value createLookup(Location loc, Value input, ArrayRef<int8_t> table);
  Value createEmpty(Location loc, ArrayRef<int64_t> shape, unsigned bits = 8);
  RequantAttr requantAttr(const Requantisation &requant, int32_t zeroPoint);

  func::FuncOp function;
  IRRewriter rewriter;
  llvm::DenseMap<Value, QuantizedValue> quantized;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_QUANTIZE_QUANTIZER_H
