// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer form of each layer but attention.

#include "Quantizer.h"

#include "TinyFormer/Support/Constants.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tinyattn;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// linear, conv
//===----------------------------------------------------------------------===//

/// What `linear` and `conv` have in common.
struct Quantizer::WeightedLayer {
  QuantizedValue input;
  QuantParams output;
  QuantizedProjection projection;
  Value init;
};

template <typename OpTy>
FailureOr<Quantizer::WeightedLayer> Quantizer::quantizeWeighted(OpTy op) {
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  FailureOr<QuantParams> output = chooseParams(op.getResult(0));
  if (failed(input) || failed(output))
    return failure();
  SmallVector<double> scales(shapeOf(op.getBias()).front(), output->scale);
  FailureOr<QuantizedProjection> projection =
      quantizeProjection(op, "weight", op.getWeight(), op.getBias(),
                         input->params, scales, output->zeroPoint);
  if (failed(projection))
    return failure();
  Value init = createEmpty(op.getLoc(), shapeOf(op.getResult(0)));
  return WeightedLayer{*input, *output, *projection, init};
}

LogicalResult Quantizer::quantize(LinearOp op) {
  FailureOr<WeightedLayer> layer = quantizeWeighted(op);
  if (failed(layer))
    return failure();
  const QuantizedProjection &projection = layer->projection;
  auto twin = LinearOp::create(
      rewriter, op.getLoc(), layer->init.getType(), layer->input.value,
      projection.weight, projection.bias, projection.multipliers,
      /*offsets=*/Value(), layer->init, op.getHeadsAttr(), projection.requant);
  map(op.getResult(0), twin.getResult(0), layer->output);
  return success();
}

LogicalResult Quantizer::quantize(ConvOp op) {
  FailureOr<WeightedLayer> layer = quantizeWeighted(op);
  if (failed(layer))
    return failure();
  const QuantizedProjection &projection = layer->projection;
  auto twin = ConvOp::create(
      rewriter, op.getLoc(), layer->init.getType(), layer->input.value,
      projection.weight, projection.bias, projection.multipliers,
      /*offsets=*/Value(), layer->init, op.getChannelsFirst(), op.getStrides(),
      op.getPadding(),
      rewriter.getI32IntegerAttr(layer->input.params.zeroPoint),
      projection.requant);
  map(op.getResult(0), twin.getResult(0), layer->output);
  return success();
}

//===----------------------------------------------------------------------===//
// layernorm, softmax
//===----------------------------------------------------------------------===//

LogicalResult Quantizer::quantize(LayernormOp op) {
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  FailureOr<QuantParams> output = chooseParams(op.getResult(0));
  FailureOr<SmallVector<float>> weight =
      readWeights(op, op.getWeight(), "weight");
  FailureOr<SmallVector<float>> bias = readWeights(op, op.getBias(), "bias");
  if (failed(input) || failed(output) || failed(weight) || failed(bias))
    return failure();
  int64_t width = weight->size();
  std::optional<QuantizedNorm> norm =
      quantizeNorm(*weight, *bias, op.getEpsilonAttr().getValueAsDouble(),
                   LayernormOp::getHalfLog(width), input->params, *output);
  if (!norm)
    return op.emitOpError()
           << "weights or biases are too large for an output of scale "
           << output->scale << "; check the calibrated range";
  Location loc = op.getLoc();
  Value gain =
      createConstant<int16_t>(rewriter, loc, norm->weight, {width}, "weight");
  Value offset =
      createConstant<int32_t>(rewriter, loc, norm->bias, {width}, "bias");
  Value init = createEmpty(loc, shapeOf(op.getResult(0)));
  auto twin = LayernormOp::create(
      rewriter, loc, init.getType(), input->value, gain, offset, init,
      /*epsilon=*/nullptr, rewriter.getI64IntegerAttr(norm->varianceEpsilon),
      RequantAttr::get(rewriter.getContext(), norm->shift, output->zeroPoint));
  map(op.getResult(0), twin.getResult(0), *output);
  return success();
}

/// Softmax gives unsigned bytes of scale 1/256; a table turns them into the
/// signed ones that everything else reads.
LogicalResult Quantizer::quantize(SoftmaxOp op) {
  if (op.getNumResults() != 1)
    return op.emitOpError("must have its sums inside when it is quantised");
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  if (failed(input))
    return failure();
  Location loc = op.getLoc();
  Value table = createConstant<int8_t>(
      rewriter, loc, makeExpTable(input->params.scale), {256}, "exp_table");
  Value init = createEmpty(loc, shapeOf(op.getResult(0)));
  auto twin = SoftmaxOp::create(rewriter, loc, init.getType(), input->value,
                                table, init);
  SmallVector<int8_t> toSigned;
  for (int i = -128; i < 128; ++i)
    toSigned.push_back(static_cast<uint8_t>(i) - 128);
  map(op.getResult(0), createLookup(loc, twin.getResult(0), toSigned),
      QuantParams{1.0 / 256.0, -128});
  return success();
}

//===----------------------------------------------------------------------===//
// lookup, add, pool, embedding
//===----------------------------------------------------------------------===//

static double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

static double hardSigmoid(double x) {
  return std::clamp(x / 6.0 + 0.5, 0.0, 1.0);
}

