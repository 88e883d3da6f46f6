// RUN: tinyformer-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @integer_softmax
func.func @integer_softmax(%x: tensor<2x5x5xi8>, %t: tensor<256xi32>, %i: tensor<2x5x5xi8>)
    -> (tensor<2x5x5xi8>, tensor<2x5x5xi8>) {
  // CHECK: tinyattn.integer_softmax ins(%{{.*}}, %{{.*}} : tensor<2x5x5xi8>, tensor<256xi32>)
  // CHECK-SAME: {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<2x5x5xi8>, tensor<256xi32>)
    outs(%i : tensor<2x5x5xi8>)
    {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64} -> tensor<2x5x5xi8>
  // CHECK: #tinyattn.integer_softmax_kind<shift>
  %z = tinyattn.integer_softmax ins(%x, %t : tensor<2x5x5xi8>, tensor<256xi32>)
    outs(%i : tensor<2x5x5xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 16 : i64} -> tensor<2x5x5xi8>
  return %y, %z : tensor<2x5x5xi8>, tensor<2x5x5xi8>
}

// CHECK-LABEL: @integer_layernorm_on_memrefs
func.func @integer_layernorm_on_memrefs(%x: memref<5x8xi8>, %w: memref<8xi32>, %b: memref<8xi32>,
    %y: memref<5x8xi8>) {
  // CHECK: tinyattn.integer_layernorm ins
  // CHECK-SAME: {input_zero_point = -128 : i32, shift = 24 : i64}
  tinyattn.integer_layernorm ins(%x, %w, %b : memref<5x8xi8>, memref<8xi32>, memref<8xi32>)
    outs(%y : memref<5x8xi8>) {input_zero_point = -128 : i32, shift = 24 : i64}
  return
}

// CHECK-LABEL: @offsets
func.func @offsets(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>, %b: tensor<12xi32>,
    %image: tensor<4x4x2xi8>, %k: tensor<12x2x2x2xi8>, %q: tensor<2x5x4xi8>, %m: tensor<2xi32>,
    %i0: tensor<5x12xi8>, %i1: tensor<3x3x12xi8>, %i2: tensor<2x5x5xi8>)
    -> (tensor<5x12xi8>, tensor<3x3x12xi8>, tensor<2x5x5xi8>) {
  // CHECK: tinyattn.linear {{.*}} offsets(%{{.*}} : tensor<12xi32>) outs
  %0 = tinyattn.linear
    ins(%x, %w, %b, %b : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    offsets(%b : tensor<12xi32>) outs(%i0 : tensor<5x12xi8>)
    {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  // CHECK: tinyattn.conv {{.*}} offsets(%{{.*}} : tensor<12xi32>) outs
  %1 = tinyattn.conv
    ins(%image, %k, %b, %b : tensor<4x4x2xi8>, tensor<12x2x2x2xi8>, tensor<12xi32>, tensor<12xi32>)
    offsets(%b : tensor<12xi32>) outs(%i1 : tensor<3x3x12xi8>)
    {strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, input_zero_point = 0 : i32,
     requant = #tinyattn.requant<shift = 16>} -> tensor<3x3x12xi8>
  // CHECK: tinyattn.matmul {{.*}} offsets(%{{.*}} : tensor<2xi32>) outs
  %2 = tinyattn.matmul ins(%q, %q, %m : tensor<2x5x4xi8>, tensor<2x5x4xi8>, tensor<2xi32>)
    offsets(%m : tensor<2xi32>) outs(%i2 : tensor<2x5x5xi8>)
    {transpose_b, requant = #tinyattn.requant<shift = 16>} -> tensor<2x5x5xi8>
  return %0, %1, %2 : tensor<5x12xi8>, tensor<3x3x12xi8>, tensor<2x5x5xi8>
}
