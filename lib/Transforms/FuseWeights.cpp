// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/CostModel/CostModel.h"
#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Constants.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_FUSEWEIGHTS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// What one form of an attention layer costs, as far as the forms differ.
struct Costs {
  double cycles;
  int64_t weightBytes;
};

struct Shape {
  int64_t tokens, queries, width, heads, headWidth, valueWidth, outputWidth;
};

Shape getShape(MhsaOp op) {
  ArrayRef<int64_t> input = op.getInput().getType().getShape();
  return {input[0],
          op.getQuerySource().getType().getDimSize(0),
          input[1],
          static_cast<int64_t>(op.getHeads()),
          op.getHeadWidth(),
          op.getValueWidth(),
          op.getResult().getType().getDimSize(1)};
}

/// int8 weights, and an int32 bias and multiplier for each channel.
int64_t weightBytes(int64_t channels, int64_t depth) {
  return channels * (depth + 8);
}

/// From the rows of each head to the output: contexts of `valueWidth` columns,
/// and the output projection of all of them.
double estimateOutput(StringRef core, const Shape &shape, int64_t valueWidth) {
  return estimateMatmul(core, shape.heads, shape.queries, valueWidth,
                        shape.tokens) +
         estimateLinear(core, shape.queries, shape.outputWidth,
                        shape.heads * valueWidth);
}

/// From the input to scores of `headWidth` products.
double estimateScores(StringRef core, const Shape &shape, int64_t headWidth) {
  return estimateLinear(core, shape.queries, shape.heads * headWidth,
                        shape.width) +
         estimateMatmul(core, shape.heads, shape.queries, shape.tokens,
                        headWidth);
}

/// With projections of keys and values.
Costs estimatePlain(StringRef core, const Shape &shape) {
  int64_t channels = shape.heads * shape.headWidth;
  int64_t values = shape.heads * shape.valueWidth;
  return {
      estimateScores(core, shape, shape.headWidth) +
          estimateLinear(core, shape.tokens, channels + values, shape.width) +
          estimateOutput(core, shape, shape.valueWidth),
      weightBytes(2 * channels + values, shape.width) +
          weightBytes(shape.outputWidth, values)};
}

/// Heads as wide as the input, which is transposed once.
Costs estimateFused(StringRef core, const Shape &shape) {
  int64_t channels = shape.heads * shape.width;
  return {estimateScores(core, shape, shape.width) +
              estimateTranspose(core, shape.tokens * shape.width) +
              estimateOutput(core, shape, shape.width),
          weightBytes(channels, shape.width) +
              weightBytes(shape.outputWidth, channels)};
}

/// Rows (h, e') and columns k of M_hᵀ: Σ_p Wq[h, p, k]·Wk[h, p, e'].
SmallVector<float> fuseWeights(ArrayRef<float> query, ArrayRef<float> key,
                               const Shape &shape) {
  SmallVector<float> fused;
  int64_t width = shape.width;
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t e = 0; e < width; ++e)
      for (int64_t k = 0; k < width; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < shape.headWidth; ++p) {
          int64_t row = (h * shape.headWidth + p) * width;
          sum += double(query[row + k]) * key[row + e];
        }
        fused.push_back(sum);
      }
  return fused;
}

/// c[h, e'] = Σ_p bq[h, p]·Wk[h, p, e'].
SmallVector<float> fuseBias(ArrayRef<float> bias, ArrayRef<float> key,
                            const Shape &shape) {
  SmallVector<float> fused;
  for (int64_t h = 0; h < shape.heads; ++h)
    for (int64_t e = 0; e < shape.width; ++e) {
      double sum = 0;
      for (int64_t p = 0; p < shape.headWidth; ++p) {
        int64_t channel = h * shape.headWidth + p;
        sum += double(bias[channel]) * key[channel * shape.width + e];
      }
      fused.push_back(sum);
    }
  return fused;
}

/// N[e', h·E + k] = Σ_p Wo[e', h·Pv + p]·Wv[h·Pv + p, k].
SmallVector<float> fuseOutput(ArrayRef<float> output, ArrayRef<float> value,
                              const Shape &shape) {
  SmallVector<float> fused;
  int64_t depth = shape.heads * shape.valueWidth;
  for (int64_t e = 0; e < shape.outputWidth; ++e)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t k = 0; k < shape.width; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < shape.valueWidth; ++p) {
          int64_t channel = h * shape.valueWidth + p;
          sum += double(output[e * depth + channel]) *
                 value[channel * shape.width + k];
        }
        fused.push_back(sum);
      }
  return fused;
}

/// d[e'] = bo[e'] + Σ_p Wo[e', p]·bv[p], over the channels of all heads.
SmallVector<float> fuseOutputBias(ArrayRef<float> outputBias,
                                  ArrayRef<float> output,
                                  ArrayRef<float> valueBias) {
  SmallVector<float> fused;
  for (auto [e, bias] : llvm::enumerate(outputBias)) {
    double sum = bias;
    for (auto [p, value] : llvm::enumerate(valueBias))
      sum += double(output[e * valueBias.size() + p]) * value;
    fused.push_back(sum);
  }
  return fused;
}

