// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer form of whole attention layers. Queries, keys and values are
// symmetric with one scale a head; scores share one scale, because they share
// the table of exponentials.

#include "Quantizer.h"

#include "TinyFormer/Support/Constants.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// What stands between the projections of attention and its output.
struct Quantizer::AttentionCore {
  Value scoresMultipliers, contextMultipliers, expTable;
  RequantAttr scoresRequant, contextRequant;
  QuantParams context;
};

/// One symmetric scale a head.
static SmallVector<double> scalesOfHeads(DenseF64ArrayAttr absMax) {
  SmallVector<double> scales;
  for (double value : absMax.asArrayRef())
    scales.push_back(chooseSymmetric(value).scale);
  return scales;
}

/// The scale of each channel, from that of its head.
static SmallVector<double> perChannel(ArrayRef<double> headScales,
                                      Value weight) {
  int64_t channels = cast<ShapedType>(weight.getType()).getDimSize(0);
  int64_t width = channels / headScales.size();
  SmallVector<double> scales;
  for (int64_t n = 0; n < channels; ++n)
    scales.push_back(headScales[n / width]);
  return scales;
}

/// `depth` is the number of products in a score.
template <typename AttentionOp>
FailureOr<Quantizer::AttentionCore>
Quantizer::quantizeCore(AttentionOp op, ArrayRef<double> queryScales,
                        ArrayRef<double> keyScales,
                        ArrayRef<double> valueScales, int64_t depth) {
  int64_t heads = op.getHeads();
  FailureOr<DenseF64ArrayAttr> scoresRange = readRange(op, kScoresRange, 2);
  FailureOr<DenseF64ArrayAttr> contextRange = readRange(op, kContextRange, 2);
  if (failed(scoresRange) || failed(contextRange))
    return failure();
  AttentionCore core;
  core.context = chooseAffine((*contextRange)[0], (*contextRange)[1]);
  QuantParams scores = chooseAffine((*scoresRange)[0], (*scoresRange)[1]);

  double scale = op.getScaleAttr().getValueAsDouble();
  SmallVector<double> ratios;
  for (auto [q, k] : llvm::zip_equal(queryScales, keyScales))
    ratios.push_back(q * k * scale / scores.scale);
  SmallVector<int64_t> bounds(heads, depth * 128 * 128);
  FailureOr<Requantisation> requant = requantise(op, "scores", ratios, bounds);
  if (failed(requant))
    return failure();
  Location loc = op.getLoc();
  core.scoresMultipliers = createConstant<int32_t>(
      rewriter, loc, requant->multipliers, {heads}, "scores_multipliers");
  core.scoresRequant = requantAttr(*requant, scores.zeroPoint);
  core.expTable = createConstant<int8_t>(
      rewriter, loc, makeExpTable(scores.scale), {256}, "exp_table");

  SmallVector<double> contextRatios;
  for (double valueScale : valueScales)
    contextRatios.push_back(valueScale / core.context.scale);
  std::optional<Requantisation> late =
      chooseLateNormalisation(contextRatios, core.context.zeroPoint);
  if (!late)
    return op.emitOpError() << "the context's scale " << core.context.scale
                            << " is too small against that of the values; "
                               "check the calibrated ranges";
  core.contextMultipliers = createConstant<int32_t>(
      rewriter, loc, late->multipliers, {heads}, "context_multipliers");
  core.contextRequant = requantAttr(*late, core.context.zeroPoint);
  return core;
}

/// `mustBeSymmetric` sees to it where the producer can be requantised; what
/// keeps its own zero point, such as a maximum, goes through a table.
QuantizedValue Quantizer::makeSymmetric(Location loc,
                                        const QuantizedValue &input) {
  if (input.params.zeroPoint == 0)
    return input;
  double absMax = std::max(std::abs(input.params.dequantize(-128)),
                           std::abs(input.params.dequantize(127)));
  QuantParams params = chooseSymmetric(absMax);
  return {createLookup(loc, input.value,
                       makeLookupTable(input.params, params,
                                       [](double x) { return x; })),
          params};
}

