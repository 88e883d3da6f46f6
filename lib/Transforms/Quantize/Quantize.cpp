// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass, and how values get their scales and zero points.

#include "Quantizer.h"

#include "TinyFormer/Support/Constants.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_QUANTIZE
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {
struct Quantize : impl::QuantizeBase<Quantize> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(Quantizer(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

LogicalResult Quantizer::run() {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("must have one block to be quantised");
  if (isInteger())
    return verifyInterface();
  SmallVector<Operation *> ops;
  for (Operation &op : function.front())
    ops.push_back(&op);
  rewriter.setInsertionPointToStart(&function.front());
  if (failed(quantizeArguments()))
    return failure();
  for (Operation *op : ops) {
    rewriter.setInsertionPoint(op);
    if (failed(quantizeOp(op)))
      return failure();
  }
  for (Operation *op : llvm::reverse(ops))
    if (!isa<func::ReturnOp>(op))
      rewriter.eraseOp(op);
  // The float arguments have lost their last users.
  function.front().eraseArguments(0, function.getNumArguments());
  return success();
}

/// Models in an integer dialect arrive as they are to be.
bool Quantizer::isInteger() {
  auto isFloat = [](Type type) { return getElementTypeOrSelf(type).isF32(); };
  for (Operation &op : function.front())
    if (llvm::any_of(op.getOperandTypes(), isFloat) ||
        llvm::any_of(op.getResultTypes(), isFloat))
      return false;
  return true;
}

/// Somebody has to say what the bytes of such a model mean.
LogicalResult Quantizer::verifyInterface() {
  auto verify = [&](StringRef what, unsigned number, Type type,
                    DictionaryAttr attributes) -> LogicalResult {
    if (getElementTypeOrSelf(type).isInteger(32) ||
        (attributes && attributes.contains(kScale) &&
         attributes.contains(kZeroPoint)))
      return success();
    return function.emitOpError()
           << what << " " << number << " has integers already, but no '"
           << kScale << "' and '" << kZeroPoint << "' that say what they mean";
  };
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    if (failed(verify("argument", i, type, function.getArgAttrDict(i))))
      return failure();
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    if (failed(verify("result", i, type, function.getResultAttrDict(i))))
      return failure();
  return success();
}

/// i8 arguments are appended; `run` erases the float ones at the end.
LogicalResult Quantizer::quantizeArguments() {
  unsigned count = function.getNumArguments();
  SmallVector<Type> types;
  for (unsigned i = 0; i < count; ++i) {
    BlockArgument argument = function.getArgument(i);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (type && type.getElementType().isInteger(32)) { // ids stay what they are
      types.push_back(type);
      map(argument, function.front().addArgument(type, argument.getLoc()), {});
      continue;
    }
    if (!type || !type.getElementType().isF32())
      return function.emitOpError()
             << "argument " << i
             << " must be a tensor of f32, or of i32 for ids, to be quantised";
    FailureOr<QuantParams> params = chooseParams(argument);
    if (failed(params))
      return failure();
    types.push_back(type.clone(rewriter.getI8Type()));
    Value twin = function.front().addArgument(types.back(), argument.getLoc());
    map(argument, twin, *params);
    function.removeArgAttr(i, kRange);
    function.setArgAttr(i, kScale, rewriter.getF64FloatAttr(params->scale));
    function.setArgAttr(i, kZeroPoint,
                        rewriter.getI32IntegerAttr(params->zeroPoint));
  }
  function.setFunctionType(
      rewriter.getFunctionType(types, function.getResultTypes()));
  return success();
}

LogicalResult Quantizer::quantizeReturn(func::ReturnOp op) {
  SmallVector<Value> results;
  SmallVector<Type> types;
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    FailureOr<QuantizedValue> result = getInput(op, operand);
    if (failed(result))
      return failure();
    results.push_back(result->value);
    types.push_back(result->value.getType());
    function.setResultAttr(i, kScale,
                           rewriter.getF64FloatAttr(result->params.scale));
    function.setResultAttr(
        i, kZeroPoint, rewriter.getI32IntegerAttr(result->params.zeroPoint));
  }
  function.setFunctionType(
      rewriter.getFunctionType(function.getArgumentTypes(), types));
  rewriter.modifyOpInPlace(op, [&] { op->setOperands(results); });
  return success();
}

LogicalResult Quantizer::quantizeOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<LinearOp, ConvOp, LayernormOp, SoftmaxOp, LookupOp, AddOp, PoolOp,
            EmbeddingOp, MhsaOp, FusedMhsaOp>(
          [&](auto op) { return quantize(op); })
      .Case<func::ReturnOp>([&](auto op) { return quantizeReturn(op); })
      .Case<tensor::ConcatOp>([&](Operation *op) { return quantizeConcat(op); })
      .Case<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
            tensor::ExtractSliceOp>(
          [&](Operation *op) { return quantizeMovement(op); })
      // Constants are quantised by their users, destinations are made anew.
      .Case<arith::ConstantOp, tensor::EmptyOp>(
          [](Operation *) { return success(); })
      .Default(
          [](Operation *op) { return op->emitOpError("has no int8 form"); });
}

//===----------------------------------------------------------------------===//
// Values and their parameters
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kCalibrate =
    "neither calibration nor the model says it; calibrate with samples, "
    "--calibration FILE";

static bool isReshape(Operation *op) {
  return isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

/// X of fused attention is both operands of the scores.
bool Quantizer::mustBeSymmetric(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (auto fused = dyn_cast<FusedMhsaOp>(user))
      return fused.getInput() == value;
    return isReshape(user) && mustBeSymmetric(user->getResult(0));
  });
}

