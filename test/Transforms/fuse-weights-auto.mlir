// RUN: tinyformer-opt %s -split-input-file -tinyattn-fuse-weights | FileCheck %s --check-prefixes=BOTH,CYCLES
// RUN: tinyformer-opt %s -split-input-file -tinyattn-fuse-weights=optimize=size | FileCheck %s --check-prefixes=BOTH,SIZE
// RUN: tinyformer-opt %s -split-input-file -tinyattn-fuse-weights=mode=never | FileCheck %s --check-prefixes=NEVER

// Narrow heads: fused scores would have 8 products instead of 1.
// BOTH-LABEL: @narrow_heads
// BOTH: tinyattn.mhsa
// NEVER-LABEL: @narrow_heads
// NEVER: tinyattn.mhsa
func.func @narrow_heads(%x: tensor<9x8xf32>) -> tensor<9x8xf32> {
  %w = arith.constant dense<1.0> : tensor<2x8xf32>
  %b = arith.constant dense<0.0> : tensor<2xf32>
  %wo = arith.constant dense<1.0> : tensor<8x2xf32>
  %bo = arith.constant dense<0.0> : tensor<8xf32>
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<2x8xf32>, tensor<2xf32>)
    key(%w, %b : tensor<2x8xf32>, tensor<2xf32>)
    value(%w, %b : tensor<2x8xf32>, tensor<2xf32>)
    output(%wo, %bo : tensor<8x2xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 1.0 : f32} : tensor<9x8xf32> -> tensor<9x8xf32>
  return %y : tensor<9x8xf32>
}

// -----

// Heads as wide as the input: a projection less, at no cost.
// BOTH-LABEL: @wide_head
// BOTH: tinyattn.fused_mhsa
// NEVER-LABEL: @wide_head
// NEVER: tinyattn.mhsa
func.func @wide_head(%x: tensor<9x8xf32>) -> tensor<9x8xf32> {
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %b = arith.constant dense<0.0> : tensor<8xf32>
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 1 : i64, scale = 1.0 : f32} : tensor<9x8xf32> -> tensor<9x8xf32>
  return %y : tensor<9x8xf32>
}

// -----

// Many tokens, heads three quarters as wide as the input: fewer bytes of
// weights, but more cycles, because the scores have 8 products instead of 6.
// CYCLES-LABEL: @bytes_against_cycles
// CYCLES: tinyattn.mhsa
// SIZE-LABEL: @bytes_against_cycles
// SIZE: tinyattn.fused_mhsa
func.func @bytes_against_cycles(%x: tensor<200x8xf32>) -> tensor<200x8xf32> {
  %w = arith.constant dense<1.0> : tensor<6x8xf32>
  %b = arith.constant dense<0.0> : tensor<6xf32>
  %wo = arith.constant dense<1.0> : tensor<8x6xf32>
  %bo = arith.constant dense<0.0> : tensor<8xf32>
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<6x8xf32>, tensor<6xf32>)
    key(%w, %b : tensor<6x8xf32>, tensor<6xf32>)
    value(%w, %b : tensor<6x8xf32>, tensor<6xf32>)
    output(%wo, %bo : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 1 : i64, scale = 1.0 : f32} : tensor<200x8xf32> -> tensor<200x8xf32>
  return %y : tensor<200x8xf32>
}

// -----

// The same as @wide_head, but with the range of its queries: it arrived
// quantised and keeps its own integers.
// BOTH-LABEL: @arrived_quantised
// BOTH-SAME: fused = false, layer = "", quantized = true
// BOTH: tinyattn.mhsa
// NEVER-LABEL: @arrived_quantised
// NEVER: tinyattn.mhsa
func.func @arrived_quantised(%x: tensor<9x8xf32>) -> tensor<9x8xf32> {
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %b = arith.constant dense<0.0> : tensor<8xf32>
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 1 : i64, scale = 1.0 : f32, tinyattn.query_absmax = array<f64: 1.0>}
    : tensor<9x8xf32> -> tensor<9x8xf32>
  return %y : tensor<9x8xf32>
}
