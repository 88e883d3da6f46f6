// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_ACCUMULATION_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_ACCUMULATION_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnStructuredOps.td"

// Where a sum over channels is cut into pieces (depth-first tiling), the pieces
// meet in 32 bits: broadcast the bias, accumulate, requantise.
def TinyAttn_Bytes : TinyAttn_RankedTensorOrMemRef<[I8]>;
def TinyAttn_Accumulators : TinyAttn_RankedTensorOrMemRef<[I32]>;

def TinyAttn_BroadcastOp : TinyAttn_StructuredOp<"broadcast"> {
  let summary = "The same row again and again";
  let description = [{
    Y[m, n] = b[n], with b [N], Y [M, N], both i32: accumulators that hold their
    bias.

    ```mlir
    %a = tinyattn.broadcast ins(%b : tensor<8xi32>)
      outs(%init : tensor<5x8xi32>) -> tensor<5x8xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Accumulators:$bias,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $bias `:` type($bias) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_LinearAccumulateOp : TinyAttn_StructuredOp<"linear_accumulate"> {
  let summary = "Part of a fully connected layer, added to 32-bit sums";
  let description = [{
    Y[m, n] = Y[m, n] + Σ_k X[m, k]·W[n, k], with X [M, K] and W [N, K] i8,
    Y [M, N] i32. The destination is read.

    A `linear` is `broadcast` of its bias, one of these for each part of its
    inputs, and `requantize`. The result is the same to the bit: sums of 32 bits
    are associative, and the bound on a linear layer's accumulator holds for
    every partial sum (docs/numerics.md).

    ```mlir
    %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x4xi8>)
      outs(%a : tensor<5x8xi32>) -> tensor<5x8xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Bytes:$input,
    TinyAttn_Bytes:$weight,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_RequantizeOp : TinyAttn_StructuredOp<"requantize"> {
  let summary = "32-bit sums to int8, a multiplier a channel";
  let description = [{
    Y[m, n] = requant(X[m, n], multipliers[n]), with X [M, N] i32, Y [M, N] i8.

    ```mlir
    %y = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
      outs(%init : tensor<5x8xi8>)
      {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
      -> tensor<5x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Accumulators:$input,
    TinyAttn_Multipliers:$multipliers,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_RequantAttr:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $multipliers `:` type($input) `,` type($multipliers) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_ACCUMULATION_OPS_TD
