// RUN: tinyformer-opt %s -split-input-file -convert-tinyattn-to-armdsp | FileCheck %s

#m4 = #tinyattn.target<name = "stm32l4", core = "cortex-m4", isa = "armv7e-m",
  cores = 1, memories = [<name = "sram1", kind = ram, size = 98304>]>

module attributes {tinyattn.target = #m4} {
  // Two pairs of rows by one kernel, the last row by another.
  // CHECK-LABEL: func.func @first
  // CHECK: scf.for
  // CHECK: call @[[KERNEL:tf_product_k4_n4_j24_a1_m1_rows]](
  // CHECK: }
  // CHECK: call @tf_row_product_k4_n4_j24_a1_m1_rows(
  func.func @first(%l: memref<3x2x2xi32>, %w: memref<2x6xi32>, %y: memref<5x4xi8>) {
    tinyattn.packed_linear ins(%l, %w : memref<3x2x2xi32>, memref<2x6xi32>)
      outs(%y : memref<5x4xi8>)
      {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 20>}
    return
  }
  // Layers of the same numbers share a kernel.
  // CHECK-LABEL: func.func @second
  // CHECK: call @[[KERNEL]](
  func.func @second(%l: memref<1x2x2xi32>, %w: memref<2x6xi32>, %y: memref<2x4xi8>) {
    tinyattn.packed_linear ins(%l, %w : memref<1x2x2xi32>, memref<2x6xi32>)
      outs(%y : memref<2x4xi8>)
      {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 18>}
    return
  }
  // The row of a panel that does not tell that its rows are odd in number.
  // CHECK-LABEL: func.func @odd
  // CHECK-NOT: call @tf_product
  // CHECK: call @tf_row_product_k4_n4_j24_a1_m1_left(
  func.func @odd(%l: memref<1x2x2xi32>, %w: memref<2x6xi32>, %y: memref<1x2x2xi32>) {
    tinyattn.packed_linear ins(%l, %w : memref<1x2x2xi32>, memref<2x6xi32>)
      outs(%y : memref<1x2x2xi32>)
      {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 20>, odd_rows}
    return
  }
  // Loads stand together, the row that is read first is overwritten last.
  // CHECK-LABEL: func.func private @tf_product_k4_n4_j24_a1_m1_rows(
  // CHECK: armdsp.block
  // CHECK-COUNT-4: armdsp.ldr
  // CHECK-NEXT: %[[X1:.*]] = armdsp.ldr %[[X:.*]] {offset = 4 : i32}
  // CHECK-NEXT: %[[W0:.*]] = armdsp.ldr %[[W:.*]] {offset = 16 : i32}
  // CHECK-NEXT: %[[X0:.*]] = armdsp.ldr %[[X]]
  // CHECK-NEXT: %[[W1:.*]] = armdsp.ldr %[[W]] {offset = 40 : i32}
  // CHECK-NEXT: armdsp.smlad %[[W0]], %[[X1]], %[[INIT:.*]]
  // CHECK-NEXT: armdsp.smlad %[[W0]], %[[X0]], %[[INIT]]
  // One row: as many loads stand together as there are registers for.
  // CHECK-LABEL: func.func private @tf_row_product_k4_n4_j24_a1_m1_rows(
  // CHECK: armdsp.block
  // CHECK-COUNT-10: armdsp.ldr
  // CHECK-NEXT: armdsp.smlad
}

// -----

#m7 = #tinyattn.target<name = "stm32h7", core = "cortex-m7", isa = "armv7e-m",
  cores = 1, memories = [<name = "dtcm", kind = ram, size = 98304>]>

module attributes {tinyattn.target = #m7} {
  // CHECK-LABEL: func.func @alternating
  // CHECK: call @[[KERNEL:tf_product_.*]](
  func.func @alternating(%l: memref<1x2x2xi32>, %w: memref<2x6xi32>, %y: memref<2x4xi8>) {
    tinyattn.packed_linear ins(%l, %w : memref<1x2x2xi32>, memref<2x6xi32>)
      outs(%y : memref<2x4xi8>)
      {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
       requant = #tinyattn.requant<shift = 18>}
    return
  }

  // Rows that are not next to each other in memory have no kernel.
  // CHECK-LABEL: func.func @strided
  // CHECK: tinyattn.pack_rows
  func.func @strided(%x: memref<2x8xi8, strided<[16, 2]>>, %y: memref<1x4x2xi32>) {
    tinyattn.pack_rows ins(%x : memref<2x8xi8, strided<[16, 2]>>)
      outs(%y : memref<1x4x2xi32>)
    return
  }

  // The M7 issues a load beside a multiplication as soon as a register is free:
  // here behind the last product of the first word.
  // CHECK-LABEL: func.func private @tf_product
  // CHECK: armdsp.sxtb16
  // CHECK-NEXT: armdsp.smlad
  // CHECK-NEXT: armdsp.smlad
  // CHECK-NEXT: armdsp.sxtb16
  // CHECK-NEXT: armdsp.smlad
  // CHECK-NEXT: armdsp.smlad
  // CHECK-NEXT: armdsp.ldr
  // CHECK-NEXT: armdsp.smlad
  // CHECK-NEXT: armdsp.ldr
}

// -----

// CHECK-LABEL: func.func @no_target
func.func @no_target(%x: memref<2x8xi8>, %y: memref<1x4x2xi32>) {
  // CHECK: tinyattn.pack_rows
  tinyattn.pack_rows ins(%x : memref<2x8xi8>) outs(%y : memref<1x4x2xi32>)
  return
}
