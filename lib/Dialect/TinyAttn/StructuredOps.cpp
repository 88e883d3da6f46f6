// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and side effects of the structured ops.

#include "StructuredVerifiers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tinyattn;

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/TinyAttn/TinyAttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Side effects: reads its memref inputs, writes its memref destinations
//===----------------------------------------------------------------------===//

static void
addEffects(DestinationStyleOpInterface op,
           SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
               &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (!op.isDpsInit(&operand) || isa<LinearAccumulateOp>(op))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

#define TINYATTN_STRUCTURED_EFFECTS(OP)                                        \
  void OP::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    addEffects(*this, effects);                                                \
  }
TINYATTN_STRUCTURED_EFFECTS(LinearOp)
TINYATTN_STRUCTURED_EFFECTS(BroadcastOp)
TINYATTN_STRUCTURED_EFFECTS(LinearAccumulateOp)
TINYATTN_STRUCTURED_EFFECTS(RequantizeOp)
TINYATTN_STRUCTURED_EFFECTS(MatmulOp)
TINYATTN_STRUCTURED_EFFECTS(SoftmaxOp)
TINYATTN_STRUCTURED_EFFECTS(LayernormOp)
TINYATTN_STRUCTURED_EFFECTS(LookupOp)
TINYATTN_STRUCTURED_EFFECTS(AddOp)
TINYATTN_STRUCTURED_EFFECTS(ConvOp)
TINYATTN_STRUCTURED_EFFECTS(PoolOp)
TINYATTN_STRUCTURED_EFFECTS(EmbeddingOp)
TINYATTN_STRUCTURED_EFFECTS(TransposeOp)
TINYATTN_STRUCTURED_EFFECTS(IntegerSoftmaxOp)
TINYATTN_STRUCTURED_EFFECTS(IntegerLayernormOp)
#undef TINYATTN_STRUCTURED_EFFECTS

//===----------------------------------------------------------------------===//
// linear, matmul, conv
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  bool quantized = isInt8(getInput());
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyRank(*this, "weight", getWeight(), 2)))
    return failure();
  int64_t rows = shaped(getInput()).getDimSize(0);
  int64_t width = shaped(getInput()).getDimSize(1);
  int64_t channels = shaped(getWeight()).getDimSize(0);
  if (failed(verifyShape(*this, "weight", getWeight(), {channels, width})) ||
      failed(verifyWeights(*this, getWeight(), getBias(), getMultipliers(),
                           quantized, channels)) ||
      failed(verifyOffsets(*this, getOffsets(), quantized, channels)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})) ||
      failed(verifyRequant(*this, getRequant(), quantized, false)))
    return failure();
  if (!getHeads())
    return verifyShape(*this, "destination", getInits().front(),
                       {rows, channels});
  int64_t heads = *getHeads();
  if (heads < 1 || channels % heads != 0)
    return emitOpError() << "cannot split " << channels << " channels into "
                         << heads << " heads";
  return verifyShape(*this, "destination", getInits().front(),
                     {heads, rows, channels / heads});
}

LogicalResult BroadcastOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "bias", getBias(), 1)) ||
      failed(verifyRank(*this, "destination", getInits().front(), 2)) ||
      failed(verifyElementType(*this, "destination", getInits().front(),
                               biasType(getContext(), /*quantized=*/true))))
    return failure();
  int64_t rows = shaped(getInits().front()).getDimSize(0);
  return verifyShape(*this, "destination", getInits().front(),
                     {rows, shaped(getBias()).getDimSize(0)});
}

LogicalResult LinearAccumulateOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyRank(*this, "weight", getWeight(), 2)) ||
      failed(verifyElementType(*this, "destination", getInits().front(),
                               biasType(getContext(), /*quantized=*/true))))
    return failure();
  int64_t rows = shaped(getInput()).getDimSize(0);
  int64_t width = shaped(getInput()).getDimSize(1);
  int64_t channels = shaped(getWeight()).getDimSize(0);
  if (failed(verifyShape(*this, "weight", getWeight(), {channels, width})))
    return failure();
  return verifyShape(*this, "destination", getInits().front(),
                     {rows, channels});
}

LogicalResult RequantizeOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyElementType(*this, "destination", getInits().front(),
                               activationType(getContext(), true))))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (failed(verifyShape(*this, "destination", getInits().front(), shape)) ||
      failed(verifyShape(*this, "multipliers", getMultipliers(), {shape[1]})))
    return failure();
  return verifyRequant(*this, getRequant(), /*quantized=*/true,
                       /*ownMultiplier=*/false);
}

