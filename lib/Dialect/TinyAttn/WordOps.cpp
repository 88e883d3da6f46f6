// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifier and side effects of the op on rows of words.

#include "VerifierUtils.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tinyattn;

void WordLinearOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (!isDpsInit(&operand) || !getRequant())
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

/// What the kernels take: 32-bit products, a multiplier a channel.
static LogicalResult verifyWordRequant(WordLinearOp op) {
  std::optional<RequantAttr> requant = op.getRequant();
  if (!requant)
    return success();
  if (requant->getMultiplier() != 0)
    return op.emitOpError()
           << "takes no multiplier in requant beside those of its weights, got "
           << requant->getMultiplier();
  if (requant->getWide())
    return op.emitOpError() << "takes no wide requant";
  return success();
}

static LogicalResult verifyWidth(WordLinearOp op) {
  int64_t depth = shaped(op.getInput()).getDimSize(1);
  int64_t width = shaped(op.getWeight()).getDimSize(1);
  if (ShapedType::isDynamic(depth) || ShapedType::isDynamic(width))
    return success();
  int64_t words = llvm::divideCeil(depth, 4) + (op.getRequant() ? 2 : 0);
  if (width == words || width == words + 1)
    return success();
  return op.emitOpError() << "needs rows of " << words << " or " << words + 1
                          << " words for " << depth << " inputs, got " << width;
}

static LogicalResult verifyWordDestination(WordLinearOp op) {
  Value destination = op.getInits().front();
  auto type = IntegerType::get(op.getContext(), op.getRequant() ? 8 : 32);
  if (failed(verifyElementType(op, "destination", destination, type)))
    return failure();
  int64_t rows = shaped(op.getInput()).getDimSize(0);
  int64_t channels = shaped(op.getWeight()).getDimSize(0);
  std::optional<uint64_t> heads = op.getHeads();
  if (!heads)
    return verifyShape(op, "destination", destination, {rows, channels});
  int64_t count = *heads, width = channels;
  if (count < 1 || (!ShapedType::isDynamic(channels) && channels % count != 0))
    return op.emitOpError() << "cannot split " << channels << " channels into "
                            << count << " heads";
  if (!ShapedType::isDynamic(channels))
    width = channels / count;
  if (op.getTransposed())
    return verifyShape(op, "destination", destination, {count, width, rows});
  return verifyShape(op, "destination", destination, {count, rows, width});
}

LogicalResult WordLinearOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)) ||
      failed(verifyRank(*this, "weight", getWeight(), 2)) ||
      failed(verifyWordRequant(*this)) || failed(verifyWidth(*this)))
    return failure();
  if (getHeads() && !getRequant())
    return emitOpError() << "needs requant where it has heads";
  if (getTransposed() && !getHeads())
    return emitOpError() << "needs heads where it is transposed";
  return verifyWordDestination(*this);
}
