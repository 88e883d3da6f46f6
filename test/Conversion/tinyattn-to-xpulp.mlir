// RUN: tinyformer-opt %s -convert-tinyattn-to-xpulp -canonicalize -cse | FileCheck %s

#target = #tinyattn.target<name = "chip", core = "ri5cy", isa = "xpulpv2", cores = 1,
  memories = [<name = "l1", kind = ram, size = 65536>]>
module attributes {tinyattn.target = #target} {

// Two tiles of four rows and one row, with a kernel for each; three tiles of
// four columns and one column.
// CHECK-LABEL: @linear
// CHECK-SAME: %[[X:.*]]: memref<9x16xi8>, %[[W:.*]]: memref<13x6xi32>
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : i32
// CHECK-DAG: %[[THREE:.*]] = arith.constant 3 : i32
// CHECK: call @tf_product_4xn1_k16_s16_24_columns_20_r13(%{{.*}}, %{{.*}}, %{{.*}}, %[[TWO]], %[[THREE]])
// CHECK: arith.addi %{{.*}}, %c128 : index
// CHECK: call @tf_product_1xn1_k16_s16_24_columns_20_r13(
func.func @linear(%x: memref<9x16xi8>, %w: memref<13x6xi32>, %y: memref<9x13xi8>) {
  tinyattn.word_linear ins(%x, %w : memref<9x16xi8>, memref<13x6xi32>)
    outs(%y : memref<9x13xi8>) {requant = #tinyattn.requant<shift = 20>}
  return
}

// The same numbers are the same kernels.
// CHECK-LABEL: @again
// CHECK: call @tf_product_4xn1_k16_s16_24_columns_20_r13(
func.func @again(%x: memref<9x16xi8>, %w: memref<13x6xi32>, %y: memref<9x13xi8>) {
  tinyattn.word_linear ins(%x, %w : memref<9x16xi8>, memref<13x6xi32>)
    outs(%y : memref<9x13xi8>) {requant = #tinyattn.requant<shift = 20>}
  return
}

// A context: a multiplier a row, exponentials unsigned.
// CHECK-LABEL: @context
// CHECK: scf.for
// CHECK: call @tf_product_4xn0_k9ue_s12_12_rows_22_r8(
func.func @context(%e: memref<2x4x9xi8, strided<[48, 12, 1]>>, %v: memref<2x4x9xi8, strided<[48, 12, 1]>>,
    %sums: memref<2x4xi32>, %m: memref<2xi32>, %y: memref<4x8xi8>) {
  tinyattn.matmul ins(%e, %v, %m : memref<2x4x9xi8, strided<[48, 12, 1]>>,
      memref<2x4x9xi8, strided<[48, 12, 1]>>, memref<2xi32>) row_sums(%sums : memref<2x4xi32>)
    outs(%y : memref<4x8xi8>)
    {merge_heads, requant = #tinyattn.requant<shift = 22>, transpose_b, unsigned_lhs}
  return
}

// All rows of all heads in one call.
// CHECK-LABEL: @softmax
// CHECK-DAG: %[[EIGHT:.*]] = arith.constant 8 : i32
// CHECK: call @tf_softmax_9_s12_12(%{{.*}}, %{{.*}}, %{{.*}}, %[[EIGHT]], %{{.*}})
func.func @softmax(%x: memref<2x4x9xi8, strided<[48, 12, 1]>>, %t: memref<256xi8>, %sums: memref<2x4xi32>) {
  tinyattn.softmax ins(%x, %t : memref<2x4x9xi8, strided<[48, 12, 1]>>, memref<256xi8>)
    outs(%x, %sums : memref<2x4x9xi8, strided<[48, 12, 1]>>, memref<2x4xi32>)
  return
}

// Without sums, rows are normalised.
// CHECK-LABEL: @whole_softmax
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : i32
// CHECK: call @tf_softmax_normalized_9_s9_9(%{{.*}}, %{{.*}}, %{{.*}}, %[[FOUR]])
func.func @whole_softmax(%x: memref<4x9xi8>, %t: memref<256xi8>, %y: memref<4x9xi8>) {
  tinyattn.softmax ins(%x, %t : memref<4x9xi8>, memref<256xi8>) outs(%y : memref<4x9xi8>)
  return
}

// CHECK-LABEL: @signed_softmax
// CHECK: call @tf_softmax_signed_9_s9_9(
func.func @signed_softmax(%x: memref<4x9xi8>, %t: memref<256xi8>, %y: memref<4x9xi8>) {
  tinyattn.normalized_softmax ins(%x, %t : memref<4x9xi8>, memref<256xi8>) outs(%y : memref<4x9xi8>)
  return
}

// Columns of the right side do not follow each other: no kernel.
// CHECK-LABEL: @plain
// CHECK: tinyattn.matmul
func.func @plain(%a: memref<2x4x9xi8>, %b: memref<2x9x4xi8>, %m: memref<2xi32>, %y: memref<2x4x4xi8>) {
  tinyattn.matmul ins(%a, %b, %m : memref<2x4x9xi8>, memref<2x9x4xi8>, memref<2xi32>)
    outs(%y : memref<2x4x4xi8>) {requant = #tinyattn.requant<shift = 20>}
  return
}

// The kernel of the first layer: tiles of columns outside, words inside, whose
// last one comes first and needs no sums.
// CHECK-LABEL: func.func private @tf_product_4xn1_k16_s16_24_columns_20_r13
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: scf.for
// CHECK: xpulp.block
// CHECK: xpulp.hwloop %arg4
// CHECK-COUNT-16: xpulp.pv.dotsp.b
// CHECK: xpulp.hwloop 3
// CHECK-COUNT-8: xpulp.p.lw_post
// CHECK-COUNT-8: xpulp.pv.sdotsp.b
// CHECK: xpulp.yield
// CHECK-COUNT-16: xpulp.p.clip
// CHECK-COUNT-4: xpulp.p.sw_post
// CHECK: xpulp.yield
}
