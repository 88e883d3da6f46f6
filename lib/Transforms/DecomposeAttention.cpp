// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecomposeAttention.h"

#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_DECOMPOSEATTENTION
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

Value createEmpty(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                  unsigned bits) {
  return tensor::EmptyOp::create(builder, loc, shape,
                                 builder.getIntegerType(bits));
}

/// Requantised X·Wᵀ + b; split by heads if there is a number of heads.
LinearOp createLinear(OpBuilder &builder, Location loc, StringRef suffix,
                      Value input, Value weight, Value bias, Value multipliers,
                      RequantAttr requant, std::optional<int64_t> heads) {
  loc = appendToName(loc, suffix);
  int64_t rows = cast<ShapedType>(input.getType()).getDimSize(0);
  int64_t channels = cast<ShapedType>(weight.getType()).getDimSize(0);
  SmallVector<int64_t> shape{rows, channels};
  IntegerAttr headsAttr;
  if (heads) {
    shape = {*heads, rows, channels / *heads};
    headsAttr = builder.getI64IntegerAttr(*heads);
  }
  Value init = createEmpty(builder, loc, shape, 8);
  return LinearOp::create(builder, loc, init.getType(), input, weight, bias,
                          multipliers, /*offsets=*/Value(), init, headsAttr,
                          requant);
}

/// The input as values, whose columns are read.
TransposeOp createTranspose(OpBuilder &builder, Location loc, Value input) {
  loc = appendToName(loc, "value");
  ArrayRef<int64_t> shape = cast<ShapedType>(input.getType()).getShape();
  Value init = createEmpty(builder, loc, {shape[1], shape[0]}, 8);
  return TransposeOp::create(builder, loc, init.getType(), input, init);
}

/// softmax(requantised Q·Kᵀ)·V with late normalisation, [S, H·Pv].
template <typename AttentionOp>
void createContext(OpBuilder &builder, AttentionOp op, Value key,
                   AttentionParts &parts) {
  Value query = parts.query.getResult(0);
  ArrayRef<int64_t> queryShape = cast<ShapedType>(query.getType()).getShape();
  int64_t heads = queryShape[0], rows = queryShape[1];
  int64_t tokens = op.getInput().getType().getDimSize(0);

  Location loc = appendToName(op.getLoc(), "scores");
  Value init = createEmpty(builder, loc, {heads, rows, tokens}, 8);
  parts.scores =
      MatmulOp::create(builder, loc, init.getType(), query, key,
                       op.getScoresMultipliers(), /*offsets=*/Value(),
                       /*row_sums=*/Value(), init,
                       /*transpose_b=*/true, /*unsigned_lhs=*/false,
                       /*merge_heads=*/false, op.getScoresRequantAttr());

  loc = appendToName(op.getLoc(), "softmax");
  Value exps = createEmpty(builder, loc, {heads, rows, tokens}, 8);
  Value sums = createEmpty(builder, loc, {heads, rows}, 32);
  parts.softmax = SoftmaxOp::create(
      builder, loc, TypeRange{exps.getType(), sums.getType()},
      parts.scores.getResult(0), op.getExpTable(), ValueRange{exps, sums});

  loc = appendToName(op.getLoc(), "context");
  Value context =
      createEmpty(builder, loc, {rows, heads * op.getValueWidth()}, 8);
  Operation *values = parts.value;
  if (!values)
    values = parts.transpose =
        createTranspose(builder, op.getLoc(), op.getInput());
  parts.context = MatmulOp::create(
      builder, loc, context.getType(), parts.softmax.getResult(0),
      values->getResult(0), op.getContextMultipliers(),
      /*offsets=*/Value(), parts.softmax.getResult(1), context,
      /*transpose_b=*/!parts.value,
      /*unsigned_lhs=*/true, /*merge_heads=*/true, op.getContextRequantAttr());
}

/// The projections of keys and values.
void createKeysAndValues(OpBuilder &builder, MhsaOp op, AttentionParts &parts) {
  parts.key =
      createLinear(builder, op.getLoc(), "key", op.getInput(),
                   op.getKeyWeight(), op.getKeyBias(), op.getKeyMultipliers(),
                   op.getKeyRequantAttr(), op.getHeads());
  parts.value = createLinear(builder, op.getLoc(), "value", op.getInput(),
                             op.getValueWeight(), op.getValueBias(),
                             op.getValueMultipliers(), op.getValueRequantAttr(),
                             op.getHeads());
}

/// They are the input itself.
void createKeysAndValues(OpBuilder &, FusedMhsaOp, AttentionParts &) {}

template <typename AttentionOp>
AttentionParts createParts(OpBuilder &builder, AttentionOp op) {
  AttentionParts parts;
  parts.query = createLinear(builder, op.getLoc(), "query", op.getQuerySource(),
                             op.getQueryWeight(), op.getQueryBias(),
                             op.getQueryMultipliers(), op.getQueryRequantAttr(),
                             op.getHeads());
  createKeysAndValues(builder, op, parts);
  createContext(builder, op, parts.key ? parts.key.getResult(0) : op.getInput(),
                parts);
  parts.output = createLinear(builder, op.getLoc(), "output",
                              parts.context.getResult(0), op.getOutputWeight(),
                              op.getOutputBias(), op.getOutputMultipliers(),
                              op.getOutputRequantAttr(), std::nullopt);
  return parts;
}

struct DecomposeAttention : impl::DecomposeAttentionBase<DecomposeAttention> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<MhsaOp, FusedMhsaOp>(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      rewriter.setInsertionPoint(op);
      FailureOr<AttentionParts> parts = decomposeAttention(rewriter, op);
      if (failed(parts))
        return signalPassFailure();
      rewriter.replaceOp(op, parts->output);
    }
  }
};

} // namespace

FailureOr<AttentionParts> decomposeAttention(OpBuilder &builder,
                                             Operation *attention) {
  auto create = [&](auto op) -> FailureOr<AttentionParts> {
    if (!op.isQuantized())
      return op.emitOpError("must be quantised before it is decomposed");
    return createParts(builder, op);
  };
  if (auto op = dyn_cast<MhsaOp>(attention))
    return create(op);
  return create(cast<FusedMhsaOp>(attention));
}

} // namespace mlir::tinyattn