struct FuseWeights : impl::FuseWeightsBase<FuseWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (!llvm::is_contained({"auto", "always", "never"}, mode.getValue()) ||
        !llvm::is_contained({"cycles", "size"}, optimize.getValue())) {
      getOperation().emitError()
          << "expected mode=auto, always or never and optimize=cycles or size, "
             "got mode="
          << mode.getValue() << " and optimize=" << optimize.getValue();
      return signalPassFailure();
    }
    StringRef core;
    if (auto module = getOperation()->getParentOfType<ModuleOp>())
      if (auto target = module->getAttrOfType<TargetAttr>(kTarget))
        core = target.getCore();

    SmallVector<MhsaOp> ops;
    getOperation().walk([&](MhsaOp op) { ops.push_back(op); });
    SmallVector<Attribute> decisions;
    for (MhsaOp op : ops) {
      if (op.isQuantized()) {
        op.emitOpError("must be fused before it is quantised");
        return signalPassFailure();
      }
      Shape shape = getShape(op);
      Costs plain = estimatePlain(core, shape);
      Costs fused = estimateFused(core, shape);
      bool quantized = op->hasAttr(kQueryAbsMax);
      bool fuse = mode == "auto" && quantized ? false : pays(plain, fused);
      decisions.push_back(describe(op, fuse, quantized, plain, fused));
      if (fuse && failed(rewrite(op, shape)))
        return signalPassFailure();
    }
    if (!decisions.empty())
      getOperation()->setAttr(kFusion,
                              ArrayAttr::get(&getContext(), decisions));
  }

  bool pays(const Costs &plain, const Costs &fused) {
    if (mode != "auto")
      return mode == "always";
    return optimize == "size" ? fused.weightBytes < plain.weightBytes
                              : fused.cycles < plain.cycles;
  }

  DictionaryAttr describe(MhsaOp op, bool fuse, bool quantized,
                          const Costs &plain, const Costs &fused) {
    Builder b(&getContext());
    return b.getDictionaryAttr(
        {b.getNamedAttr("layer", b.getStringAttr(getLayerName(op.getLoc()))),
         b.getNamedAttr("fused", b.getBoolAttr(fuse)),
         b.getNamedAttr("quantized", b.getBoolAttr(quantized)),
         b.getNamedAttr("cycles",
                        b.getDenseF64ArrayAttr({plain.cycles, fused.cycles})),
         b.getNamedAttr(
             "weight_bytes",
             b.getDenseI64ArrayAttr({plain.weightBytes, fused.weightBytes}))});
  }

  LogicalResult rewrite(MhsaOp op, const Shape &shape) {
    SmallVector<SmallVector<float>> constants;
    for (Value operand : {Value(op.getQueryWeight()), Value(op.getQueryBias()),
                          Value(op.getKeyWeight()), Value(op.getValueWeight()),
                          Value(op.getValueBias()), Value(op.getOutputWeight()),
                          Value(op.getOutputBias())}) {
      FailureOr<SmallVector<float>> constant = getConstant<float>(operand);
      if (failed(constant))
        return op.emitOpError("needs constant weights to be fused");
      constants.push_back(std::move(*constant));
    }
    const auto &query = constants[0], &queryBias = constants[1],
               &key = constants[2], &value = constants[3],
               &valueBias = constants[4], &output = constants[5],
               &outputBias = constants[6];
    IRRewriter rewriter(op);
    auto create = [&](ArrayRef<float> elements, ArrayRef<int64_t> dimensions,
                      StringRef name) {
      return createConstant<float>(rewriter, op.getLoc(), elements, dimensions,
                                   name);
    };
    int64_t channels = shape.heads * shape.width;
    rewriter.replaceOpWithNewOp<FusedMhsaOp>(
        op, op.getResult().getType(), op.getInput(), op.getQueryRows(),
        create(fuseWeights(query, key, shape), {channels, shape.width},
               "fused_weight"),
        create(fuseBias(queryBias, key, shape), {channels}, "fused_bias"),
        /*query_multipliers=*/Value(),
        create(fuseOutput(output, value, shape), {shape.outputWidth, channels},
               "fused_output_weight"),
        create(fuseOutputBias(outputBias, output, valueBias),
               {shape.outputWidth}, "fused_output_bias"),
        /*output_multipliers=*/Value(), /*scores_multipliers=*/Value(),
        /*context_multipliers=*/Value(), /*exp_table=*/Value(),
        op.getHeadsAttr(), op.getScaleAttr(), /*query_requant=*/nullptr,
        /*scores_requant=*/nullptr, /*context_requant=*/nullptr,
        /*output_requant=*/nullptr);
    return success();
  }
};

} // namespace
} // namespace mlir::tinyattn