LogicalResult MatmulOp::verify() {
  bool quantized = isInt8(getLhs());
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "lhs", getLhs(), 3)) ||
      failed(
          verifyActivations(*this, {getLhs(), getRhs(), getInits().front()})))
    return failure();
  int64_t batch = shaped(getLhs()).getDimSize(0);
  int64_t rows = shaped(getLhs()).getDimSize(1);
  int64_t depth = shaped(getLhs()).getDimSize(2);
  int64_t rhsRank = shaped(getRhs()).getRank();
  if (rhsRank != 2 && rhsRank != 3)
    return emitOpError() << "expects rhs of rank 2 or 3, got rank " << rhsRank;
  int64_t columns =
      shaped(getRhs()).getDimSize(getTransposeB() ? rhsRank - 2 : rhsRank - 1);
  SmallVector<int64_t> rhsShape{depth, columns};
  if (getTransposeB())
    std::swap(rhsShape[0], rhsShape[1]);
  if (rhsRank == 3)
    rhsShape.insert(rhsShape.begin(), batch);
  SmallVector<int64_t> resultShape{batch, rows, columns};
  if (getMergeHeads())
    resultShape = {rows, ShapedType::isDynamic(batch) ||
                                 ShapedType::isDynamic(columns)
                             ? ShapedType::kDynamic
                             : batch * columns};
  if (failed(verifyShape(*this, "rhs", getRhs(), rhsShape)) ||
      failed(
          verifyShape(*this, "destination", getInits().front(), resultShape)) ||
      failed(verifyRequant(*this, getRequant(), quantized, false)) ||
      failed(verifyPresence(*this, "multipliers", bool(getMultipliers()),
                            quantized, quantized ? "on i8" : "on f32")))
    return failure();
  if (getMultipliers() &&
      failed(verifyShape(*this, "multipliers", getMultipliers(), {batch})))
    return failure();
  if (failed(verifyOffsets(*this, getOffsets(), quantized, batch)))
    return failure();
  if (!getRowSums())
    return success();
  if (getOffsets())
    return emitOpError() << "cannot have both offsets and row_sums";
  if (failed(verifyElementType(*this, "row_sums", getRowSums(),
                               biasType(getContext(), quantized))))
    return failure();
  return verifyShape(*this, "row_sums", getRowSums(), {batch, rows});
}

LogicalResult ConvOp::verify() {
  bool quantized = isInt8(getInput());
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 3)) ||
      failed(verifyRank(*this, "weight", getWeight(), 4)))
    return failure();
  ArrayRef<int64_t> strides = getStrides(), padding = getPadding();
  if (strides.size() != 2 ||
      llvm::any_of(strides, [](int64_t s) { return s < 1; }))
    return emitOpError() << "expects two positive strides";
  if (padding.size() != 4 ||
      llvm::any_of(padding, [](int64_t p) { return p < 0; }))
    return emitOpError() << "expects four paddings that are not negative";
  ArrayRef<int64_t> input = shaped(getInput()).getShape();
  ArrayRef<int64_t> kernel = shaped(getWeight()).getShape();
  bool first = getChannelsFirst();
  int64_t depth = first ? input[0] : input[2];
  int64_t channels = kernel[0];
  int64_t paddedHeight = input[first ? 1 : 0] + padding[0] + padding[2];
  int64_t paddedWidth = input[first ? 2 : 1] + padding[1] + padding[3];
  if (kernel[1] > paddedHeight || kernel[2] > paddedWidth)
    return emitOpError() << "has a kernel of " << kernel[1] << "x" << kernel[2]
                         << " on a padded input of " << paddedHeight << "x"
                         << paddedWidth;
  if (failed(verifyShape(*this, "weight", getWeight(),
                         {channels, kernel[1], kernel[2], depth})) ||
      failed(verifyWeights(*this, getWeight(), getBias(), getMultipliers(),
                           quantized, channels)) ||
      failed(verifyOffsets(*this, getOffsets(), quantized, channels)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})) ||
      failed(verifyRequant(*this, getRequant(), quantized, false)) ||
      failed(verifyPresence(*this, "input_zero_point",
                            getInputZeroPoint().has_value(), quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  return verifyShape(*this, "destination", getInits().front(),
                     {(paddedHeight - kernel[1]) / strides[0] + 1,
                      (paddedWidth - kernel[2]) / strides[1] + 1, channels});
}

//===----------------------------------------------------------------------===//
// softmax, layernorm
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() {
  constexpr int64_t maxRow = int64_t(1) << 22;
  bool quantized = isInt8(getInput());
  if (failed(verifyDestinations(*this, 1, 2)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})) ||
      failed(verifyTable(*this, getTable(), quantized)))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (shape.empty() || shape.back() < 1 || shape.back() > maxRow)
    return emitOpError() << "expects rows of 1 to " << maxRow << " elements";
  if (failed(verifyShape(*this, "destination", getInits().front(), shape)))
    return failure();
  if (getInits().size() == 1)
    return success();
  Value sums = getInits()[1];
  if (failed(verifyElementType(*this, "sums", sums,
                               biasType(getContext(), quantized))))
    return failure();
  return verifyShape(*this, "sums", sums, shape.drop_back());
}

int64_t LayernormOp::getHalfLog(int64_t width) {
  return llvm::divideCeil(llvm::Log2_64_Ceil(width), 2);
}

