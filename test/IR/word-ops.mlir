// RUN: tinyformer-opt %s | tinyformer-opt | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: tinyattn.word_linear ins(%{{.*}}, %{{.*}} : tensor<5x6xi8>, tensor<12x4xi32>) outs(%{{.*}} : tensor<2x6x5xi8>) {heads = 2 : i64, requant = #tinyattn.requant<shift = 20>, transposed} -> tensor<2x6x5xi8>
func.func @tensors(%x: tensor<5x6xi8>, %w: tensor<12x4xi32>, %init: tensor<2x6x5xi8>) -> tensor<2x6x5xi8> {
  %y = tinyattn.word_linear ins(%x, %w : tensor<5x6xi8>, tensor<12x4xi32>)
    outs(%init : tensor<2x6x5xi8>)
    {heads = 2 : i64, transposed, requant = #tinyattn.requant<shift = 20>}
    -> tensor<2x6x5xi8>
  return %y : tensor<2x6x5xi8>
}

// One word more keeps rows in different banks.
// CHECK-LABEL: @memrefs
// CHECK: tinyattn.word_linear ins(%{{.*}}, %{{.*}} : memref<5x56xi8>, memref<12x17xi32>) outs(%{{.*}} : memref<5x12xi8>)
func.func @memrefs(%x: memref<5x56xi8>, %w: memref<12x17xi32>, %y: memref<5x12xi8>) {
  tinyattn.word_linear ins(%x, %w : memref<5x56xi8>, memref<12x17xi32>)
    outs(%y : memref<5x12xi8>) {requant = #tinyattn.requant<shift = 20>}
  return
}

// CHECK-LABEL: @sums
// CHECK: tinyattn.word_linear {{.*}} outs(%{{.*}} : memref<5x12xi32>)
func.func @sums(%x: memref<5x6xi8>, %w: memref<12x2xi32>, %y: memref<5x12xi32>) {
  tinyattn.word_linear ins(%x, %w : memref<5x6xi8>, memref<12x2xi32>) outs(%y : memref<5x12xi32>)
  return
}
