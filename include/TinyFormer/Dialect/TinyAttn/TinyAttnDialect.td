// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_DIALECT_TD
#define TINYFORMER_DIALECT_TINYATTN_DIALECT_TD

include "mlir/IR/OpBase.td"

def TinyAttn_Dialect : Dialect {
  let name = "tinyattn";
  let summary = "Encoder transformers, in float and in int8";
  let description = [{
    The `tinyattn` dialect says what an encoder transformer means. Its ops are
    polymorphic: on f32 they are the real-valued layer; on i8 they are an exact
    integer function, given by a formula in the op's description, that every
    target reproduces bit for bit.

    Whole-attention ops (`mhsa`, `fused_mhsa`) live on tensors until they are
    decomposed. The structured ops (`linear`, `matmul`, `softmax`, `layernorm`,
    `lookup`, `add`, `conv`, `pool`, and for sums in pieces `broadcast`,
    `linear_accumulate`, `requantize`) are destination-passing style and work on
    tensors and on memrefs. On tensors, `linear`, `matmul`, `softmax`,
    `layernorm`, `lookup` and `add` implement `TilingInterface`.

    Notation of the formulas: all values are integers; `>>` is an arithmetic
    shift (rounds towards minus infinity); `clamp` saturates to [-128, 127];
    `requant(a, m)` with `#tinyattn.requant<shift = s, zero_point = z>` is

        clamp(((a * m + 2^(s-1)) >> s) + z)

    which rounds to nearest, ties upwards.

    Discardable attributes that travel through the pipeline:

    * `tinyattn.range = array<f64: lo, hi>` on an op or a function argument:
      the range of its real-valued result, calibrated or, on constants too, that
      of a model which arrives quantised;
    * on attention ops, `tinyattn.query_absmax`, `tinyattn.key_absmax` and
      `tinyattn.value_absmax`, one non-negative f64 a head, and
      `tinyattn.scores_range`, `tinyattn.context_range`;
    * `tinyattn.weight_scales` on a constant that is the weight of a layer: one
      positive f64 a row, of which its elements are multiples in [-127, 127];
      a model that arrives quantised keeps its integers by them;
    * `tinyattn.scale` (f64) and `tinyattn.zero_point` (i32) on arguments and
      results of a quantised function: real = scale * (integer - zero_point);
    * `tinyattn.arena` (string) on the argument that is the arena: the memory
      that it goes to; and `tinyattn.arena_lower_bound` (i64), the largest sum
      of bytes alive at one time;
    * `tinyattn.narrowed` on a function: an array of dictionaries, how many rows
      of how many each layer computes of which not all are read;
    * `tinyattn.fusion = [...]` on a function: what `tinyattn-fuse-weights`
      decided, a dictionary a layer;
    * `tinyattn.schedules` on a function: an array of dictionaries, how each of
      its attention layers was tiled, with the estimates that decided;
    * `tinyattn.feed_forward` on a function: an array of dictionaries, which
      feed-forward networks run for how many rows at a time, by the name of
      their first linear layer;
    * `tinyattn.plan` on a function, if it was asked for: a dictionary with
      `steps`, the names of the ops that touch buffers of an arena, and
      `buffers`, each with the memory and offset where it lies, its size, and
      the first and last step of its life;
    * `tinyattn.target = #tinyattn.target<...>` on the module.
  }];
  let cppNamespace = "::mlir::tinyattn";
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // TINYFORMER_DIALECT_TINYATTN_DIALECT_TD
