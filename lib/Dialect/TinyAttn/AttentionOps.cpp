// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the whole-attention ops.

#include "VerifierUtils.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {
/// One projection of an attention op, as its verifier sees it.
struct Projection {
  StringRef name;
  Value weight, bias, multipliers;
  std::optional<RequantAttr> requant;
  int64_t inputWidth;
};
} // namespace

static LogicalResult verifyPresenceOf(Operation *op, StringRef name,
                                      StringRef what, bool present,
                                      bool quantized) {
  return verifyPresence(op, (name + "_" + what).str(), present, quantized,
                        quantized ? "on i8" : "on f32");
}

static LogicalResult verifyProjection(Operation *op, const Projection &p,
                                      bool quantized) {
  MLIRContext *context = op->getContext();
  std::string weight = (p.name + "_weight").str();
  std::string bias = (p.name + "_bias").str();
  if (failed(verifyRank(op, weight, p.weight, 2)))
    return failure();
  int64_t channels = shaped(p.weight).getDimSize(0);
  if (failed(verifyShape(op, weight, p.weight, {channels, p.inputWidth})) ||
      failed(verifyElementType(op, weight, p.weight,
                               activationType(context, quantized))) ||
      failed(verifyShape(op, bias, p.bias, {channels})) ||
      failed(
          verifyElementType(op, bias, p.bias, biasType(context, quantized))) ||
      failed(verifyPresenceOf(op, p.name, "multipliers", bool(p.multipliers),
                              quantized)) ||
      failed(verifyPresenceOf(op, p.name, "requant", p.requant.has_value(),
                              quantized)))
    return failure();
  if (!p.multipliers)
    return success();
  return verifyShape(op, (p.name + "_multipliers").str(), p.multipliers,
                     {channels});
}

static LogicalResult verifyHeads(Operation *op, StringRef name, Value weight,
                                 int64_t heads) {
  int64_t channels = shaped(weight).getDimSize(0);
  if (channels % heads == 0)
    return success();
  return op->emitOpError() << "cannot split " << channels << " channels of "
                           << name << " into " << heads << " heads";
}

static LogicalResult verifyValues(MhsaOp op) {
  Projection value{"value",
                   op.getValueWeight(),
                   op.getValueBias(),
                   op.getValueMultipliers(),
                   op.getValueRequant(),
                   shaped(op.getInput()).getDimSize(1)};
  if (failed(verifyProjection(op, value, op.isQuantized())))
    return failure();
  return verifyHeads(op, "value", op.getValueWeight(), op.getHeads());
}

/// The values are the input.
static LogicalResult verifyValues(FusedMhsaOp) { return success(); }

/// Of the contexts of all heads, side by side.
static int64_t getContextWidth(MhsaOp op) {
  return shaped(op.getValueWeight()).getDimSize(0);
}
static int64_t getContextWidth(FusedMhsaOp op) {
  return static_cast<int64_t>(op.getHeads()) *
         shaped(op.getInput()).getDimSize(1);
}

