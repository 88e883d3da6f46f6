// RUN: tinyformer-opt %s -split-input-file -tinyattn-narrow-to-slices -canonicalize -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// One token of five is read: so is one row of all that leads to it, but for
// the keys and values of attention, and the input of the residual addition.
// CHECK-LABEL: @class_token
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x8xf32>
// CHECK-SAME: tinyattn.narrowed = [{layer = "attn", of = 5 : i64, rows = 1 : i64}, {layer = "sum", of = 5 : i64, rows = 1 : i64}, {layer = "norm", of = 5 : i64, rows = 1 : i64}]
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[X]][2, 0] [1, 8] [1, 1]
// CHECK: %[[A:.*]] = tinyattn.mhsa %[[X]] query_rows(%[[ROW2:.*]] : tensor<1x8xf32>)
// CHECK-SAME: : tensor<5x8xf32> -> tensor<1x8xf32> loc("attn"
// CHECK: tinyattn.add ins(%{{.*}}, %[[A]] : tensor<1x8xf32>, tensor<1x8xf32>)
// CHECK: %[[Y:.*]] = tinyattn.layernorm {{.*}} -> tensor<1x8xf32>
// CHECK: return %[[Y]]
func.func @class_token(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) -> tensor<1x8xf32> {
  %a = tinyattn.mhsa %x query(%w, %b : tensor<8x8xf32>, tensor<8xf32>) key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>) output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32} : tensor<5x8xf32> -> tensor<5x8xf32> loc("attn")
  %e = tensor.empty() : tensor<5x8xf32>
  %s = tinyattn.add ins(%x, %a : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32> loc("sum")
  %n = tinyattn.layernorm ins(%s, %b, %b : tensor<5x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<5x8xf32>) {epsilon = 1.0e-05 : f32} -> tensor<5x8xf32> loc("norm")
  %y = tensor.extract_slice %n[2, 0] [1, 8] [1, 1] : tensor<5x8xf32> to tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// Two tokens that are read apart: the rows from the first to the last.
// CHECK-LABEL: @two_tokens
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x4xf32>
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[X]][1, 0] [3, 4] [1, 1]
// CHECK: %[[Y:.*]] = tinyattn.linear ins(%[[ROWS]], {{.*}} -> tensor<3x4xf32>
// CHECK: tensor.extract_slice %[[Y]][0, 0] [1, 4] [1, 1]
// CHECK: tensor.extract_slice %[[Y]][2, 0] [1, 4] [1, 1] : tensor<3x4xf32> to tensor<4xf32>
func.func @two_tokens(%x: tensor<5x4xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>) -> (tensor<1x4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<5x4xf32>
  %y = tinyattn.linear ins(%x, %w, %b : tensor<5x4xf32>, tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<5x4xf32>) -> tensor<5x4xf32>
  %0 = tensor.extract_slice %y[1, 0] [1, 4] [1, 1] : tensor<5x4xf32> to tensor<1x4xf32>
  %1 = tensor.extract_slice %y[3, 0] [1, 4] [1, 1] : tensor<5x4xf32> to tensor<4xf32>
  return %0, %1 : tensor<1x4xf32>, tensor<4xf32>
}

// -----

// Attention on integers, and fused weights: the same.
#r = #tinyattn.requant<shift = 12>
// CHECK-LABEL: @on_integers
// CHECK: tinyattn.fused_mhsa %{{.*}} query_rows(%{{.*}} : tensor<2x8xi8>)
// CHECK-SAME: : tensor<5x8xi8> -> tensor<2x8xi8>
func.func @on_integers(%x: tensor<5x8xi8>, %f: tensor<16x8xi8>, %c: tensor<16xi32>, %w: tensor<8x16xi8>, %b: tensor<8xi32>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<2x8xi8> {
  %a = tinyattn.fused_mhsa %x query(%f, %c, %c : tensor<16x8xi8>, tensor<16xi32>, tensor<16xi32>)
    output(%w, %b, %b : tensor<8x16xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r, scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  %y = tensor.extract_slice %a[3, 0] [2, 8] [1, 1] : tensor<5x8xi8> to tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}

// -----

// Nothing is gained where something reads all rows, or slices take channels.
// CHECK-LABEL: @stays
// CHECK-NOT: tinyattn.narrowed
// CHECK: tinyattn.linear {{.*}} -> tensor<5x4xf32>
// CHECK: tinyattn.linear {{.*}} -> tensor<5x4xf32>
func.func @stays(%x: tensor<5x4xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>) -> (tensor<1x4xf32>, tensor<5x4xf32>, tensor<5x2xf32>) {
  %e = tensor.empty() : tensor<5x4xf32>
  %y = tinyattn.linear ins(%x, %w, %b : tensor<5x4xf32>, tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<5x4xf32>) -> tensor<5x4xf32>
  %0 = tensor.extract_slice %y[1, 0] [1, 4] [1, 1] : tensor<5x4xf32> to tensor<1x4xf32>
  %z = tinyattn.linear ins(%y, %w, %b : tensor<5x4xf32>, tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<5x4xf32>) -> tensor<5x4xf32>
  %1 = tensor.extract_slice %z[0, 0] [5, 2] [1, 1] : tensor<5x4xf32> to tensor<5x2xf32>
  return %0, %y, %1 : tensor<1x4xf32>, tensor<5x4xf32>, tensor<5x2xf32>
}
