// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the ops with the arithmetic of another integer dialect.

#include "VerifierUtils.h"

#include "TinyFormer/Support/Constants.h"

using namespace mlir;
using namespace mlir::tinyattn;

/// The words of a table that is a constant; none if it is not.
static std::optional<SmallVector<int32_t>> readTable(Value table) {
  if (!isa<RankedTensorType>(table.getType()))
    return std::nullopt;
  FailureOr<SmallVector<int32_t>> words = getConstant<int32_t>(table);
  if (failed(words))
    return std::nullopt;
  return *words;
}

/// Exponentials, whose sums and products have 32 unsigned bits.
static LogicalResult verifyExponentials(IntegerSoftmaxOp op,
                                        ArrayRef<int32_t> words, uint64_t row) {
  uint64_t largest = 0;
  for (uint32_t word : words)
    largest = std::max<uint64_t>(largest, word);
  if (words.front() == 0)
    return op.emitOpError() << "has a table that begins with 0, so that the "
                               "sum of a row may be 0";
  uint64_t factor = std::max<uint64_t>(row, op.getLevels() - 1);
  if (largest * factor > std::numeric_limits<uint32_t>::max())
    return op.emitOpError() << "has exponentials up to " << largest
                            << ", which times " << factor << " leave 32 bits";
  return success();
}

LogicalResult IntegerSoftmaxOp::verify() {
  constexpr int64_t maxRow = int64_t(1) << 22;
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyShape(*this, "table", getTable(), {256})))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (shape.empty() || shape.back() < 1 || shape.back() > maxRow)
    return emitOpError() << "expects rows of 1 to " << maxRow << " elements";
  if (getLevels() < 2 || getLevels() > 256)
    return emitOpError() << "levels must lie in [2, 256], got " << getLevels();
  Value result = getInits().front();
  if (failed(verifyShape(*this, "destination", result, shape)) ||
      failed(verifyElementType(*this, "destination", result,
                               activationType(getContext(), true))))
    return failure();
  std::optional<SmallVector<int32_t>> words = readTable(getTable());
  if (!words)
    return success();
  if (getKind() == IntegerSoftmaxKind::Divide)
    return verifyExponentials(*this, *words, shape.back());
  for (int32_t word : *words)
    if (word < 0 || word > 31)
      return emitOpError() << "has a table of shifts with " << word
                           << ", outside of [0, 31]";
  // The largest element of a row is there with its whole weight.
  if (words->front() > 8)
    return emitOpError() << "has a table that begins with " << words->front()
                         << ", so that the sum of a row may be 0";
  return success();
}

LogicalResult IntegerLayernormOp::verify() {
  constexpr int64_t maxWidth = 32768;
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (shape[1] < 1 || shape[1] > maxWidth)
    return emitOpError() << "expects rows of 1 to " << maxWidth
                         << " elements, got " << shape[1];
  if (getShift() < 0 || getShift() > 31)
    return emitOpError() << "shift must lie in [0, 31], got " << getShift();
  Value result = getInits().front();
  if (failed(verifyShape(*this, "weight", getWeight(), {shape[1]})) ||
      failed(verifyShape(*this, "bias", getBias(), {shape[1]})) ||
      failed(verifyShape(*this, "destination", result, shape)))
    return failure();
  return verifyElementType(*this, "destination", result,
                           activationType(getContext(), true));
}
