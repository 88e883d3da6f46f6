// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics -convert-tinyattn-transfers-to-calls | FileCheck %s

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

module attributes {tinyattn.target = #gap9} {
  memref.global "private" constant @w : memref<8x4xi32> = dense<1>

  // Core 0 starts and waits, the others meet it at the barrier.
  // CHECK-LABEL: func.func @net(
  // CHECK: %[[IN:.*]] = scf.if %{{.*}} -> (i32) {
  // CHECK: %[[BYTES:.*]] = arith.constant 64 : i32
  // CHECK: %[[NUMBER:.*]] = func.call @tf_dma_to_l1(%{{.*}}, %{{.*}}, %[[BYTES]]) : (i32, i32, i32) -> i32
  // CHECK: scf.yield %[[NUMBER]]
  // CHECK: %[[OUT:.*]] = scf.if
  // CHECK: func.call @tf_dma_to_l2(
  // CHECK: call @tf_core_id
  // CHECK: scf.if
  // CHECK-NEXT: func.call @tf_dma_wait(%[[IN]])
  // CHECK-NEXT: func.call @tf_dma_wait(%[[OUT]])
  // CHECK-NEXT: }
  // CHECK-NEXT: call @tf_barrier()
  func.func @net(%near: memref<4x4xi32>, %y: memref<4x4xi32>) {
    %w = memref.get_global @w : memref<8x4xi32>
    %half = memref.subview %w[4, 0] [4, 4] [1, 1]
      : memref<8x4xi32> to memref<4x4xi32, strided<[4, 1], offset: 16>>
    %n = tinyattn.transfer_start %half to %near
      : memref<4x4xi32, strided<[4, 1], offset: 16>> to memref<4x4xi32>
    %m = tinyattn.transfer_start %near to %y {outward}
      : memref<4x4xi32> to memref<4x4xi32>
    tinyattn.transfer_wait %n, %m of %near, %near : memref<4x4xi32>, memref<4x4xi32>
    return
  }
}

// -----

#one = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 1, memories = [<name = "l1", kind = ram, size = 131072>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

// One core does not ask who it is.
// CHECK-LABEL: func.func @alone(
// CHECK-NOT: scf.if
// CHECK: %[[N:.*]] = call @tf_dma_to_l1(
// CHECK-NEXT: call @tf_dma_wait(%[[N]])
// CHECK-NOT: tf_barrier
module attributes {tinyattn.target = #one} {
  func.func @alone(%x: memref<64xi8>, %near: memref<64xi8>) {
    %n = tinyattn.transfer_start %x to %near : memref<64xi8> to memref<64xi8>
    tinyattn.transfer_wait %n of %near : memref<64xi8>
    return
  }
}

// -----

func.func @no_dma(%x: memref<64xi8>, %near: memref<64xi8>) {
  // expected-error @below {{'tinyattn.transfer_start' op needs a target with a DMA}}
  %n = tinyattn.transfer_start %x to %near : memref<64xi8> to memref<64xi8>
  tinyattn.transfer_wait %n of %near : memref<64xi8>
  return
}
