// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_STRUCTURED_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_STRUCTURED_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnAttrs.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Upstream's TensorOrMemRef lets unranked types through.
class TinyAttn_RankedTensorOrMemRef<list<Type> types>
    : ShapedContainerType<types, Or<[IsRankedTensorTypePred, IsMemRefTypePred]>,
                          "ranked tensor or memref", "::mlir::ShapedType">;
def TinyAttn_Activation : TinyAttn_RankedTensorOrMemRef<[F32, I8]>;
def TinyAttn_Bias : TinyAttn_RankedTensorOrMemRef<[F32, I32]>;
def TinyAttn_Multipliers : TinyAttn_RankedTensorOrMemRef<[I32]>;
def TinyAttn_Sums : TinyAttn_RankedTensorOrMemRef<[F32, I32]>;
def TinyAttn_NormWeight : TinyAttn_RankedTensorOrMemRef<[F32, I16]>;
def TinyAttn_Table : TinyAttn_RankedTensorOrMemRef<[I8]>;
def TinyAttn_Ids : TinyAttn_RankedTensorOrMemRef<[I32]>;
def TinyAttn_Destination : TinyAttn_RankedTensorOrMemRef<[F32, I8, I32]>;

// Structured ops write their `inits`. On tensors they return them, on memrefs
// they return nothing.
defvar structuredOpDeclarations = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitsMutable();
    }
    /// True on int8, false on f32.
    bool isQuantized() {
      return ::mlir::cast<::mlir::ShapedType>(getInits().front().getType())
          .getElementType().isInteger();
    }
}];

class TinyAttn_StructuredOp<string mnemonic, list<Trait> traits = [],
                            string extraDeclarations = "">
    : Op<TinyAttn_Dialect, mnemonic, traits # [
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let hasVerifier = 1;
  let results = (outs Variadic<TinyAttn_Destination>:$results);
  let extraClassDeclaration = structuredOpDeclarations # extraDeclarations;
}