LogicalResult Quantizer::quantize(MhsaOp op) {
  int64_t heads = op.getHeads();
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  FailureOr<QuantizedValue> rows = getInput(op, op.getQuerySource());
  FailureOr<QuantParams> output = chooseParams(op.getResult());
  FailureOr<DenseF64ArrayAttr> query = readRange(op, kQueryAbsMax, heads);
  FailureOr<DenseF64ArrayAttr> key = readRange(op, kKeyAbsMax, heads);
  FailureOr<DenseF64ArrayAttr> value = readRange(op, kValueAbsMax, heads);
  if (failed(input) || failed(rows) || failed(output) || failed(query) ||
      failed(key) || failed(value))
    return failure();
  SmallVector<double> queryScales = scalesOfHeads(*query);
  SmallVector<double> keyScales = scalesOfHeads(*key);
  SmallVector<double> valueScales = scalesOfHeads(*value);
  FailureOr<AttentionCore> core =
      quantizeCore(op, queryScales, keyScales, valueScales, op.getHeadWidth());
  if (failed(core))
    return failure();

  auto project = [&](StringRef name, Value weight, Value bias,
                     const QuantParams &source, ArrayRef<double> scales,
                     int32_t zeroPoint) {
    return quantizeProjection(op, name, weight, bias, source, scales,
                              zeroPoint);
  };
  auto q =
      project("query", op.getQueryWeight(), op.getQueryBias(), rows->params,
              perChannel(queryScales, op.getQueryWeight()), 0);
  auto k = project("key", op.getKeyWeight(), op.getKeyBias(), input->params,
                   perChannel(keyScales, op.getKeyWeight()), 0);
  auto v =
      project("value", op.getValueWeight(), op.getValueBias(), input->params,
              perChannel(valueScales, op.getValueWeight()), 0);
  SmallVector<double> outputScales(op.getOutputBias().getType().getDimSize(0),
                                   output->scale);
  auto o = project("output", op.getOutputWeight(), op.getOutputBias(),
                   core->context, outputScales, output->zeroPoint);
  if (failed(q) || failed(k) || failed(v) || failed(o))
    return failure();
  auto type = op.getResult().getType().clone(rewriter.getI8Type());
  auto twin = MhsaOp::create(
      rewriter, op.getLoc(), type, input->value,
      op.getQueryRows() ? rows->value : Value(), q->weight, q->bias,
      q->multipliers, k->weight, k->bias, k->multipliers, v->weight, v->bias,
      v->multipliers, o->weight, o->bias, o->multipliers,
      core->scoresMultipliers, core->contextMultipliers, core->expTable,
      op.getHeadsAttr(), /*scale=*/nullptr, q->requant, k->requant, v->requant,
      core->scoresRequant, core->contextRequant, o->requant);
  map(op.getResult(), twin.getResult(), *output);
  return success();
}

LogicalResult Quantizer::quantize(FusedMhsaOp op) {
  int64_t heads = op.getHeads();
  FailureOr<QuantizedValue> input = getInput(op, op.getInput());
  FailureOr<QuantizedValue> rows = getInput(op, op.getQuerySource());
  FailureOr<QuantParams> output = chooseParams(op.getResult());
  FailureOr<DenseF64ArrayAttr> query = readRange(op, kQueryAbsMax, heads);
  if (failed(input) || failed(rows) || failed(output) || failed(query))
    return failure();
  *input = makeSymmetric(op.getLoc(), *input);
  if (!op.getQueryRows())
    *rows = *input;
  SmallVector<double> queryScales = scalesOfHeads(*query);
  // Keys and values.
  SmallVector<double> inputScales(heads, input->params.scale);
  FailureOr<AttentionCore> core =
      quantizeCore(op, queryScales, inputScales, inputScales,
                   op.getInput().getType().getDimSize(1));
  if (failed(core))
    return failure();

  auto q = quantizeProjection(op, "query", op.getQueryWeight(),
                              op.getQueryBias(), rows->params,
                              perChannel(queryScales, op.getQueryWeight()), 0);
  SmallVector<double> outputScales(op.getOutputBias().getType().getDimSize(0),
                                   output->scale);
  auto o =
      quantizeProjection(op, "output", op.getOutputWeight(), op.getOutputBias(),
                         core->context, outputScales, output->zeroPoint);
  if (failed(q) || failed(o))
    return failure();
  auto type = op.getResult().getType().clone(rewriter.getI8Type());
  auto twin = FusedMhsaOp::create(
      rewriter, op.getLoc(), type, input->value,
      op.getQueryRows() ? rows->value : Value(), q->weight, q->bias,
      q->multipliers, o->weight, o->bias, o->multipliers,
      core->scoresMultipliers, core->contextMultipliers, core->expTable,
      op.getHeadsAttr(), /*scale=*/nullptr, q->requant, core->scoresRequant,
      core->contextRequant, o->requant);
  map(op.getResult(), twin.getResult(), *output);
  return success();
}
