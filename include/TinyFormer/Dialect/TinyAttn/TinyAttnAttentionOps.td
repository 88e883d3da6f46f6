// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_ATTENTION_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_ATTENTION_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Activations and weights are f32 before quantisation and i8 after; biases are
// f32 and then i32 on the accumulator's scale.
def TinyAttn_Tensor : RankedTensorOf<[F32, I8]>;
def TinyAttn_BiasTensor : RankedTensorOf<[F32, I32]>;
def TinyAttn_I32Tensor : RankedTensorOf<[I32]>;
def TinyAttn_TableTensor : StaticShapeTensorOf<[I8]>;

// Whole attention layers: pure, on tensors, and decomposed before they run.
class TinyAttn_AttentionOp<string mnemonic>
    : Op<TinyAttn_Dialect, mnemonic, [Pure, AttrSizedOperandSegments]> {
  let hasVerifier = 1;
  let results = (outs TinyAttn_Tensor:$result);
}

def TinyAttn_MhsaOp : TinyAttn_AttentionOp<"mhsa"> {
  let summary = "Multi-head self-attention";
  let description = [{
    X is [S, E]; Wq and Wk are [H·P, E], Wv is [H·Pv, E], Wo is [E', H·Pv];
    biases have as many elements as their weight has rows. With the slices of
    head h, in real numbers:

        Q_h = X·Wq_hᵀ + bq_h, K_h = X·Wk_hᵀ + bk_h, V_h = X·Wv_hᵀ + bv_h
        C_h = softmax(scale · Q_h·K_hᵀ)·V_h
        Y   = concat(C_0, …)·Woᵀ + bo

    `scale` is 1/√P in almost every model. Where not all rows of Y are wanted,
    `query_rows` are those of X that Q_h is made of, [R, E], and Y has R rows;
    keys and values are those of all of X. On i8 the op is exactly the sequence
    of structured ops that `-tinyattn-decompose-attention` replaces it by:

        Q_h, K_h, V_h = linear, requantised by query, key, value (symmetric)
        scores_h      = matmul, requantised by scores, one multiplier a head
        e_h, sum_h    = softmax with late normalisation, by the table
        C_h           = matmul of unsigned e_h and V_h, one division a row
        Y             = linear, requantised by output

    Source: Vaswani et al., "Attention is all you need", arXiv 1706.03762; late
    normalisation: docs/numerics.md.

    ```mlir
    %y = tinyattn.mhsa %x
      query(%wq, %bq : tensor<8x8xf32>, tensor<8xf32>)
      key(%wk, %bk : tensor<8x8xf32>, tensor<8xf32>)
      value(%wv, %bv : tensor<8x8xf32>, tensor<8xf32>)
      output(%wo, %bo : tensor<8x8xf32>, tensor<8xf32>)
      {heads = 2 : i64, scale = 5.000000e-01 : f32}
      : tensor<5x8xf32> -> tensor<5x8xf32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Tensor:$input,
    Optional<TinyAttn_Tensor>:$query_rows,
    TinyAttn_Tensor:$query_weight, TinyAttn_BiasTensor:$query_bias,
    Optional<TinyAttn_I32Tensor>:$query_multipliers,
    TinyAttn_Tensor:$key_weight, TinyAttn_BiasTensor:$key_bias,
    Optional<TinyAttn_I32Tensor>:$key_multipliers,
    TinyAttn_Tensor:$value_weight, TinyAttn_BiasTensor:$value_bias,
    Optional<TinyAttn_I32Tensor>:$value_multipliers,
    TinyAttn_Tensor:$output_weight, TinyAttn_BiasTensor:$output_bias,
    Optional<TinyAttn_I32Tensor>:$output_multipliers,
    Optional<TinyAttn_I32Tensor>:$scores_multipliers,
    Optional<TinyAttn_I32Tensor>:$context_multipliers,
    Optional<TinyAttn_TableTensor>:$exp_table,
    I64Attr:$heads,
    OptionalAttr<F32Attr>:$scale,
    OptionalAttr<TinyAttn_RequantAttr>:$query_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$key_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$value_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$scores_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$context_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$output_requant
  );
  let assemblyFormat = [{
    $input
    (`query_rows` `(` $query_rows^ `:` type($query_rows) `)`)?
    `query` `(` $query_weight `,` $query_bias (`,` $query_multipliers^)? `:`
      type($query_weight) `,` type($query_bias) (`,` type($query_multipliers)^)? `)`
    `key` `(` $key_weight `,` $key_bias (`,` $key_multipliers^)? `:`
      type($key_weight) `,` type($key_bias) (`,` type($key_multipliers)^)? `)`
    `value` `(` $value_weight `,` $value_bias (`,` $value_multipliers^)? `:`
      type($value_weight) `,` type($value_bias) (`,` type($value_multipliers)^)? `)`
    `output` `(` $output_weight `,` $output_bias (`,` $output_multipliers^)? `:`
      type($output_weight) `,` type($output_bias) (`,` type($output_multipliers)^)? `)`
    (`scores` `(` $scores_multipliers^ `:` type($scores_multipliers) `)`)?
    (`exp` `(` $exp_table^ `:` type($exp_table) `)`)?
    (`context` `(` $context_multipliers^ `:` type($context_multipliers) `)`)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The rows that queries are made of: some of X, or X itself.
    TypedValue<RankedTensorType> getQuerySource();
    /// Width P of one head of the queries and keys.
    int64_t getHeadWidth();
    /// Width Pv of one head of the values.
    int64_t getValueWidth();
    /// True once the op works on int8.
    bool isQuantized();
  }];
}

def TinyAttn_FusedMhsaOp : TinyAttn_AttentionOp<"fused_mhsa"> {
  let summary = "Multi-head self-attention with fused weights";
  let description = [{
    softmax cancels what is constant along a row of scores, hence

        softmax(scale · Q_h·K_hᵀ) = softmax(scale · (X·M_h + c_h)·Xᵀ)
        M_h = Wq_hᵀ·Wk_h  (E×E),  c_h = bq_h·Wk_h  (E)

    which drops the projection of the keys: the key is X itself. The rows of a
    softmax sum up to 1, hence in the same way

        Y = Σ_h (A_h·V_h)·Wo_hᵀ + bo = Σ_h (A_h·X)·N_hᵀ + d
        N_h = Wo_h·Wv_h  (E'×E),  d = bo + Σ_h Wo_h·bv_h  (E')

    which drops that of the values: with A_h the attention of head h, the
    context is A_h·X. The query weight holds the M_hᵀ below one another,
    [H·E, E], so that the projection is a `linear`, its bias the c_h, [H·E]; the
    output weight holds the N_h side by side, [E', H·E], its bias is d. The rest,
    `query_rows` too, is as in `mhsa`.

    On i8, X is symmetric (zero point 0), because it is both operands of the
    scores, and the values.

    Source: FWSA of queries and keys, Jung et al., arXiv 2404.02945; values and
    output are fused in the same way here (docs/rationale.md).

    ```mlir
    %y = tinyattn.fused_mhsa %x
      query(%m, %c : tensor<16x8xf32>, tensor<16xf32>)
      output(%n, %d : tensor<8x16xf32>, tensor<8xf32>)
      {heads = 2 : i64, scale = 5.000000e-01 : f32}
      : tensor<5x8xf32> -> tensor<5x8xf32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Tensor:$input,
    Optional<TinyAttn_Tensor>:$query_rows,
    TinyAttn_Tensor:$query_weight, TinyAttn_BiasTensor:$query_bias,
    Optional<TinyAttn_I32Tensor>:$query_multipliers,
    TinyAttn_Tensor:$output_weight, TinyAttn_BiasTensor:$output_bias,
    Optional<TinyAttn_I32Tensor>:$output_multipliers,
    Optional<TinyAttn_I32Tensor>:$scores_multipliers,
    Optional<TinyAttn_I32Tensor>:$context_multipliers,
    Optional<TinyAttn_TableTensor>:$exp_table,
    I64Attr:$heads,
    OptionalAttr<F32Attr>:$scale,
    OptionalAttr<TinyAttn_RequantAttr>:$query_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$scores_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$context_requant,
    OptionalAttr<TinyAttn_RequantAttr>:$output_requant
  );
  let assemblyFormat = [{
    $input
    (`query_rows` `(` $query_rows^ `:` type($query_rows) `)`)?
    `query` `(` $query_weight `,` $query_bias (`,` $query_multipliers^)? `:`
      type($query_weight) `,` type($query_bias) (`,` type($query_multipliers)^)? `)`
    `output` `(` $output_weight `,` $output_bias (`,` $output_multipliers^)? `:`
      type($output_weight) `,` type($output_bias) (`,` type($output_multipliers)^)? `)`
    (`scores` `(` $scores_multipliers^ `:` type($scores_multipliers) `)`)?
    (`exp` `(` $exp_table^ `:` type($exp_table) `)`)?
    (`context` `(` $context_multipliers^ `:` type($context_multipliers) `)`)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The rows that queries are made of: some of X, or X itself.
    TypedValue<RankedTensorType> getQuerySource();
    /// Width of one head of the values, that of X.
    int64_t getValueWidth();
    /// True once the op works on int8.
    bool isQuantized();
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_ATTENTION_OPS_TD