int64_t LayernormOp::getVarianceShift(int64_t width, int64_t varianceEpsilon) {
  // K²·variance of bytes is at most K²·(255/2)² by Popoviciu's inequality.
  uint64_t bound = uint64_t(width) * width * 65025 / 4 + varianceEpsilon;
  int64_t shift = 0;
  while (((bound - 1) >> (2 * shift)) + 1 >= uint64_t(1) << 32)
    ++shift;
  return shift;
}

LogicalResult LayernormOp::verify() {
  constexpr int64_t maxWidth = 4096;
  bool quantized = isInt8(getInput());
  MLIRContext *context = getContext();
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (shape[1] < 1 || shape[1] > maxWidth)
    return emitOpError() << "expects rows of 1 to " << maxWidth
                         << " elements, got " << shape[1];
  Type weightType = quantized ? Type(IntegerType::get(context, 16))
                              : Type(Float32Type::get(context));
  if (failed(verifyShape(*this, "destination", getInits().front(), shape)) ||
      failed(verifyElementType(*this, "weight", getWeight(), weightType)) ||
      failed(verifyShape(*this, "weight", getWeight(), {shape[1]})) ||
      failed(verifyElementType(*this, "bias", getBias(),
                               biasType(context, quantized))) ||
      failed(verifyShape(*this, "bias", getBias(), {shape[1]})) ||
      failed(verifyRequant(*this, getRequant(), quantized, false)) ||
      failed(verifyPresence(*this, "variance_epsilon",
                            getVarianceEpsilon().has_value(), quantized,
                            quantized ? "on i8" : "on f32")) ||
      failed(verifyPresence(*this, "epsilon", getEpsilon().has_value(),
                            !quantized, quantized ? "on i8" : "on f32")))
    return failure();
  constexpr int64_t maxEpsilon = int64_t(1) << 40;
  if (quantized &&
      (*getVarianceEpsilon() < 1 || *getVarianceEpsilon() > maxEpsilon))
    return emitOpError() << "expects a variance_epsilon in [1, " << maxEpsilon
                         << "], got " << *getVarianceEpsilon();
  return success();
}

//===----------------------------------------------------------------------===//
// lookup, add, pool
//===----------------------------------------------------------------------===//

LogicalResult LookupOp::verify() {
  bool quantized = isInt8(getInput());
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})) ||
      failed(verifyTable(*this, getTable(), quantized)) ||
      failed(verifyPresence(*this, "function", getFunction().has_value(),
                            !quantized, quantized ? "on i8" : "on f32")))
    return failure();
  return verifyShape(*this, "destination", getInits().front(),
                     shaped(getInput()).getShape());
}

LogicalResult AddOp::verify() {
  bool quantized = isInt8(getLhs());
  ArrayRef<int64_t> shape = shaped(getLhs()).getShape();
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(
          verifyActivations(*this, {getLhs(), getRhs(), getInits().front()})) ||
      failed(verifyShape(*this, "rhs", getRhs(), shape)) ||
      failed(verifyShape(*this, "destination", getInits().front(), shape)) ||
      failed(verifyRequant(*this, getRequant(), quantized, false)) ||
      failed(verifyPresence(*this, "multipliers", getMultipliers().has_value(),
                            quantized, quantized ? "on i8" : "on f32")) ||
      failed(verifyPresence(*this, "offset", getOffset().has_value(), quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  if (quantized && getMultipliers()->size() != 2)
    return emitOpError() << "expects 2 multipliers, got "
                         << getMultipliers()->size();
  return success();
}

LogicalResult PoolOp::verify() {
  bool requantises = isInt8(getInput()) && getKind() == PoolKind::Mean;
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})) ||
      failed(verifyShape(*this, "destination", getInits().front(),
                         {1, shaped(getInput()).getDimSize(1)})))
    return failure();
  StringRef when = requantises ? "for a mean on i8" : "but for a mean on i8";
  if (failed(verifyPresence(*this, "input_zero_point",
                            getInputZeroPoint().has_value(), requantises,
                            when)) ||
      failed(verifyPresence(*this, "requant", getRequant().has_value(),
                            requantises, when)))
    return failure();
  return requantises ? verifyRequant(*this, getRequant(), true, true)
                     : success();
}

//===----------------------------------------------------------------------===//
// embedding, transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyActivations(*this, {getInput(), getInits().front()})))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  return verifyShape(*this, "destination", getInits().front(),
                     {shape[1], shape[0]});
}

LogicalResult EmbeddingOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "ids", getIds(), 1)) ||
      failed(verifyRank(*this, "table", getTable(), 2)) ||
      failed(verifyActivations(*this, {getTable(), getInits().front()})))
    return failure();
  return verifyShape(
      *this, "destination", getInits().front(),
      {shaped(getIds()).getDimSize(0), shaped(getTable()).getDimSize(1)});
}
