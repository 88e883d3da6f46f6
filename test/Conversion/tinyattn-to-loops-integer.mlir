// RUN: tinyformer-opt %s -pass-pipeline='builtin.module(func.func(convert-tinyattn-to-loops))' | FileCheck %s

// An addend for each channel stands between product and rounding shift.
// CHECK-LABEL: @offsets
// CHECK: scf.yield %{{.*}} : i32
// CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : i32
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[PRODUCT]], %{{.*}} : i32
// CHECK: arith.addi %[[SUM]], %{{.*}} : i32
func.func @offsets(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>, %m: memref<12xi32>,
    %o: memref<12xi32>, %y: memref<5x12xi8>) {
  tinyattn.linear ins(%x, %w, %b, %m : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    offsets(%o : memref<12xi32>) outs(%y : memref<5x12xi8>) {requant = #tinyattn.requant<shift = 16>}
  return
}

// With 64 bits, it is extended like the rest.
// CHECK-LABEL: @wide_offsets
// CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : i64
// CHECK-NEXT: arith.addi %[[PRODUCT]], %{{.*}} : i64
func.func @wide_offsets(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>, %m: memref<12xi32>,
    %o: memref<12xi32>, %y: memref<5x12xi8>) {
  tinyattn.linear ins(%x, %w, %b, %m : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    offsets(%o : memref<12xi32>) outs(%y : memref<5x12xi8>)
    {requant = #tinyattn.requant<shift = 36, wide = true>}
  return
}

// One division an element, or one a row.
// CHECK-LABEL: @divide
// CHECK-COUNT-1: arith.divui
// CHECK-NOT: arith.divui
func.func @divide(%x: memref<5x8xi8>, %t: memref<256xi32>, %y: memref<5x8xi8>) {
  tinyattn.integer_softmax ins(%x, %t : memref<5x8xi8>, memref<256xi32>) outs(%y : memref<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64}
  return
}

// CHECK-LABEL: @shift
// CHECK: %[[SCALE:.*]] = arith.constant 65280 : i32
// CHECK: %[[INVERSE:.*]] = arith.divui %[[SCALE]], %{{.*}} : i32
// CHECK: arith.shrui %[[INVERSE]], %{{.*}} : i32
func.func @shift(%x: memref<5x8xi8>, %t: memref<256xi32>, %y: memref<5x8xi8>) {
  tinyattn.integer_softmax ins(%x, %t : memref<5x8xi8>, memref<256xi32>) outs(%y : memref<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 256 : i64}
  return
}

// No division has 64 bits: that would be a call of a function that is not there.
// CHECK-LABEL: @layernorm
// CHECK-NOT: arith.div{{.*}} : i64
// CHECK: return
func.func @layernorm(%x: memref<5x8xi8>, %w: memref<8xi32>, %b: memref<8xi32>, %y: memref<5x8xi8>) {
  tinyattn.integer_layernorm ins(%x, %w, %b : memref<5x8xi8>, memref<8xi32>, memref<8xi32>)
    outs(%y : memref<5x8xi8>) {input_zero_point = 0 : i32, shift = 24 : i64}
  return
}