/// The result of the concatenation or ReLU that is the only use of `value`,
/// seen through reshapes; or null.
static Value findAbsorber(Value value) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *user = *value.getUsers().begin();
  if (isReshape(user))
    return findAbsorber(user->getResult(0));
  auto lookup = dyn_cast<LookupOp>(user);
  bool isRelu = lookup && lookup.getFunction() == UnaryFunction::Relu &&
                !lookup.getFactor();
  return isRelu || isa<tensor::ConcatOp>(user) ? user->getResult(0) : nullptr;
}

/// Where a value is only concatenated or goes through a ReLU, it takes over the
/// parameters of what comes out: then that costs nothing.
FailureOr<QuantParams> Quantizer::chooseParams(Value value) {
  if (Value absorber = findAbsorber(value))
    return chooseParams(absorber);
  DenseF64ArrayAttr range;
  if (auto argument = dyn_cast<BlockArgument>(value))
    range = function.getArgAttrOfType<DenseF64ArrayAttr>(
        argument.getArgNumber(), kRange);
  else
    range = value.getDefiningOp()->getAttrOfType<DenseF64ArrayAttr>(kRange);
  if (!range)
    return emitError(value.getLoc())
           << "value has no range ('" << kRange << "'): " << kCalibrate;
  if (mustBeSymmetric(value))
    return chooseSymmetric(std::max(std::abs(range[0]), std::abs(range[1])));
  return chooseAffine(range[0], range[1]);
}

FailureOr<QuantizedValue> Quantizer::getInput(Operation *user, Value value) {
  auto found = quantized.find(value);
  if (found != quantized.end())
    return found->second;
  // A constant activation, such as a position embedding: its own scale, or that
  // with which it arrived.
  if (Operation *constant = value.getDefiningOp())
    if (auto range = constant->getAttrOfType<DenseF64ArrayAttr>(kRange))
      return quantizeConstant(user, value, chooseAffine(range[0], range[1]));
  FailureOr<SmallVector<float>> elements =
      readWeights(user, value, "constant operand");
  if (failed(elements))
    return failure();
  auto [low, high] = std::minmax_element(elements->begin(), elements->end());
  return quantizeConstant(user, value, chooseAffine(*low, *high));
}

