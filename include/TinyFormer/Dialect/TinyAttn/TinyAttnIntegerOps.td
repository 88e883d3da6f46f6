// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_INTEGER_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_INTEGER_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnStructuredOps.td"

// Models that arrive in the integer dialect of QuantLib and Deeploy keep its
// arithmetic, which is not that of `softmax` and `layernorm`.
def TinyAttn_Words : TinyAttn_RankedTensorOrMemRef<[I32]>;
def TinyAttn_IntegerActivation : TinyAttn_RankedTensorOrMemRef<[I8]>;

def TinyAttn_IntegerSoftmaxOp : TinyAttn_StructuredOp<"integer_softmax"> {
  let summary = "iSoftmax and ITAMax along the last dimension";
  let description = [{
    With d_j = max_i x_i - x_j and a `table` of 256 words, for each row:

    * `divide` (iSoftmax; the table is the polynomial of I-BERT):
      e_j = table[d_j], E = Σe, y_j = ⌊e_j·(levels - 1) / E⌋;
    * `shift` (ITAMax; table[d] = (d + 16) >> 5):
      E = Σ(256 >> table[d_j]), y_j = ⌊(levels - 1)·256 / E⌋ >> table[d_j].

    All of it in 32 unsigned bits. Results are unsigned bytes, 0 to levels - 1.

    Source: QuantLib and Deeploy (arXiv 2408.04413), I-BERT (arXiv 2101.01321),
    ITA (arXiv 2307.03493).

    ```mlir
    %y = tinyattn.integer_softmax ins(%x, %t : tensor<2x5x5xi8>, tensor<256xi32>)
      outs(%i : tensor<2x5x5xi8>)
      {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64}
      -> tensor<2x5x5xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_IntegerActivation:$input,
    TinyAttn_Words:$table,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_IntegerSoftmaxKindAttr:$kind,
    I64Attr:$levels
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $table `:` type($input) `,` type($table) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_IntegerLayernormOp : TinyAttn_StructuredOp<"integer_layernorm"> {
  let summary = "iLayerNorm of each row";
  let description = [{
    X is [M, K], weight w and bias b are [K]; per row, with z the
    `input_zero_point` and trunc(·) the rounding towards zero:

        x'_k = x_k - z, n_k = x'_k - trunc(Σx' / K)
        D = ⌊√(⌊Σn² / K⌋ + 1)⌋
        Y_k = clamp((trunc(n_k·w_k / D) + b_k) >> shift)

    The product n·w has up to 40 bits, the sum with b 64; K ≤ 32768 keeps Σn²
    within 32.

    Source: QuantLib and Deeploy (arXiv 2408.04413).

    ```mlir
    %y = tinyattn.integer_layernorm ins(%x, %w, %b
        : tensor<5x8xi8>, tensor<8xi32>, tensor<8xi32>)
      outs(%i : tensor<5x8xi8>)
      {input_zero_point = 0 : i32, shift = 24 : i64} -> tensor<5x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_IntegerActivation:$input,
    TinyAttn_Words:$weight,
    TinyAttn_Words:$bias,
    Variadic<TinyAttn_Destination>:$inits,
    I32Attr:$input_zero_point,
    I64Attr:$shift
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `,` $bias `:`
      type($input) `,` type($weight) `,` type($bias) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_INTEGER_OPS_TD
