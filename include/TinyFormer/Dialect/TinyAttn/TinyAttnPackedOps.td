// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_PACKED_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_PACKED_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnStructuredOps.td"

// Matrix products of two 16-bit pairs a multiply (SMLAD) want their operands in
// panels: words of two halves that are used together. The packed ops work on
// panels, write panels for the op behind them, and mean what the plain ops mean.
//
//   left    [pairs of rows, K/2, 2]   word (i, s, r): row 2i+r at k = 2s, 2s+1
//   right   [pairs of columns, K/2]   word (j, s): columns 2j and 2j+1 at k = 2s
//                                     and 2s+1, in either form of below
//
// The low half of a word belongs to the smaller k. Where a number of rows or
// columns is odd, the last pair repeats its first member; where K is odd, the
// last half of the left panel is 0. K/2 and the pairs are rounded up.
def TinyAttn_Panel : TinyAttn_RankedTensorOrMemRef<[I32]>;

def TinyAttn_PanelForm : I32EnumAttr<"PanelForm", "How a right panel holds two columns", [
      I32EnumAttrCase<"Joint", 0, "joint">,
      I32EnumAttrCase<"Separate", 1, "separate">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}
def TinyAttn_PanelFormAttr
    : EnumAttr<TinyAttn_Dialect, TinyAttn_PanelForm, "form"> {
  let description = [{
    Each half of a word is, for the columns a = 2j and b = 2j + 1 of the pair:

    * `joint`: 256·b + a + 128 for activations; 256·b + a for weights, which lie
      in [-127, 127]. One word for both columns: int8 in size. With A the sum of
      products of the halves and B that of their low bytes, 256·Σb·x = A - B, so
      that |Σb·x| must stay below 2^23.
    * `separate`: one column a word, a trailing dimension [2] for the two.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def TinyAttn_PanelLayout : I32EnumAttr<"PanelLayout", "What a packed op writes", [
      I32EnumAttrCase<"Rows", 0, "rows">,
      I32EnumAttrCase<"Left", 1, "left">,
      I32EnumAttrCase<"Keys", 2, "keys">,
      I32EnumAttrCase<"Values", 3, "values">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}
def TinyAttn_PanelLayoutAttr
    : EnumAttr<TinyAttn_Dialect, TinyAttn_PanelLayout, "layout"> {
  let description = [{
    For a result Y of M rows and N channels:

    * `rows`: plain i8 [M, N].
    * `left`: a left panel with k = channel, [M/2, N/2, 2].
    * `keys`: a right panel, column = row of Y, k = channel: [M/2, N/2(, 2)].
    * `values`: a right panel, column = channel, k = row of Y: [N/2, M/2(, 2)].

    (, 2) in the separate form. All but `rows` need an even N.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def TinyAttn_PackRowsOp : TinyAttn_StructuredOp<"pack_rows"> {
  let summary = "Rows of int8 as a left panel";
  let description = [{
    X [M, K] i8 to the left panel [M/2, K/2, 2]: every element as 16 bits, its
    sign extended, or zeros with `unsigned_input`. With `interleaved`, of each
    four elements along k the first word has those of k = 0 and 2, the second one
    those of 1 and 3, as bytes are extended two by two; the one to three elements
    behind the last four are in their order. Weights that they are multiplied
    with are in the same order.

    ```mlir
    %l = tinyattn.pack_rows ins(%x : tensor<5x6xi8>)
      outs(%init : tensor<3x3x2xi32>) -> tensor<3x3x2xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    Variadic<TinyAttn_Destination>:$inits,
    UnitAttr:$unsigned_input,
    UnitAttr:$interleaved
  );
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PadOp : TinyAttn_StructuredOp<"pad"> {
  let summary = "An image within a frame of one value";
  let description = [{
    X [.., H, W, ..] i8 in a larger Y, `low` elements behind the beginning of
    each dimension; `value` everywhere else. A convolution of Y needs no padding.

    ```mlir
    %y = tinyattn.pad ins(%x : tensor<3x4x2xi8>) outs(%init : tensor<5x5x2xi8>)
      {low = array<i64: 1, 0, 0>, value = -7 : i32} -> tensor<5x5x2xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    Variadic<TinyAttn_Destination>:$inits,
    DenseI64ArrayAttr:$low,
    I32Attr:$value
  );
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackPatchesOp : TinyAttn_StructuredOp<"pack_patches", [], [{
    /// The runs of a patch, and the bytes of each.
    int64_t getRuns();
    int64_t getRunLength();
    /// Patches of the whole input.
    int64_t getPatches();
  }]> {
  let summary = "Patches of an image as a left panel, or as rows of bytes";
  let description = [{
    The rows of the destination are the patches of X that a `conv` of `kernel` and
    `strides` multiplies with its weights, from patch number `first` on, as many
    as `count` says. X is [H, W, C], or [C, H, W] with `channels_first`.

    A patch is a number of runs of bytes that lie side by side in X: KH runs of
    KW·C, or C·KH runs of KW bytes with `channels_first`. They follow each other
    along k. Rows of bytes are [count, runs·length] i8. In a left panel there is
    a 0 behind each run of odd length: it is [count/2, runs·length/2, 2], the
    length rounded up to an even number.

    ```mlir
    %l = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index)
      outs(%init : tensor<2x2x2xi32>)
      {channels_first, count = 4 : i64, kernel = array<i64: 2, 2>,
       strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    Index:$first,
    Variadic<TinyAttn_Destination>:$inits,
    UnitAttr:$channels_first,
    I64Attr:$count,
    DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $first `:` type($input) `,` type($first) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackColumnsOp : TinyAttn_StructuredOp<"pack_columns"> {
  let summary = "Rows of int8 as columns of a right panel";
  let description = [{
    X [N, K] i8 to a right panel whose columns are the rows of X:
    [N/2, K/2], or [N/2, K/2, 2] in the separate form. For a product with Xᵀ.

    ```mlir
    %r = tinyattn.pack_columns ins(%x : tensor<5x6xi8>)
      outs(%init : tensor<3x3xi32>) {form = #tinyattn.form<joint>}
      -> tensor<3x3xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_PanelFormAttr:$form
  );
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackedLinearOp : TinyAttn_StructuredOp<"packed_linear"> {
  let summary = "Fully connected layer on panels";
  let description = [{
    `linear` of a left panel [M/2, K/2, 2] and a panel of weights
    [N/2, 4 + K/2] (joint) or [N/2, 4 + K] (separate: the two words of a step
    side by side). The first words of each pair of channels a, b are

        joint:     256·bias[b] + bias[a], bias[a], m[a] << (32-s), m[b] << (24-s)
        separate:  bias[a], bias[b], m[a] << (32-s), m[b] << (32-s)

    with s the shift of `requant`, so that requantisation is the upper half of a
    64-bit product, rounded (SMMULR). `layout` says what is written; with
    `rows` the destination tells M and N, and where N is odd, the last pair of
    weights is padded with zeros. `form` is that of the weights; panels that are
    written are in `result_form`. `odd_rows` says that M is odd where a panel is
    written: both rows of the last pair are the same one.

    Without `requant`, the sums are added to an i32 [M, N] destination, as by
    `linear_accumulate`, and the panel of weights has no first words: [N/2, K/2]
    or [N/2, K].

    |m·acc| >> s stays within 16 bits, less the zero point: shifts of at least
    17 that are not `wide`. Multipliers are below 2^(s-1).

    ```mlir
    %y = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>)
      outs(%init : tensor<5x12xi8>)
      {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 20, zero_point = -3>}
      -> tensor<5x12xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Panel:$left,
    TinyAttn_Panel:$weight,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_PanelLayoutAttr:$layout,
    TinyAttn_PanelFormAttr:$form,
    OptionalAttr<TinyAttn_PanelFormAttr>:$result_form,
    OptionalAttr<TinyAttn_RequantAttr>:$requant,
    UnitAttr:$odd_rows
  );
  let assemblyFormat = [{
    `ins` `(` $left `,` $weight `:` type($left) `,` type($weight) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackedScoresOp : TinyAttn_StructuredOp<"packed_scores"> {
  let summary = "Scores of attention from panels";
  let description = [{
    The `matmul` with `transpose_b` of queries and keys: a left panel
    [M/2, H·P/2, 2] of all heads and a right panel of keys [S/2, H·P/2(, 2)] of
    all heads, or [S/2, P/2(, 2)] shared by them (H heads, one after the other
    along k). Multipliers are [H], as in `matmul`; the result is
    [H, M, S rounded up to a multiple of 4] i8, whose last columns are undefined.

    ```mlir
    %s = tinyattn.packed_scores ins(%q, %k, %m
        : tensor<1x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
      outs(%init : tensor<2x2x12xi8>)
      {columns = 9 : i64, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 19, zero_point = 4>}
      -> tensor<2x2x12xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Panel:$queries,
    TinyAttn_Panel:$keys,
    TinyAttn_Multipliers:$multipliers,
    Variadic<TinyAttn_Destination>:$inits,
    I64Attr:$columns,
    TinyAttn_PanelFormAttr:$form,
    TinyAttn_RequantAttr:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $queries `,` $keys `,` $multipliers `:`
      type($queries) `,` type($keys) `,` type($multipliers) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackedSoftmaxOp : TinyAttn_StructuredOp<"packed_softmax"> {
  let summary = "Exponentials of rows as left panels";
  let description = [{
    The unnormalised `softmax` of scores [H, M, S rounded up to a multiple of 4]
    i8: the exponentials as left panels [H, M/2, S/2, 2] (k = column, 0 behind
    the last), and their sums [H, M rounded up to an even number] i32. The table
    is that of `softmax` from its end: T[255 - d] is T'[d].

    ```mlir
    %e, %sums = tinyattn.packed_softmax ins(%s, %t
        : tensor<2x2x12xi8>, tensor<256xi8>)
      outs(%i0, %i1 : tensor<2x1x5x2xi32>, tensor<2x2xi32>) {columns = 9 : i64}
      -> tensor<2x1x5x2xi32>, tensor<2x2xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    TinyAttn_Table:$table,
    Variadic<TinyAttn_Destination>:$inits,
    I64Attr:$columns
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $table `:` type($input) `,` type($table) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_NormalizedSoftmaxOp : TinyAttn_StructuredOp<"normalized_softmax"> {
  let summary = "Softmax along the last dimension, as signed bytes";
  let description = [{
    The normalised `softmax` and the change to signed bytes behind it:
    y_j = min(255, (e_j·⌊2^30 / Σe⌋ + 2^21) >> 22) - 128, of scale 1/256 and zero
    point -128. The table is that of `softmax` from its end, so that T[max - x]
    is T'[255 - max + x]: the kernel adds the row's maximum to its address.

    ```mlir
    %y = tinyattn.normalized_softmax ins(%x, %t : tensor<5x9xi8>, tensor<256xi8>)
      outs(%init : tensor<5x9xi8>) -> tensor<5x9xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    TinyAttn_Table:$table,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $table `:` type($input) `,` type($table) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PackedContextOp : TinyAttn_StructuredOp<"packed_context"> {
  let summary = "Context of attention from panels";
  let description = [{
    The `matmul` with `row_sums` of exponentials and values: left panels
    [H, M/2, S/2, 2], a right panel [H·P/2, S/2(, 2)], or [P/2, S/2(, 2)] with
    `shared_values`, which all heads read, sums [H, M rounded up to an even number]
    (i32), multipliers [H]. The heads lie side by side: i8
    [M, H·P] (`rows`) or a left panel [M/2, H·P/2, 2] (`left`), where `odd_rows`
    says that M is odd.

    ```mlir
    %c = tinyattn.packed_context ins(%e, %v, %sums, %m
        : tensor<2x1x5x2xi32>, tensor<8x5xi32>, tensor<2x2xi32>, tensor<2xi32>)
      outs(%init : tensor<1x8x2xi32>)
      {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 22>} -> tensor<1x8x2xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Panel:$exponentials,
    TinyAttn_Panel:$values,
    TinyAttn_Sums:$row_sums,
    TinyAttn_Multipliers:$multipliers,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_PanelLayoutAttr:$layout,
    TinyAttn_PanelFormAttr:$form,
    TinyAttn_RequantAttr:$requant,
    UnitAttr:$odd_rows,
    UnitAttr:$shared_values
  );
  let assemblyFormat = [{
    `ins` `(` $exponentials `,` $values `,` $row_sums `,` $multipliers `:`
      type($exponentials) `,` type($values) `,` type($row_sums) `,`
      type($multipliers) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_PACKED_OPS_TD
