// RUN: tinyformer-opt %s -convert-tinyattn-to-xpulp | FileCheck %s

// Cores that share 16 banks of memory load one row of a tile after the other.

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2", cores = 8,
  memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  // The third row of 32 bytes begins in the bank of the first one: it is loaded
  // eight instructions later.
  func.func @meet(%x: memref<4x32xi8>, %w: memref<4x10xi32>, %y: memref<4x4xi8>) {
    tinyattn.word_linear ins(%x, %w : memref<4x32xi8>, memref<4x10xi32>)
      outs(%y : memref<4x4xi8>) {requant = #tinyattn.requant<shift = 20>}
    return
  }
  // Rows of 36 bytes all begin in other banks.
  func.func @pass(%x: memref<4x36xi8>, %w: memref<4x11xi32>, %y: memref<4x4xi8>) {
    tinyattn.word_linear ins(%x, %w : memref<4x36xi8>, memref<4x11xi32>)
      outs(%y : memref<4x4xi8>) {requant = #tinyattn.requant<shift = 20>}
    return
  }

  // CHECK-LABEL: func.func private @tf_product_4xn0_k32_s32_40
  // CHECK-COUNT-4: xpulp.p.lw_post
  // CHECK-COUNT-4: xpulp.pv.dotsp.b
  // CHECK-COUNT-2: xpulp.p.lw_post
  // CHECK-NEXT: xpulp.pv.dotsp.b

  // CHECK-LABEL: func.func private @tf_product_4xn0_k36_s36_44
  // CHECK-COUNT-6: xpulp.p.lw_post
  // CHECK-NEXT: xpulp.pv.dotsp.b
}
