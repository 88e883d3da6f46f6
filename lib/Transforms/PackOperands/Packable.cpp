// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Packable.h"

#include "TinyFormer/Support/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::tinyattn;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

bool tinyattn::hasPanelKernels(TargetAttr target) {
  return target && target.getIsa() == "armv7e-m";
}

bool tinyattn::hasWordKernels(TargetAttr target) {
  return target && target.getIsa() == "xpulpv2";
}

int64_t tinyattn::getRoomForValues(TargetAttr target) {
  uint64_t largest = 0;
  for (MemoryAttr memory : target.getMemories())
    if (memory.getKind() == MemoryKind::Ram)
      largest = std::max(largest, memory.getSize() - memory.getReserved());
  return largest / 2;
}

bool tinyattn::shouldMoveRows(TargetAttr target, int64_t width) {
  return hasWordKernels(target) && target.getCores() > 1 && width % 64 == 0;
}

std::optional<ConstantSlice> tinyattn::getConstantSlice(Value value,
                                                        unsigned dimension) {
  Builder b(value.getContext());
  if (getConstantAttribute(value))
    return ConstantSlice{value, b.getIndexAttr(0), getShape(value)[dimension]};
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || !slice.hasUnitStride() ||
      slice.getType().getRank() != slice.getSourceType().getRank() ||
      !getConstantAttribute(slice.getSource()))
    return std::nullopt;
  for (auto [i, size] : llvm::enumerate(slice.getType().getShape()))
    if (i != dimension && size != slice.getSourceType().getDimSize(i))
      return std::nullopt;
  return ConstantSlice{slice.getSource(), slice.getMixedOffsets()[dimension],
                       slice.getType().getDimSize(dimension)};
}