/// What `mhsa` and `fused_mhsa` have in common, but for the keys.
template <typename AttentionOp>
static LogicalResult verifyAttention(AttentionOp op) {
  bool quantized = op.isQuantized();
  int64_t heads = op.getHeads();
  if (failed(verifyRank(op, "input", op.getInput(), 2)))
    return failure();
  if (heads < 1)
    return op.emitOpError() << "expects at least 1 head, got " << heads;
  if (op.getQueryRows() &&
      (failed(verifyRank(op, "query_rows", op.getQueryRows(), 2)) ||
       failed(verifyShape(op, "query_rows", op.getQueryRows(),
                          {shaped(op.getQueryRows()).getDimSize(0),
                           shaped(op.getInput()).getDimSize(1)})) ||
       failed(verifyElementType(op, "query_rows", op.getQueryRows(),
                                activationType(op.getContext(), quantized)))))
    return failure();
  int64_t rows = shaped(op.getQuerySource()).getDimSize(0);
  int64_t width = shaped(op.getInput()).getDimSize(1);
  Projection query{"query",
                   op.getQueryWeight(),
                   op.getQueryBias(),
                   op.getQueryMultipliers(),
                   op.getQueryRequant(),
                   width};
  if (failed(verifyProjection(op, query, quantized)) ||
      failed(verifyHeads(op, "query", op.getQueryWeight(), heads)) ||
      failed(verifyValues(op)))
    return failure();
  Projection output{"output",
                    op.getOutputWeight(),
                    op.getOutputBias(),
                    op.getOutputMultipliers(),
                    op.getOutputRequant(),
                    getContextWidth(op)};
  if (failed(verifyProjection(op, output, quantized)) ||
      failed(verifyShape(op, "the result", op.getResult(),
                         {rows, shaped(op.getOutputWeight()).getDimSize(0)})) ||
      failed(verifyElementType(op, "the result", op.getResult(),
                               activationType(op.getContext(), quantized))))
    return failure();
  if (failed(verifyPresenceOf(op, "scores", "multipliers",
                              bool(op.getScoresMultipliers()), quantized)) ||
      failed(verifyPresenceOf(op, "context", "multipliers",
                              bool(op.getContextMultipliers()), quantized)) ||
      failed(verifyPresenceOf(op, "exp", "table", bool(op.getExpTable()),
                              quantized)) ||
      failed(verifyPresenceOf(op, "scores", "requant",
                              op.getScoresRequant().has_value(), quantized)) ||
      failed(verifyPresenceOf(op, "context", "requant",
                              op.getContextRequant().has_value(), quantized)) ||
      failed(verifyPresence(op, "scale", op.getScale().has_value(), !quantized,
                            quantized ? "on i8" : "on f32")))
    return failure();
  if (!quantized)
    return success();
  if (failed(verifyShape(op, "scores_multipliers", op.getScoresMultipliers(),
                         {heads})) ||
      failed(verifyShape(op, "context_multipliers", op.getContextMultipliers(),
                         {heads})))
    return failure();
  return verifyShape(op, "exp_table", op.getExpTable(), {256});
}

//===----------------------------------------------------------------------===//
// mhsa
//===----------------------------------------------------------------------===//

bool MhsaOp::isQuantized() {
  return getInput().getType().getElementType().isInteger(8);
}

TypedValue<RankedTensorType> MhsaOp::getQuerySource() {
  return getQueryRows() ? getQueryRows() : getInput();
}

int64_t MhsaOp::getHeadWidth() {
  return getQueryWeight().getType().getDimSize(0) / getHeads();
}

int64_t MhsaOp::getValueWidth() {
  return getValueWeight().getType().getDimSize(0) / getHeads();
}

LogicalResult MhsaOp::verify() {
  if (failed(verifyAttention(*this)))
    return failure();
  Projection key{"key",           getKeyWeight(),
                 getKeyBias(),    getKeyMultipliers(),
                 getKeyRequant(), getInput().getType().getDimSize(1)};
  if (failed(verifyProjection(*this, key, isQuantized())))
    return failure();
  return verifyShape(*this, "key_weight", getKeyWeight(),
                     getQueryWeight().getType().getShape());
}

//===----------------------------------------------------------------------===//
// fused_mhsa
//===----------------------------------------------------------------------===//

bool FusedMhsaOp::isQuantized() {
  return getInput().getType().getElementType().isInteger(8);
}

TypedValue<RankedTensorType> FusedMhsaOp::getQuerySource() {
  return getQueryRows() ? getQueryRows() : getInput();
}

int64_t FusedMhsaOp::getValueWidth() {
  return getInput().getType().getDimSize(1);
}

LogicalResult FusedMhsaOp::verify() {
  if (failed(verifyAttention(*this)))
    return failure();
  int64_t width = getInput().getType().getDimSize(1);
  return verifyShape(*this, "query_weight", getQueryWeight(),
                     {static_cast<int64_t>(getHeads()) * width, width});
}
