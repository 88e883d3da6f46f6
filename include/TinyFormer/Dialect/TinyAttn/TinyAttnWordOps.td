// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_WORD_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_WORD_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnPackedOps.td"

// Dot products of four bytes (XpulpV2) read both operands by words, along rows.
// Activations stay plain rows of bytes; weights become rows of words that have
// all that a channel needs.
def TinyAttn_WordLinearOp : TinyAttn_StructuredOp<"word_linear"> {
  let summary = "Fully connected layer with a row of words for each channel";
  let description = [{
    `linear` of X [M, K] and weights [N, W] i32. The words of row n are

        m[n], b[n]·m[n] + zero_point·2^s (mod 2^32), ⌈K/4⌉ words of weights

    and at most one more that keeps rows apart from each other's memory banks.
    A word has four weights, the one of the smallest k in its low byte, 0 behind
    the last. With these two numbers a, the result is

        Y[m, n] = clamp((Σ_k X[m, k]·W[n, k]·m[n] + a[n] + 2^(s-1)) >> s)

    in 32 bits that wrap around, which is exact because the whole sum fits.

    With `heads = H` the result is [H, M, N/H] instead of [M, N], as in `linear`;
    with `transposed` besides, it is [H, N/H, M].

    Without `requant`, the sums are added to an i32 [M, N] destination, as by
    `linear_accumulate`, and rows of weights have no first two words.

    ```mlir
    %y = tinyattn.word_linear ins(%x, %w : tensor<5x6xi8>, tensor<12x4xi32>)
      outs(%init : tensor<2x6x5xi8>)
      {heads = 2 : i64, transposed, requant = #tinyattn.requant<shift = 20>}
      -> tensor<2x6x5xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    TinyAttn_Panel:$weight,
    Variadic<TinyAttn_Destination>:$inits,
    OptionalAttr<I64Attr>:$heads,
    UnitAttr:$transposed,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_WORD_OPS_TD
