// RUN: tinyformer-opt %s -split-input-file -tinyattn-tile-feed-forward=tile=2 -canonicalize -cse -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

#r = #tinyattn.requant<shift = 12>

// Five rows, two at a time, and one that is left over. The rows of the result
// take the place of those of the residual, which nothing else reads.
// CHECK-LABEL: @in_place
// CHECK-SAME: tinyattn.feed_forward = [{layer = "expand", rows = 2 : i64}]
// CHECK: %[[X:.*]] = tinyattn.linear {{.*}} loc("before"
// CHECK: %[[MOST:.*]] = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[Y:.*]] = %[[X]])
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[Y]][%[[I]], 0] [2, 4] [1, 1]
// CHECK: %[[N:.*]] = tinyattn.layernorm ins(%[[ROWS]], {{.*}} -> tensor<2x4xi8> loc("norm"
// CHECK: %[[H:.*]] = tinyattn.linear ins(%[[N]], {{.*}} -> tensor<2x16xi8> loc("expand"
// CHECK: %[[G:.*]] = tinyattn.lookup ins(%[[H]], {{.*}} -> tensor<2x16xi8> loc("gelu"
// CHECK: %[[C:.*]] = tinyattn.linear ins(%[[G]], {{.*}} -> tensor<2x4xi8> loc("contract"
// CHECK: %[[SUM:.*]] = tinyattn.add ins(%[[ROWS]], %[[C]] {{.*}} outs(%[[ROWS]] :
// CHECK: tensor.insert_slice %[[SUM]] into %[[Y]][%[[I]], 0] [2, 4] [1, 1]
// CHECK: tensor.extract_slice %[[MOST]][4, 0] [1, 4] [1, 1]
// CHECK: tinyattn.linear {{.*}} -> tensor<1x16xi8> loc("expand"
// CHECK: %[[ALL:.*]] = tensor.insert_slice %{{.*}} into %[[MOST]][4, 0] [1, 4] [1, 1]
// CHECK: return %[[ALL]]
func.func @in_place(%x: tensor<5x4xi8>, %w: tensor<4x4xi8>, %b: tensor<4xi32>, %w1: tensor<16x4xi8>, %b1: tensor<16xi32>, %w2: tensor<4x16xi8>, %g: tensor<4xi16>, %t: tensor<256xi8>) -> tensor<5x4xi8> {
  %e = tensor.empty() : tensor<5x4xi8>
  %h = tensor.empty() : tensor<5x16xi8>
  %0 = tinyattn.linear ins(%x, %w, %b, %b : tensor<5x4xi8>, tensor<4x4xi8>, tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<5x4xi8>) {requant = #r} -> tensor<5x4xi8> loc("before")
  %1 = tinyattn.layernorm ins(%0, %g, %b : tensor<5x4xi8>, tensor<4xi16>, tensor<4xi32>) outs(%e : tensor<5x4xi8>) {requant = #r, variance_epsilon = 1 : i64} -> tensor<5x4xi8> loc("norm")
  %2 = tinyattn.linear ins(%1, %w1, %b1, %b1 : tensor<5x4xi8>, tensor<16x4xi8>, tensor<16xi32>, tensor<16xi32>) outs(%h : tensor<5x16xi8>) {requant = #r} -> tensor<5x16xi8> loc("expand")
  %3 = tinyattn.lookup ins(%2, %t : tensor<5x16xi8>, tensor<256xi8>) outs(%h : tensor<5x16xi8>) -> tensor<5x16xi8> loc("gelu")
  %4 = tinyattn.linear ins(%3, %w2, %b, %b : tensor<5x16xi8>, tensor<4x16xi8>, tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<5x4xi8>) {requant = #r} -> tensor<5x4xi8> loc("contract")
  %5 = tinyattn.add ins(%0, %4 : tensor<5x4xi8>, tensor<5x4xi8>) outs(%e : tensor<5x4xi8>) {multipliers = array<i32: 9000, 12000>, offset = 0 : i32, requant = #r} -> tensor<5x4xi8> loc("sum")
  return %5 : tensor<5x4xi8>
}

// -----

// An argument belongs to the caller: the result has a place of its own.
// CHECK-LABEL: @not_in_place
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x4xi8>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<5x4xi8>
// CHECK: scf.for %[[I:.*]] = %{{.*}} iter_args(%[[Y:.*]] = %[[E]])
// CHECK: tensor.extract_slice %[[X]][%[[I]], 0] [2, 4] [1, 1]
// CHECK: tensor.extract_slice %[[Y]][%[[I]], 0] [2, 4] [1, 1]
func.func @not_in_place(%x: tensor<5x4xi8>, %w1: tensor<16x4xi8>, %b1: tensor<16xi32>, %w2: tensor<4x16xi8>, %b: tensor<4xi32>) -> tensor<5x4xi8> {
  %h = tensor.empty() : tensor<5x16xi8>
  %e = tensor.empty() : tensor<5x4xi8>
  %0 = tinyattn.linear ins(%x, %w1, %b1, %b1 : tensor<5x4xi8>, tensor<16x4xi8>, tensor<16xi32>, tensor<16xi32>) outs(%h : tensor<5x16xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<5x16xi8>
  %1 = tinyattn.linear ins(%0, %w2, %b, %b : tensor<5x16xi8>, tensor<4x16xi8>, tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<5x4xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<5x4xi8>
  return %1 : tensor<5x4xi8>
}

// -----

// Rows that become wider and stay so are no feed-forward network, and neither
// are those that something else reads.
// CHECK-LABEL: @stays
// CHECK-NOT: scf.for
func.func @stays(%x: tensor<5x4xi8>, %w1: tensor<16x4xi8>, %b1: tensor<16xi32>, %w2: tensor<4x16xi8>, %b: tensor<4xi32>, %t: tensor<256xi8>) -> (tensor<5x16xi8>, tensor<5x16xi8>, tensor<5x4xi8>) {
  %h = tensor.empty() : tensor<5x16xi8>
  %e = tensor.empty() : tensor<5x4xi8>
  %0 = tinyattn.linear ins(%x, %w1, %b1, %b1 : tensor<5x4xi8>, tensor<16x4xi8>, tensor<16xi32>, tensor<16xi32>) outs(%h : tensor<5x16xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<5x16xi8>
  %1 = tinyattn.lookup ins(%0, %t : tensor<5x16xi8>, tensor<256xi8>) outs(%h : tensor<5x16xi8>) -> tensor<5x16xi8>
  %2 = tinyattn.linear ins(%x, %w1, %b1, %b1 : tensor<5x4xi8>, tensor<16x4xi8>, tensor<16xi32>, tensor<16xi32>) outs(%h : tensor<5x16xi8>) {requant = #tinyattn.requant<shift = 13>} -> tensor<5x16xi8>
  %3 = tinyattn.linear ins(%2, %w2, %b, %b : tensor<5x16xi8>, tensor<4x16xi8>, tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<5x4xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<5x4xi8>
  return %1, %2, %3 : tensor<5x16xi8>, tensor<5x16xi8>, tensor<5x4xi8>
}

// Nothing is left to tile where memory is chosen already.
// CHECK-LABEL: @on_memrefs
func.func @on_memrefs(%x: memref<64x8xf32>, %w: memref<16x8xf32>, %b: memref<16xf32>, %y: memref<64x16xf32>) {
  // CHECK-NOT: scf.for
  // CHECK: tinyattn.linear
  tinyattn.linear ins(%x, %w, %b : memref<64x8xf32>, memref<16x8xf32>, memref<16xf32>) outs(%y : memref<64x16xf32>)
  return
}
