// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
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
Value createLinear(OpBuilder &builder, Location loc, StringRef suffix,
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
                          multipliers, init, headsAttr, requant)
      .getResult(0);
}

/// softmax(requantised Q·Kᵀ)·V with late normalisation, [S, H·Pv].
template <typename AttentionOp>
Value createContext(OpBuilder &builder, AttentionOp op, Value query, Value key,
                    Value value) {
  ArrayRef<int64_t> queryShape = cast<ShapedType>(query.getType()).getShape();
  int64_t heads = queryShape[0], tokens = queryShape[1];

  Location loc = appendToName(op.getLoc(), "scores");
  Value init = createEmpty(builder, loc, {heads, tokens, tokens}, 8);
  Value scores =
      MatmulOp::create(builder, loc, init.getType(), query, key,
                       op.getScoresMultipliers(), /*row_sums=*/Value(), init,
                       /*transpose_b=*/true, /*unsigned_lhs=*/false,
                       /*merge_heads=*/false, op.getScoresRequantAttr())
          .getResult(0);

  loc = appendToName(op.getLoc(), "softmax");
  Value exps = createEmpty(builder, loc, {heads, tokens, tokens}, 8);
  Value sums = createEmpty(builder, loc, {heads, tokens}, 32);
  auto softmax =
      SoftmaxOp::create(builder, loc, TypeRange{exps.getType(), sums.getType()},
                        scores, op.getExpTable(), ValueRange{exps, sums});

  loc = appendToName(op.getLoc(), "context");
  Value context =
      createEmpty(builder, loc, {tokens, heads * op.getValueWidth()}, 8);
  return MatmulOp::create(builder, loc, context.getType(), softmax.getResult(0),
                          value, op.getContextMultipliers(),
                          softmax.getResult(1), context, /*transpose_b=*/false,
                          /*unsigned_lhs=*/true, /*merge_heads=*/true,
                          op.getContextRequantAttr())
      .getResult(0);
}

template <typename AttentionOp>
Value createValue(OpBuilder &builder, AttentionOp op) {
  return createLinear(builder, op.getLoc(), "value", op.getInput(),
                      op.getValueWeight(), op.getValueBias(),
                      op.getValueMultipliers(), op.getValueRequantAttr(),
                      op.getHeads());
}

template <typename AttentionOp>
Value createQuery(OpBuilder &builder, AttentionOp op) {
  return createLinear(builder, op.getLoc(), "query", op.getInput(),
                      op.getQueryWeight(), op.getQueryBias(),
                      op.getQueryMultipliers(), op.getQueryRequantAttr(),
                      op.getHeads());
}

template <typename AttentionOp>
Value createOutput(OpBuilder &builder, AttentionOp op, Value context) {
  return createLinear(builder, op.getLoc(), "output", context,
                      op.getOutputWeight(), op.getOutputBias(),
                      op.getOutputMultipliers(), op.getOutputRequantAttr(),
                      std::nullopt);
}

Value decompose(OpBuilder &builder, MhsaOp op) {
  Value query = createQuery(builder, op);
  Value key =
      createLinear(builder, op.getLoc(), "key", op.getInput(),
                   op.getKeyWeight(), op.getKeyBias(), op.getKeyMultipliers(),
                   op.getKeyRequantAttr(), op.getHeads());
  Value value = createValue(builder, op);
  return createOutput(builder, op,
                      createContext(builder, op, query, key, value));
}

Value decompose(OpBuilder &builder, FusedMhsaOp op) {
  Value query = createQuery(builder, op);
  Value value = createValue(builder, op);
  return createOutput(builder, op,
                      createContext(builder, op, query, op.getInput(), value));
}

struct DecomposeAttention : impl::DecomposeAttentionBase<DecomposeAttention> {
  using Base::Base;

  template <typename AttentionOp> LogicalResult decomposeAll() {
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : ops) {
      if (!op.isQuantized())
        return op.emitOpError("must be quantised before it is decomposed");
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(op, decompose(rewriter, op));
    }
    return success();
  }

  void runOnOperation() override {
    if (failed(decomposeAll<MhsaOp>()) || failed(decomposeAll<FusedMhsaOp>()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::tinyattn