def TinyAttn_LinearOp : TinyAttn_StructuredOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "Fully connected layer";
  let description = [{
    Y[m, n] = Σ_k X[m, k]·W[n, k] + b[n], with X [M, K], W [N, K], b [N],
    Y [M, N]. With `heads = H` the result is split by heads: Y is [H, M, N/H] and
    channel n goes to head n / (N/H).

    On i8: Y[m, n] = requant(b[n] + Σ_k X[m, k]·W[n, k], multipliers[n]). The
    zero point of X is folded into b. With `offsets`, offsets[n] is added to
    the product with the multiplier before the rounding shift.

    Source: ONNX Gemm, MatMul; integer form: docs/numerics.md; offsets: the
    addend of RequantShift (QuantLib, Deeploy).

    ```mlir
    %y = tinyattn.linear ins(%x, %w, %b, %m
        : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
      outs(%init : tensor<5x12xi8>)
      {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
      -> tensor<5x12xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    TinyAttn_Activation:$weight,
    TinyAttn_Bias:$bias,
    Optional<TinyAttn_Multipliers>:$multipliers,
    Optional<TinyAttn_Multipliers>:$offsets,
    Variadic<TinyAttn_Destination>:$inits,
    OptionalAttr<I64Attr>:$heads,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `,` $bias (`,` $multipliers^)? `:`
      type($input) `,` type($weight) `,` type($bias) (`,` type($multipliers)^)? `)`
    (`offsets` `(` $offsets^ `:` type($offsets) `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_MatmulOp : TinyAttn_StructuredOp<"matmul", [AttrSizedOperandSegments]> {
  let summary = "Product of two activations, a batch entry a head";
  let description = [{
    Y[b, m, n] = Σ_k A[b, m, k]·B[b, k, n] with A [B, M, K] and B [B, K, N], or
    [B, N, K] with `transpose_b`. A rank-2 B is shared by all batch entries.
    With `merge_heads`, Y is [M, B·N] instead of [B, M, N].

    On i8: Y[b, m, n] = requant(Σ_k A·B, multipliers[b]). With `unsigned_lhs`, A
    holds bytes in [0, 255]. With `row_sums` (R, [B, M], positive), A holds
    unnormalised exponentials and each row has its own multiplier, which
    normalises it: requant(Σ_k A·B, ⌊multipliers[b] / R[b, m]⌋), where
    multipliers[b] is not negative. In real numbers, the row is then divided by
    R[b, m]. `offsets`, one a batch entry, are as in `linear`; not with
    `row_sums`.

    Source: ONNX MatMul; late normalisation: docs/numerics.md.

    ```mlir
    %s = tinyattn.matmul ins(%q, %k, %m
        : tensor<2x5x4xi8>, tensor<2x5x4xi8>, tensor<2xi32>)
      outs(%init : tensor<2x5x5xi8>)
      {requant = #tinyattn.requant<shift = 12>, transpose_b}
      -> tensor<2x5x5xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$lhs,
    TinyAttn_Activation:$rhs,
    Optional<TinyAttn_Multipliers>:$multipliers,
    Optional<TinyAttn_Multipliers>:$offsets,
    Optional<TinyAttn_Sums>:$row_sums,
    Variadic<TinyAttn_Destination>:$inits,
    UnitAttr:$transpose_b,
    UnitAttr:$unsigned_lhs,
    UnitAttr:$merge_heads,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs (`,` $multipliers^)? `:`
      type($lhs) `,` type($rhs) (`,` type($multipliers)^)? `)`
    (`offsets` `(` $offsets^ `:` type($offsets) `)`)?
    (`row_sums` `(` $row_sums^ `:` type($row_sums) `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_TransposeOp : TinyAttn_StructuredOp<"transpose"> {
  let summary = "Rows as columns";
  let description = [{
    Y[n, m] = X[m, n], with X [M, N] and Y [N, M] of i8: the input of attention as
    values, where no projection writes it so.

    ```mlir
    %y = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%init : tensor<8x5xi8>)
      -> tensor<8x5xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_RankedTensorOrMemRef<[I8]>:$input,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_SoftmaxOp : TinyAttn_StructuredOp<"softmax", [AttrSizedOperandSegments]> {
  let summary = "Softmax along the last dimension, whole or unnormalised";
  let description = [{
    On i8, with the 256 unsigned bytes T[d] = round(255·exp(-d·scale)) of
    `table` and, for each row, e_j = T[max_i x_i - x_j]:

    * one init, of the input's shape: normalised, unsigned, scale 1/256:
      y_j = min(255, (e_j·⌊2^30 / Σe⌋ + 2^21) >> 22);
    * a second init, without the last dimension: the first receives e_j
      (unsigned bytes), the second Σe (i32). A `matmul` with `row_sums`
      normalises later.

    Rows have at most 2^22 elements, so that sums stay within 2^30; T[0] is not
    0, so that they are positive. The first init may be the input itself: once
    the maximum of a row is known, e_j needs x_j alone and goes into its place.
    On f32: exp(x - max) and its sum, or their quotient.

    ```mlir
    %e, %sums = tinyattn.softmax ins(%s, %t : tensor<2x5x5xi8>, tensor<256xi8>)
      outs(%i0, %i1 : tensor<2x5x5xi8>, tensor<2x5xi32>)
      -> tensor<2x5x5xi8>, tensor<2x5xi32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    Optional<TinyAttn_Table>:$table,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $input (`,` $table^)? `:` type($input) (`,` type($table)^)? `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_LayernormOp : TinyAttn_StructuredOp<"layernorm", [], [{
    /// c of the formula: ⌈log2(K)/2⌉.
    static int64_t getHalfLog(int64_t width);
    /// v of the formula: half the bits by which V is shifted down.
    static int64_t getVarianceShift(int64_t width, int64_t varianceEpsilon);
  }]> {
  let summary = "Layer normalisation of each row";
  let description = [{
    Y[m, :] = (X[m, :] - mean) / √(variance + epsilon) · γ + β for X [M, K].

    On i8, with `weight` G (i16), `bias` B (i32) and `variance_epsilon` ε (at
    least 1, on the scale of V), per row, c = ⌈log2(K)/2⌉, K ≤ 4096:

        S = Σx, D_k = K·x_k - S, V = K·Σx² - S² + ε        (V = K²·variance + ε)
        V' = ⌈V / 2^(2v)⌉, v the smallest such that V' < 2^32 for every row
        f = ⌊clz32(V') / 2⌋, R = ⌊√(V'·2^(2f))⌋, u = ⌊2^31 / R⌋
        I = u·2^(f-c-v) if f ≥ c + v, else u >> (c + v - f)
        t_k = (D_k·I + 2^15) >> 16           (16 bits: (x-mean)/σ · 2^(15-c))
        Y_k = clamp(((t_k·G_k + B_k + 2^(s-1)) >> s) + z)

    All of it stays within 32 bits but V and its terms where v > 0, which is so
    for K > 514 or a large ε; where v = 0, V has 32 unsigned bits, and its terms
    may wrap around. Y is as `requant` says, in 64 bits if that is `wide`. The
    zero point of X cancels. Derivation of the bounds: docs/numerics.md.

    ```mlir
    %y = tinyattn.layernorm ins(%x, %g, %b
        : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
      outs(%init : tensor<5x8xi8>)
      {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64}
      -> tensor<5x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    TinyAttn_NormWeight:$weight,
    TinyAttn_Bias:$bias,
    Variadic<TinyAttn_Destination>:$inits,
    OptionalAttr<F32Attr>:$epsilon,
    OptionalAttr<I64Attr>:$variance_epsilon,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `,` $bias `:`
      type($input) `,` type($weight) `,` type($bias) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_LookupOp : TinyAttn_StructuredOp<"lookup", [AttrSizedOperandSegments]> {
  let summary = "Any function of one int8, as a table of 256 entries";
  let description = [{
    On i8: Y = table[X + 128], element by element; the table has the zero points
    and scales of both sides in it. On f32: Y = function(factor·X), where
    `factor` is 1 if absent (`gelu` is the exact one, by erf; `gelu_tanh` its
    approximation).

    ```mlir
    %y = tinyattn.lookup ins(%x : tensor<5x8xf32>) outs(%i : tensor<5x8xf32>)
      {function = #tinyattn.function<gelu>} -> tensor<5x8xf32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    Optional<TinyAttn_Table>:$table,
    Variadic<TinyAttn_Destination>:$inits,
    OptionalAttr<TinyAttn_UnaryFunctionAttr>:$function,
    OptionalAttr<F32Attr>:$factor
  );
  let assemblyFormat = [{
    `ins` `(` $input (`,` $table^)? `:` type($input) (`,` type($table)^)? `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
}

def TinyAttn_AddOp : TinyAttn_StructuredOp<"add"> {
  let summary = "Sum of two tensors of one shape";
  let description = [{
    On i8: Y = clamp(((A·multipliers[0] + B·multipliers[1] + offset + 2^(s-1))
    >> s) + z), where offset = -zA·multipliers[0] - zB·multipliers[1] holds both
    zero points. Everything fits 32 bits, or 64 if `requant` is `wide`.

    ```mlir
    %y = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
      outs(%i : tensor<5x8xi8>)
      {multipliers = array<i32: 9000, 12000>, offset = 0 : i32,
       requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$lhs,
    TinyAttn_Activation:$rhs,
    Variadic<TinyAttn_Destination>:$inits,
    OptionalAttr<DenseI32ArrayAttr>:$multipliers,
    OptionalAttr<I32Attr>:$offset,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_ConvOp : TinyAttn_StructuredOp<"conv", [AttrSizedOperandSegments]> {
  let summary = "Convolution in two dimensions, tokens out";
  let description = [{
    X is [H, W, C], or [C, H, W] with `channels_first`; W is [O, KH, KW, C];
    Y is [OH, OW, O], so that collapsing its first two dimensions gives tokens.
    `strides` is [vertical, horizontal], `padding` is [top, left, bottom, right].
    A 1-D convolution has H = KH = 1.

        Y[i, j, o] = b[o] + Σ X[i·sh + p - top, j·sw + q - left, c]·W[o, p, q, c]

    On i8: requant(that, multipliers[o]); elements of the padding are
    `input_zero_point`, whose product with the weights is folded into b.
    `offsets` are as in `linear`.

    Source: ONNX Conv, group 1, dilation 1.

    ```mlir
    %y = tinyattn.conv ins(%x, %w, %b
        : tensor<1x8x8xf32>, tensor<48x2x2x1xf32>, tensor<48xf32>)
      outs(%i : tensor<4x4x48xf32>)
      {channels_first, strides = array<i64: 2, 2>,
       padding = array<i64: 0, 0, 0, 0>} -> tensor<4x4x48xf32>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    TinyAttn_Activation:$weight,
    TinyAttn_Bias:$bias,
    Optional<TinyAttn_Multipliers>:$multipliers,
    Optional<TinyAttn_Multipliers>:$offsets,
    Variadic<TinyAttn_Destination>:$inits,
    UnitAttr:$channels_first,
    DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$padding,
    OptionalAttr<I32Attr>:$input_zero_point,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `,` $bias (`,` $multipliers^)? `:`
      type($input) `,` type($weight) `,` type($bias) (`,` type($multipliers)^)? `)`
    (`offsets` `(` $offsets^ `:` type($offsets) `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_PoolOp : TinyAttn_StructuredOp<"pool"> {
  let summary = "Mean or maximum over the rows";
  let description = [{
    X is [M, N], Y is [1, N]: the mean or the maximum of each column.

    On i8, mean: Y[n] = requant(Σ_m X[m, n] - M·input_zero_point, multiplier),
    where the requantisation's own multiplier includes 1/M; maximum: as it is.

    Source: ONNX ReduceMean, GlobalAveragePool, ReduceMax.

    ```mlir
    %y = tinyattn.pool ins(%x : tensor<5x8xi8>) outs(%i : tensor<1x8xi8>)
      {kind = #tinyattn.pool_kind<mean>, input_zero_point = 4 : i32,
       requant = #tinyattn.requant<multiplier = 819, shift = 12>}
      -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Activation:$input,
    Variadic<TinyAttn_Destination>:$inits,
    TinyAttn_PoolKindAttr:$kind,
    OptionalAttr<I32Attr>:$input_zero_point,
    OptionalAttr<TinyAttn_RequantAttr>:$requant
  );
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

def TinyAttn_EmbeddingOp : TinyAttn_StructuredOp<"embedding"> {
  let summary = "Rows of a table, looked up by their numbers";
  let description = [{
    Ids is [S], the table T [V, E], Y [S, E]: Y[s, e] = T[i, e] with
    i = min(max(Ids[s], 0), V - 1), so that no id reads beside the table. On i8,
    the result has the scale and zero point of the table.

    Source: ONNX Gather of rows of a constant.

    ```mlir
    %y = tinyattn.embedding ins(%ids, %table : tensor<5xi32>, tensor<30x8xi8>)
      outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
    ```
  }];
  let arguments = (ins
    TinyAttn_Ids:$ids,
    TinyAttn_Activation:$table,
    Variadic<TinyAttn_Destination>:$inits
  );
  let assemblyFormat = [{
    `ins` `(` $ids `,` $table `:` type($ids) `,` type($table) `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_STRUCTURED_OPS_TD
