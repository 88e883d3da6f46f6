// RUN: tinyformer-opt %s -split-input-file -tinyattn-insert-transfers | FileCheck %s

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072, reserved = 8256>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

module attributes {tinyattn.target = #gap9} {
  memref.global "private" constant @table : memref<256xi8> = dense<1>
  memref.global "private" constant @w : memref<512x18xi32> = dense<1>

  // The input and the first weights come at once. The weights are more than a
  // part of 16 KiB: each part arrives while the one before is used. The table
  // is there when it is needed, and the result goes when it is complete.
  // CHECK-LABEL: func.func @ahead(
  // CHECK-SAME: %[[X:[^:]*]]: memref<8x64xi8>, %[[Y:[^:]*]]: memref<8x512xi8>)
  // CHECK-DAG: %[[W:.*]] = memref.get_global @w
  // CHECK-DAG: %[[T:.*]] = memref.get_global @table
  // CHECK: %[[IN:.*]] = tinyattn.transfer_start %[[X]] to %[[X1:.*]] :
  // CHECK: %[[FIRST:.*]] = memref.subview %[[W]][0, 0] [172, 18]
  // CHECK: %[[N1:.*]] = tinyattn.transfer_start %[[FIRST]] to %[[W1:.*]] :
  // CHECK: tinyattn.transfer_wait %[[IN]], %[[N1]] of %[[X1]], %[[W1]]
  // CHECK: %[[TABLE:.*]] = tinyattn.transfer_start %[[T]] to %[[T1:.*]] :
  // CHECK: %[[SECOND:.*]] = memref.subview %[[W]][172, 0] [172, 18]
  // CHECK: %[[N2:.*]] = tinyattn.transfer_start %[[SECOND]] to %[[W2:.*]] :
  // CHECK: tinyattn.word_linear ins(%[[X1]], %[[W1]] {{.*}} outs(%{{.*}} : memref<8x172xi8
  // CHECK: tinyattn.transfer_wait %[[N2]] of %[[W2]]
  // CHECK: %[[N3:.*]] = tinyattn.transfer_start %{{.*}} to %[[W3:.*]] :
  // CHECK: tinyattn.word_linear ins(%[[X1]], %[[W2]]
  // CHECK: tinyattn.transfer_wait %[[N3]] of %[[W3]]
  // CHECK: tinyattn.word_linear ins(%[[X1]], %[[W3]] {{.*}} outs(%{{.*}} : memref<8x168xi8
  // CHECK: tinyattn.transfer_wait %[[TABLE]] of %[[T1]]
  // CHECK: tinyattn.lookup ins(%{{.*}}, %[[T1]] {{.*}} outs(%[[Y1:.*]] :
  // CHECK: %[[OUT:.*]] = tinyattn.transfer_start %[[Y1]] to %[[Y]] {outward}
  // CHECK: tinyattn.transfer_wait %[[OUT]] of %[[Y1]]
  // CHECK-NEXT: return
  func.func @ahead(%x: memref<8x64xi8>, %y: memref<8x512xi8>) {
    %t = memref.get_global @table : memref<256xi8>
    %w = memref.get_global @w : memref<512x18xi32>
    %a = memref.alloc() : memref<8x512xi8>
    tinyattn.word_linear ins(%x, %w : memref<8x64xi8>, memref<512x18xi32>)
      outs(%a : memref<8x512xi8>) {requant = #tinyattn.requant<shift = 20>}
    tinyattn.lookup ins(%a, %t : memref<8x512xi8>, memref<256xi8>)
      outs(%y : memref<8x512xi8>)
    return
  }
}

// -----

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072, reserved = 8256>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

module attributes {tinyattn.target = #gap9} {
  memref.global "private" constant @w : memref<512x18xi32> = dense<1>

  // In a loop: weights of all heads before it.
  // CHECK-LABEL: func.func @loop(
  // CHECK: %[[N:.*]] = tinyattn.transfer_start %{{.*}} to %[[W:.*]] : memref<512x18xi32>
  // CHECK: tinyattn.transfer_wait %{{.*}}%[[N]] of %{{.*}}%[[W]]
  // CHECK: scf.for
  // CHECK-NOT: transfer
  // CHECK: %[[HEAD:.*]] = memref.subview %[[W]]
  // CHECK: tinyattn.word_linear ins(%{{.*}}, %[[HEAD]]
  // CHECK: }
  func.func @loop(%x: memref<8x64xi8>, %y: memref<8x64xi8>) {
    %w = memref.get_global @w : memref<512x18xi32>
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c512 step %c64 {
      %head = memref.subview %w[%i, 0] [64, 18] [1, 1]
        : memref<512x18xi32> to memref<64x18xi32, strided<[18, 1], offset: ?>>
      tinyattn.word_linear ins(%x, %head
          : memref<8x64xi8>, memref<64x18xi32, strided<[18, 1], offset: ?>>)
        outs(%y : memref<8x64xi8>) {requant = #tinyattn.requant<shift = 20>}
    }
    return
  }
}

// -----

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072, reserved = 8256>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

module attributes {tinyattn.target = #gap9} {
  // Too little to be worth it.
  // CHECK-LABEL: func.func @few(
  // CHECK-NOT: transfer
  func.func @few(%x: memref<8xi8>, %y: memref<8xi8>) {
    memref.copy %x, %y : memref<8xi8> to memref<8xi8>
    return
  }
}

// -----

#small = #tinyattn.target<name = "small", core = "ri5cy", isa = "xpulpv2",
  cores = 1, memories = [<name = "l1", kind = ram, size = 16384>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

// Not all heads have room: one at a time, and the step before it in the loop
// hides what comes.
// CHECK-LABEL: func.func @part_by_part(
// CHECK: scf.for %[[I:.*]] =
// CHECK: %[[HEAD:.*]] = memref.subview %{{.*}}[%[[I]], 0] [64, 18]
// CHECK: %[[N:.*]] = tinyattn.transfer_start %[[HEAD]] to %[[W:.*]] : {{.*}} to memref<64x18xi32>
// CHECK: memref.copy
// CHECK: tinyattn.transfer_wait %[[N]] of %[[W]]
// CHECK: tinyattn.word_linear ins(%{{.*}}, %[[W]]
module attributes {tinyattn.target = #small} {
  memref.global "private" constant @w : memref<512x18xi32> = dense<1>
  func.func @part_by_part(%x: memref<1x64xi8>, %y: memref<1x64xi8>) {
    %w = memref.get_global @w : memref<512x18xi32>
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c512 = arith.constant 512 : index
    scf.for %i = %c0 to %c512 step %c64 {
      %a = memref.alloc() : memref<1x64xi8>
      memref.copy %x, %a : memref<1x64xi8> to memref<1x64xi8>
      %head = memref.subview %w[%i, 0] [64, 18] [1, 1]
        : memref<512x18xi32> to memref<64x18xi32, strided<[18, 1], offset: ?>>
      tinyattn.word_linear ins(%a, %head
          : memref<1x64xi8>, memref<64x18xi32, strided<[18, 1], offset: ?>>)
        outs(%y : memref<1x64xi8>) {requant = #tinyattn.requant<shift = 20>}
    }
    return
  }
}
