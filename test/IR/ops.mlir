// RUN: tinyformer-opt %s -verify-roundtrip | FileCheck %s

// The examples of the documentation, and each form that they leave out.

// CHECK-LABEL: @mhsa
func.func @mhsa(%x: tensor<5x8xf32>, %wq: tensor<8x8xf32>, %bq: tensor<8xf32>,
    %wk: tensor<8x8xf32>, %bk: tensor<8xf32>, %wv: tensor<8x8xf32>, %bv: tensor<8xf32>,
    %wo: tensor<8x8xf32>, %bo: tensor<8xf32>) -> tensor<5x8xf32> {
  // CHECK: tinyattn.mhsa
  // CHECK-SAME: {heads = 2 : i64, scale = 5.000000e-01 : f32}
  %y = tinyattn.mhsa %x
    query(%wq, %bq : tensor<8x8xf32>, tensor<8xf32>)
    key(%wk, %bk : tensor<8x8xf32>, tensor<8xf32>)
    value(%wv, %bv : tensor<8x8xf32>, tensor<8xf32>)
    output(%wo, %bo : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// CHECK-LABEL: @mhsa_of_some_rows
func.func @mhsa_of_some_rows(%x: tensor<5x8xf32>, %r: tensor<2x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) -> tensor<2x8xf32> {
  // CHECK: tinyattn.mhsa %{{.*}} query_rows(%{{.*}} : tensor<2x8xf32>) query(
  // CHECK-SAME: : tensor<5x8xf32> -> tensor<2x8xf32>
  %y = tinyattn.mhsa %x query_rows(%r : tensor<2x8xf32>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// CHECK-LABEL: @mhsa_on_i8
func.func @mhsa_on_i8(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>,
    %m: tensor<8xi32>, %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.mhsa
  // CHECK-SAME: scores(%{{.*}} : tensor<2xi32>) exp(%{{.*}} : tensor<256xi8>) context(%{{.*}} : tensor<2xi32>)
  %y = tinyattn.mhsa %x
    query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    output(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64,
     query_requant = #tinyattn.requant<shift = 12>, key_requant = #tinyattn.requant<shift = 12>,
     value_requant = #tinyattn.requant<shift = 12>, scores_requant = #tinyattn.requant<shift = 12>,
     context_requant = #tinyattn.requant<shift = 24>,
     output_requant = #tinyattn.requant<shift = 40, zero_point = 5, wide = true>}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// CHECK-LABEL: @fused_mhsa
func.func @fused_mhsa(%x: tensor<5x8xf32>, %m: tensor<16x8xf32>, %c: tensor<16xf32>,
    %n: tensor<8x16xf32>, %d: tensor<8xf32>) -> tensor<5x8xf32> {
  // CHECK: tinyattn.fused_mhsa
  %y = tinyattn.fused_mhsa %x
    query(%m, %c : tensor<16x8xf32>, tensor<16xf32>)
    output(%n, %d : tensor<8x16xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// CHECK-LABEL: @transpose
func.func @transpose(%x: tensor<5x8xi8>, %init: tensor<8x5xi8>) -> tensor<8x5xi8> {
  // CHECK: tinyattn.transpose ins(%{{.*}} : tensor<5x8xi8>) outs(%{{.*}} : tensor<8x5xi8>)
  %y = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%init : tensor<8x5xi8>)
    -> tensor<8x5xi8>
  return %y : tensor<8x5xi8>
}

// CHECK-LABEL: @linear
func.func @linear(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>, %b: tensor<12xi32>,
    %m: tensor<12xi32>, %init: tensor<5x12xi8>) -> tensor<5x12xi8> {
  // CHECK: tinyattn.linear
  // CHECK-SAME: {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%init : tensor<5x12xi8>)
    {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
    -> tensor<5x12xi8>
  return %y : tensor<5x12xi8>
}

// CHECK-LABEL: @linear_of_heads_on_memrefs
func.func @linear_of_heads_on_memrefs(%x: memref<5x8xi8>, %w: memref<12x8xi8>,
    %b: memref<12xi32>, %m: memref<12xi32>, %y: memref<3x5x4xi8>) {
  // CHECK: tinyattn.linear
  // CHECK-SAME: heads = 3 : i64
  // CHECK-NOT: ->
  tinyattn.linear ins(%x, %w, %b, %m
      : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    outs(%y : memref<3x5x4xi8>)
    {heads = 3 : i64, requant = #tinyattn.requant<shift = 16>}
  return
}

// CHECK-LABEL: @matmul
func.func @matmul(%q: tensor<2x5x4xi8>, %k: tensor<2x5x4xi8>, %m: tensor<2xi32>,
    %init: tensor<2x5x5xi8>) -> tensor<2x5x5xi8> {
  // CHECK: tinyattn.matmul
  // CHECK-SAME: transpose_b
  %s = tinyattn.matmul ins(%q, %k, %m
      : tensor<2x5x4xi8>, tensor<2x5x4xi8>, tensor<2xi32>)
    outs(%init : tensor<2x5x5xi8>)
    {requant = #tinyattn.requant<shift = 12>, transpose_b}
    -> tensor<2x5x5xi8>
  return %s : tensor<2x5x5xi8>
}

// CHECK-LABEL: @matmul_of_exponentials
func.func @matmul_of_exponentials(%e: tensor<2x5x5xi8>, %v: tensor<2x5x4xi8>, %m: tensor<2xi32>,
    %sums: tensor<2x5xi32>, %init: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: row_sums(%{{.*}} : tensor<2x5xi32>)
  %y = tinyattn.matmul ins(%e, %v, %m : tensor<2x5x5xi8>, tensor<2x5x4xi8>, tensor<2xi32>)
    row_sums(%sums : tensor<2x5xi32>) outs(%init : tensor<5x8xi8>)
    {merge_heads, requant = #tinyattn.requant<shift = 24>, unsigned_lhs} -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// CHECK-LABEL: @softmax
func.func @softmax(%s: tensor<2x5x5xi8>, %t: tensor<256xi8>, %i0: tensor<2x5x5xi8>,
    %i1: tensor<2x5xi32>) -> (tensor<2x5x5xi8>, tensor<2x5xi32>) {
  // CHECK: tinyattn.softmax
  // CHECK-SAME: -> tensor<2x5x5xi8>, tensor<2x5xi32>
  %e, %sums = tinyattn.softmax ins(%s, %t : tensor<2x5x5xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x5x5xi8>, tensor<2x5xi32>)
    -> tensor<2x5x5xi8>, tensor<2x5xi32>
  return %e, %sums : tensor<2x5x5xi8>, tensor<2x5xi32>
}

// CHECK-LABEL: @layernorm
func.func @layernorm(%x: tensor<5x8xi8>, %g: tensor<8xi16>, %b: tensor<8xi32>,
    %init: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.layernorm
  // CHECK-SAME: variance_epsilon = 1 : i64
  %y = tinyattn.layernorm ins(%x, %g, %b
      : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%init : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64}
    -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// CHECK-LABEL: @lookup
func.func @lookup(%x: tensor<5x8xf32>, %i: tensor<5x8xf32>) -> tensor<5x8xf32> {
  // CHECK: tinyattn.lookup
  // CHECK-SAME: {function = #tinyattn.function<gelu>}
  %y = tinyattn.lookup ins(%x : tensor<5x8xf32>) outs(%i : tensor<5x8xf32>)
    {function = #tinyattn.function<gelu>} -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// CHECK-LABEL: @lookup_in_table
func.func @lookup_in_table(%x: tensor<5x8xi8>, %t: tensor<256xi8>,
    %i: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.lookup ins(%{{.*}}, %{{.*}} : tensor<5x8xi8>, tensor<256xi8>)
  %y = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%i : tensor<5x8xi8>) -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// CHECK-LABEL: @add
func.func @add(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %i: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.add
  // CHECK-SAME: multipliers = array<i32: 9000, 12000>
  %y = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%i : tensor<5x8xi8>)
    {multipliers = array<i32: 9000, 12000>, offset = 0 : i32,
     requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// CHECK-LABEL: @conv
func.func @conv(%x: tensor<1x8x8xf32>, %w: tensor<48x2x2x1xf32>, %b: tensor<48xf32>,
    %i: tensor<4x4x48xf32>) -> tensor<4x4x48xf32> {
  // CHECK: tinyattn.conv
  // CHECK-SAME: channels_first
  %y = tinyattn.conv ins(%x, %w, %b
      : tensor<1x8x8xf32>, tensor<48x2x2x1xf32>, tensor<48xf32>)
    outs(%i : tensor<4x4x48xf32>)
    {channels_first, strides = array<i64: 2, 2>,
     padding = array<i64: 0, 0, 0, 0>} -> tensor<4x4x48xf32>
  return %y : tensor<4x4x48xf32>
}

// CHECK-LABEL: @pool
func.func @pool(%x: tensor<5x8xi8>, %i: tensor<1x8xi8>) -> tensor<1x8xi8> {
  // CHECK: tinyattn.pool
  // CHECK-SAME: requant = #tinyattn.requant<multiplier = 819, shift = 12>
  %y = tinyattn.pool ins(%x : tensor<5x8xi8>) outs(%i : tensor<1x8xi8>)
    {kind = #tinyattn.pool_kind<mean>, input_zero_point = 4 : i32,
     requant = #tinyattn.requant<multiplier = 819, shift = 12>}
    -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: @sums_in_pieces
func.func @sums_in_pieces(%b: tensor<8xi32>, %x: tensor<5x4xi8>, %w: tensor<8x4xi8>,
    %m: tensor<8xi32>, %i: tensor<5x8xi32>, %y: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.broadcast ins(%{{.*}} : tensor<8xi32>) outs(%{{.*}} : tensor<5x8xi32>) -> tensor<5x8xi32>
  %a = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i : tensor<5x8xi32>) -> tensor<5x8xi32>
  // CHECK: tinyattn.linear_accumulate ins(%{{.*}}, %{{.*}} : tensor<5x4xi8>, tensor<8x4xi8>) outs(%{{.*}} : tensor<5x8xi32>)
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x4xi8>)
    outs(%a : tensor<5x8xi32>) -> tensor<5x8xi32>
  // CHECK: tinyattn.requantize ins(%{{.*}}, %{{.*}} : tensor<5x8xi32>, tensor<8xi32>) outs(%{{.*}} : tensor<5x8xi8>)
  // CHECK-SAME: {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 16, zero_point = -3>} -> tensor<5x8xi8>
  return %r : tensor<5x8xi8>
}

// CHECK-LABEL: @embedding
func.func @embedding(%ids: tensor<5xi32>, %t: tensor<30x8xi8>, %i: tensor<5x8xi8>) -> tensor<5x8xi8> {
  // CHECK: tinyattn.embedding ins(%{{.*}}, %{{.*}} : tensor<5xi32>, tensor<30x8xi8>)
  // CHECK-SAME: outs(%{{.*}} : tensor<5x8xi8>) -> tensor<5x8xi8>
  %y = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xi8>)
    outs(%i : tensor<5x8xi8>) -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}