std::optional<OpFoldResult>
tinyattn::divideExactly(OpBuilder &b, OpFoldResult index, int64_t divisor) {
  if (std::optional<int64_t> constant = getConstantIntValue(index)) {
    if (*constant % divisor != 0)
      return std::nullopt;
    return OpFoldResult(b.getIndexAttr(*constant / divisor));
  }
  if (divisor == 1)
    return index;
  auto product = cast<Value>(index).getDefiningOp<arith::MulIOp>();
  if (!product)
    return std::nullopt;
  if (isConstantIntValue(product.getRhs(), divisor))
    return OpFoldResult(product.getLhs());
  if (isConstantIntValue(product.getLhs(), divisor))
    return OpFoldResult(product.getRhs());
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

tinyformer::LinearWeights PackableLinear::getWeights() const {
  return {weights, bias,  multipliers,           channels,
          depth,   shift, /*interleaved=*/false, offsets};
}

static bool isPackable(RequantAttr requant) {
  return requant && !requant.getWide() && requant.getShift() >= 17;
}

/// A whole constant, or a part of it of which there are several.
static bool isCutEvenly(OpBuilder &b, const ConstantSlice &slice,
                        int64_t whole) {
  return slice.size == whole ||
         (whole % slice.size == 0 &&
          divideExactly(b, slice.offset, slice.size).has_value());
}

/// Reads weights [channels, depth].
static std::optional<PackableLinear> readWeights(Value weight,
                                                 unsigned dimension) {
  std::optional<ConstantSlice> slice = getConstantSlice(weight, dimension);
  OpBuilder b(weight.getContext());
  if (!slice || !isCutEvenly(b, *slice, getShape(slice->constant)[dimension]))
    return std::nullopt;
  FailureOr<SmallVector<int8_t>> weights = getConstant<int8_t>(slice->constant);
  if (failed(weights))
    return std::nullopt;
  PackableLinear linear;
  linear.weight = *slice;
  linear.weights = std::move(*weights);
  linear.channels = getShape(slice->constant)[0];
  linear.depth = getShape(slice->constant)[1];
  return linear;
}

/// The numbers of a bias or of multipliers, cut like `slice`.
static FailureOr<SmallVector<int32_t>>
readNumbers(Value value, const ConstantSlice &slice, Value &constant) {
  std::optional<ConstantSlice> own = getConstantSlice(value, 0);
  if (!own || own->offset != slice.offset || own->size != slice.size)
    return failure();
  constant = own->constant;
  return getConstant<int32_t>(constant);
}

/// Bias and multipliers of the channels in `linear`.
static LogicalResult readRequantisation(PackableLinear &linear, Value bias,
                                        Value multipliers,
                                        RequantAttr requant) {
  linear.shift = requant.getShift();
  FailureOr<SmallVector<int32_t>> biases =
      readNumbers(bias, linear.weight, linear.biasConstant);
  FailureOr<SmallVector<int32_t>> factors =
      readNumbers(multipliers, linear.weight, linear.multipliersConstant);
  if (failed(biases) || failed(factors))
    return failure();
  linear.bias = std::move(*biases);
  linear.multipliers = std::move(*factors);
  return success();
}

std::optional<PackableLinear> tinyattn::readLinear(Value weight, Value bias,
                                                   Value multipliers,
                                                   RequantAttr requant) {
  std::optional<PackableLinear> linear = readWeights(weight, 0);
  if (!linear)
    return std::nullopt;
  if (failed(readRequantisation(*linear, bias, multipliers, requant)))
    return std::nullopt;
  return linear;
}

LogicalResult tinyattn::readOffsets(Value offsets, PackableLinear &linear) {
  if (!offsets)
    return success();
  FailureOr<SmallVector<int32_t>> numbers = getConstant<int32_t>(offsets);
  if (succeeded(numbers))
    linear.offsets = std::move(*numbers);
  return numbers;
}

std::optional<PackableLinear> tinyattn::readLinear(LinearAccumulateOp op) {
  return readWeights(op.getWeight(), 1);
}

std::optional<PackableLinear> tinyattn::getPackable(Value weight, Value bias,
                                                    Value multipliers,
                                                    RequantAttr requant) {
  if (!isPackable(requant))
    return std::nullopt;
  std::optional<PackableLinear> linear =
      readLinear(weight, bias, multipliers, requant);
  if (!linear || !tinyformer::fitUpperHalf(linear->multipliers, linear->shift))
    return std::nullopt;
  bool isCut = linear->weight.size != linear->channels;
  if (isCut && linear->weight.size % 2 != 0)
    return std::nullopt;
  return linear;
}

std::optional<PackableLinear> tinyattn::getPackable(LinearOp op) {
  if (op.getOffsets())
    return std::nullopt;
  return getPackable(op.getWeight(), op.getBias(), op.getMultipliers(),
                     op.getRequantAttr());
}

/// Weights [O, KH, KW, C], each run filled up to a multiple of `alignment`.
static SmallVector<int8_t> orderByRuns(ArrayRef<int8_t> weights,
                                       ArrayRef<int64_t> shape,
                                       bool channelsFirst, int64_t alignment) {
  int64_t rows = shape[1], columns = shape[2], depth = shape[3];
  int64_t runs = channelsFirst ? depth * rows : rows;
  int64_t length = channelsFirst ? columns : columns * depth;
  SmallVector<int8_t> ordered;
  for (int64_t channel = 0; channel < shape[0]; ++channel) {
    for (int64_t run = 0; run < runs; ++run) {
      int64_t begin =
          channelsFirst
              ? (channel * rows + run % rows) * columns * depth + run / rows
              : (channel * rows + run) * length;
      for (int64_t i = 0; i < length; ++i)
        ordered.push_back(weights[begin + i * (channelsFirst ? depth : 1)]);
      ordered.resize(llvm::alignTo(ordered.size(), alignment));
    }
  }
  return ordered;
}

std::optional<PackableLinear> tinyattn::readLinear(ConvOp op,
                                                   int64_t alignment) {
  Value weight = op.getWeight();
  if (!op.getRequantAttr() || !getConstantAttribute(weight))
    return std::nullopt;
  FailureOr<SmallVector<int8_t>> weights = getConstant<int8_t>(weight);
  if (failed(weights))
    return std::nullopt;
  PackableLinear linear;
  linear.weight = *getConstantSlice(weight, 0);
  linear.weights =
      orderByRuns(*weights, getShape(weight), op.getChannelsFirst(), alignment);
  linear.channels = getShape(weight)[0];
  linear.depth = linear.weights.size() / linear.channels;
  if (failed(readRequantisation(linear, op.getBias(), op.getMultipliers(),
                                op.getRequantAttr())))
    return std::nullopt;
  return linear;
}

std::optional<PackableLinear> tinyattn::getPackable(ConvOp op) {
  if (!isPackable(op.getRequantAttr()) || op.getOffsets())
    return std::nullopt;
  std::optional<PackableLinear> linear = readLinear(op, /*alignment=*/2);
  if (!linear || !tinyformer::fitUpperHalf(linear->multipliers, linear->shift))
    return std::nullopt;
  return linear;
}

std::optional<PackableLinear> tinyattn::getPackable(LinearAccumulateOp op) {
  return readLinear(op);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// A projection whose heads, of an even width, are side by side.
static bool isPackableProjection(LinearOp op) {
  return op && op.getHeads() && getShape(op.getResult(0))[2] % 2 == 0 &&
         getPackable(op);
}

static bool arePackable(Value multipliers, RequantAttr requant,
                        int32_t divisor) {
  if (!isPackable(requant))
    return false;
  std::optional<ConstantSlice> slice = getConstantSlice(multipliers, 0);
  if (!slice)
    return false;
  FailureOr<SmallVector<int32_t>> numbers =
      getConstant<int32_t>(slice->constant);
  return succeeded(numbers) &&
         tinyformer::fitUpperHalf(*numbers, requant.getShift(), divisor);
}

bool tinyattn::isPackableScores(Value multipliers, RequantAttr requant) {
  return arePackable(multipliers, requant, /*divisor=*/1);
}

bool tinyattn::isPackableContext(Value multipliers, RequantAttr requant) {
  // A row's exponentials are at least the largest one, 255.
  return arePackable(multipliers, requant, /*divisor=*/255);
}

static bool isScoresOfPanels(MatmulOp op) {
  return op && op.getTransposeB() && !op.getUnsignedLhs() &&
         !op.getMergeHeads() && !op.getRowSums() && !op.getOffsets() &&
         isPackableScores(op.getMultipliers(), op.getRequantAttr());
}

static bool isContextOfPanels(MatmulOp op) {
  return op && op.getUnsignedLhs() && op.getMergeHeads() && op.getRowSums() &&
         isPackableContext(op.getMultipliers(), op.getRequantAttr());
}

std::optional<PackableAttention>
tinyattn::getPackableAttention(SoftmaxOp softmax, TargetAttr target) {
  if (softmax.getNumResults() != 2 || !getConstantAttribute(softmax.getTable()))
    return std::nullopt;
  PackableAttention parts;
  parts.softmax = softmax;
  parts.scores = softmax.getInput().getDefiningOp<MatmulOp>();
  if (!isScoresOfPanels(parts.scores) ||
      !llvm::all_of(parts.scores->getUsers(),
                    [&](Operation *user) { return user == softmax; }) ||
      !softmax.getResult(0).hasOneUse() || !softmax.getResult(1).hasOneUse())
    return std::nullopt;
  parts.context = dyn_cast<MatmulOp>(*softmax.getResult(0).user_begin());
  if (!isContextOfPanels(parts.context) ||
      parts.context.getLhs() != softmax.getResult(0) ||
      parts.context.getRowSums() != softmax.getResult(1))
    return std::nullopt;
  parts.query = parts.scores.getLhs().getDefiningOp<LinearOp>();
  parts.value = parts.context.getRhs().getDefiningOp<LinearOp>();
  ArrayRef<int64_t> values = getShape(parts.context.getRhs());
  bool isInput = values.size() == 2;
  if (!isPackableProjection(parts.query) || !parts.query->hasOneUse() ||
      (!isInput && !isPackableProjection(parts.value)) ||
      isInput != parts.context.getTransposeB())
    return std::nullopt;
  if (tinyformer::areValuesTooLarge(getShape(parts.scores.getResult(0)).back(),
                                    isInput ? values.front() : values.back(),
                                    parts.context.getRequantAttr().getShift(),
                                    getRoomForValues(target)))
    return std::nullopt;
  if (getShape(parts.scores.getRhs()).size() == 2)
    return parts;
  parts.key = parts.scores.getRhs().getDefiningOp<LinearOp>();
  if (!isPackableProjection(parts.key))
    return std::nullopt;
  return parts;
}