FailureOr<QuantizedValue>
Quantizer::quantizeConstant(Operation *user, Value value,
                            const QuantParams &params) {
  FailureOr<SmallVector<float>> elements =
      readWeights(user, value, "constant operand");
  if (failed(elements))
    return failure();
  SmallVector<int8_t> integers;
  for (float element : *elements)
    integers.push_back(params.quantize(element));
  Value constant = createConstant<int8_t>(
      rewriter, user->getLoc(), integers,
      cast<ShapedType>(value.getType()).getShape(), "constant");
  return QuantizedValue{constant, params};
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<float>> Quantizer::readWeights(Operation *op, Value value,
                                                     StringRef name) {
  FailureOr<SmallVector<float>> elements = getConstant<float>(value);
  if (failed(elements))
    return op->emitOpError() << name << " must be an f32 constant";
  if (!llvm::all_of(*elements, [](float x) { return std::isfinite(x); }))
    return op->emitOpError() << name << " holds NaN or infinity";
  return elements;
}

/// The scales with which weights arrived; none if they arrived as floats.
FailureOr<ArrayRef<double>> Quantizer::readScales(Operation *op, StringRef name,
                                                  Value weight,
                                                  ArrayRef<float> elements,
                                                  int64_t channels) {
  Operation *constant = weight.getDefiningOp();
  auto scales = constant
                    ? constant->getAttrOfType<DenseF64ArrayAttr>(kWeightScales)
                    : nullptr;
  if (!scales)
    return ArrayRef<double>();
  if (scales.size() != channels)
    return op->emitOpError()
           << name << " has " << channels << " rows, but " << scales.size()
           << " values in '" << kWeightScales << "'";
  size_t depth = elements.size() / channels;
  for (auto [i, element] : llvm::enumerate(elements)) {
    double integer = element / scales[i / depth];
    // Floats are off by 2^-24 of themselves, far less than this.
    if (std::abs(integer - std::round(integer)) > 1e-3 ||
        std::abs(integer) > 127.5)
      return op->emitOpError()
             << name << " holds " << element << " in row " << i / depth
             << ", which is no multiple of its scale " << scales[i / depth]
             << " within [-127, 127]";
  }
  return scales.asArrayRef();
}

FailureOr<DenseF64ArrayAttr> Quantizer::readRange(Operation *op, StringRef name,
                                                  int64_t size) {
  auto range = op->getAttrOfType<DenseF64ArrayAttr>(name);
  if (!range)
    return op->emitOpError() << "has no '" << name << "': " << kCalibrate;
  if (range.size() != size)
    return op->emitOpError() << "expects " << size << " values in '" << name
                             << "', got " << range.size();
  return range;
}

FailureOr<Requantisation> Quantizer::requantise(Operation *op, StringRef name,
                                                ArrayRef<double> ratios,
                                                ArrayRef<int64_t> bounds,
                                                int32_t multiplierBits) {
  std::optional<Requantisation> requant =
      chooseRequantisation(ratios, bounds, multiplierBits);
  if (requant)
    return *requant;
  return op->emitOpError()
         << "cannot requantise " << name << ": accumulators reach "
         << *std::max_element(bounds.begin(), bounds.end())
         << " (at most 2147483647 fit) and their scale is "
         << *std::max_element(ratios.begin(), ratios.end())
         << " times that of the output; use a narrower layer or check the "
            "calibrated range";
}

FailureOr<QuantizedProjection>
Quantizer::quantizeProjection(Operation *op, StringRef name, Value weight,
                              Value bias, const QuantParams &input,
                              ArrayRef<double> outputScales,
                              int32_t outputZeroPoint) {
  FailureOr<SmallVector<float>> weights = readWeights(op, weight, name);
  FailureOr<SmallVector<float>> biases = readWeights(op, bias, name);
  if (failed(weights) || failed(biases))
    return failure();
  FailureOr<ArrayRef<double>> scales =
      readScales(op, name, weight, *weights, biases->size());
  if (failed(scales))
    return failure();
  QuantizedWeights result = quantizeWeights(*weights, *biases, input, *scales);
  SmallVector<double> ratios;
  for (auto [weightScale, outputScale] :
       llvm::zip_equal(result.scales, outputScales))
    ratios.push_back(input.scale * weightScale / outputScale);
  FailureOr<Requantisation> requant =
      requantise(op, name, ratios, result.bounds);
  if (failed(requant))
    return failure();
  int64_t channels = biases->size();
  Location loc = op->getLoc();
  ArrayRef<int64_t> shape = cast<ShapedType>(weight.getType()).getShape();
  QuantizedProjection projection;
  projection.weight =
      createConstant<int8_t>(rewriter, loc, result.weights, shape, "weight");
  projection.bias =
      createConstant<int32_t>(rewriter, loc, result.bias, {channels}, "bias");
  projection.multipliers = createConstant<int32_t>(
      rewriter, loc, requant->multipliers, {channels}, "multipliers");
  projection.requant = requantAttr(*requant, outputZeroPoint);
  return projection;
}

Value Quantizer::createLookup(Location loc, Value input,
                              ArrayRef<int8_t> table) {
  auto type = cast<RankedTensorType>(input.getType());
  Value constant = createConstant<int8_t>(rewriter, loc, table, {256}, "table");
  Value init = createEmpty(loc, type.getShape());
  return LookupOp::create(rewriter, loc, type, input, constant, init,
                          /*function=*/nullptr, /*factor=*/nullptr)
      .getResult(0);
}

Value Quantizer::createEmpty(Location loc, ArrayRef<int64_t> shape,
                             unsigned bits) {
  return tensor::EmptyOp::create(rewriter, loc, shape,
                                 rewriter.getIntegerType(bits));
}

RequantAttr Quantizer::requantAttr(const Requantisation &requant,
                                   int32_t zeroPoint) {
  return RequantAttr::get(rewriter.getContext(), requant.shift, zeroPoint,
                          requant.wide);
}

} // namespace mlir::tinyattn