static double evaluate(UnaryFunction function, double x) {
  switch (function) {
  case UnaryFunction::Identity:
    return x;
  case UnaryFunction::Relu:
    return std::max(x, 0.0);
  case UnaryFunction::Gelu:
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
  case UnaryFunction::GeluTanh:
    return 0.5 * x *
           (1.0 +
            std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
  case UnaryFunction::Tanh:
    return std::tanh(x);
  case UnaryFunction::Sigmoid:
    return 1.0 / (1.0 + std::exp(-x));
  case UnaryFunction::Silu:
    return x / (1.0 + std::exp(-x));
  case UnaryFunction::Relu6:
    return std::clamp(x, 0.0, 6.0);
  case UnaryFunction::LeakyRelu:
    return std::max(x, 0.01 * x);
  case UnaryFunction::Elu:
    return x > 0 ? x : std::expm1(x);
  case UnaryFunction::Selu:
    return 1.0507009873554805 *
           (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
  case UnaryFunction::HardSigmoid:
    return hardSigmoid(x);
  case UnaryFunction::HardSwish:
    return x * hardSigmoid(x);
  case UnaryFunction::Softplus:
    return softplus(x);
  case UnaryFunction::Mish:
    return x * std::tanh(softplus(x));
  }
  llvm_unreachable("unknown function");
}

LogicalResult Quantizer::quantize(LookupOp op) {
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  if (failed(input))
    return failure();
  double factor = op.getFactor() ? op.getFactorAttr().getValueAsDouble() : 1.0;
  if (*op.getFunction() == UnaryFunction::Identity && factor > 0) {
    // Only the meaning of the integers changes.
    map(op.getResult(0), input->value,
        {input->params.scale * factor, input->params.zeroPoint});
    return success();
  }
  FailureOr<QuantParams> output = chooseParams(op.getResult(0));
  if (failed(output))
    return failure();
  UnaryFunction function = *op.getFunction();
  Value result =
      createLookup(op.getLoc(), input->value,
                   makeLookupTable(input->params, *output, [&](double x) {
                     return evaluate(function, factor * x);
                   }));
  map(op.getResult(0), result, *output);
  return success();
}

LogicalResult Quantizer::quantize(AddOp op) {
  FailureOr<QuantizedValue> lhs = getInput(op, op.getLhs());
  FailureOr<QuantizedValue> rhs = getInput(op, op.getRhs());
  FailureOr<QuantParams> output = chooseParams(op.getResult(0));
  if (failed(lhs) || failed(rhs) || failed(output))
    return failure();
  // |a·ma + b·mb + offset| <= 255·(ma + mb): each gets half of the room. Both
  // multipliers are halves of a word, so that one instruction takes them.
  SmallVector<double> ratios{lhs->params.scale / output->scale,
                             rhs->params.scale / output->scale};
  FailureOr<Requantisation> requant =
      requantise(op, "the sum", ratios, {510, 510}, /*multiplierBits=*/15);
  if (failed(requant))
    return failure();
  if (requant->wide)
    return op.emitOpError()
           << "operands have scales " << lhs->params.scale << " and "
           << rhs->params.scale << " against " << output->scale
           << " of the sum; check the calibrated ranges";
  ArrayRef<int32_t> multipliers = requant->multipliers;
  int32_t offset = -lhs->params.zeroPoint * multipliers[0] -
                   rhs->params.zeroPoint * multipliers[1];
  Value init = createEmpty(op.getLoc(), shapeOf(op.getResult(0)));
  auto twin = AddOp::create(rewriter, op.getLoc(), init.getType(), lhs->value,
                            rhs->value, init,
                            rewriter.getDenseI32ArrayAttr(multipliers),
                            rewriter.getI32IntegerAttr(offset),
                            requantAttr(*requant, output->zeroPoint));
  map(op.getResult(0), twin.getResult(0), *output);
  return success();
}

LogicalResult Quantizer::quantize(PoolOp op) {
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  if (failed(input))
    return failure();
  Location loc = op.getLoc();
  Value init = createEmpty(loc, shapeOf(op.getResult(0)));
  if (op.getKind() == PoolKind::Max) {
    auto twin =
        PoolOp::create(rewriter, loc, init.getType(), input->value, init,
                       PoolKind::Max, /*input_zero_point=*/nullptr,
                       /*requant=*/nullptr);
    map(op.getResult(0), twin.getResult(0), input->params);
    return success();
  }
  FailureOr<QuantParams> output = chooseParams(op.getResult(0));
  if (failed(output))
    return failure();
  int64_t rows = shapeOf(op.getInput()).front();
  FailureOr<Requantisation> requant =
      requantise(op, "the mean", {input->params.scale / (rows * output->scale)},
                 {rows * 255});
  if (failed(requant))
    return failure();
  auto attr =
      RequantAttr::get(rewriter.getContext(), requant->multipliers.front(),
                       requant->shift, output->zeroPoint, requant->wide);
  auto twin = PoolOp::create(
      rewriter, loc, init.getType(), input->value, init, PoolKind::Mean,
      rewriter.getI32IntegerAttr(input->params.zeroPoint), attr);
  map(op.getResult(0), twin.getResult(0), *output);
  return success();
}

/// The result has the scale of the table, which is that of a constant.
LogicalResult Quantizer::quantize(EmbeddingOp op) {
  FailureOr<QuantizedValue> ids = getInput(op, op.getIds());
  FailureOr<QuantizedValue> table = getInput(op, op.getTable());
  if (failed(ids) || failed(table))
    return failure();
  Value init = createEmpty(op.getLoc(), shapeOf(op.getResult(0)));
  auto twin = EmbeddingOp::create(rewriter, op.getLoc(), init.getType(),
                                  ids->value, table->value, init);
  map(op.getResult(0), twin.getResult(0), table->params);
  return success();
}
