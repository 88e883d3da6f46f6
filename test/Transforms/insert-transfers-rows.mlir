// RUN: tinyformer-opt %s -tinyattn-insert-transfers | FileCheck %s

// 96 rows of 64 bytes do not fit beside each other: both come and go by 24. The
// second part comes while the first is computed. What a part writes is gone
// before the part after the next, or at the end, and the next layer gets its
// first rows only then.

#little = #tinyattn.target<name = "little", core = "ri5cy", isa = "xpulpv2",
  cores = 1, memories = [<name = "l1", kind = ram, size = 8192>,
                         <name = "l2", kind = ram, size = 1572864>],
  dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>

module attributes {tinyattn.target = #little} {
  memref.global "private" constant @t : memref<256xi8> = dense<1>

  // CHECK-LABEL: func.func @rows(
  // CHECK-SAME: %[[X:[^:]*]]: memref<96x64xi8>, %[[Y:[^:]*]]: memref<96x64xi8>)
  // CHECK: %[[A:.*]] = memref.alloc() : memref<96x64xi8>
  // CHECK: %[[X0:.*]] = memref.subview %[[X]][0, 0] [24, 64]
  // CHECK: tinyattn.transfer_start %[[X0]] to %[[NEAR0:.*]] : {{.*}} to memref<24x64xi8>
  // CHECK: tinyattn.transfer_wait
  // CHECK: %[[X1:.*]] = memref.subview %[[X]][24, 0]
  // CHECK: %[[N1:.*]] = tinyattn.transfer_start %[[X1]] to %[[NEAR1:.*]] :
  // CHECK: tinyattn.lookup ins(%[[NEAR0]], {{.*}} outs(%[[OUT0:.*]] :
  // CHECK: %[[GONE0:.*]] = tinyattn.transfer_start %[[OUT0]] to %{{.*}} {outward}
  // CHECK: tinyattn.transfer_wait %[[N1]] of %[[NEAR1]]
  // CHECK: tinyattn.lookup ins(%[[NEAR1]]
  // CHECK: tinyattn.transfer_wait {{.*}}%[[GONE0]]
  func.func @rows(%x: memref<96x64xi8>, %y: memref<96x64xi8>) {
    %t = memref.get_global @t : memref<256xi8>
    %a = memref.alloc() : memref<96x64xi8>
    tinyattn.lookup ins(%x, %t : memref<96x64xi8>, memref<256xi8>)
      outs(%a : memref<96x64xi8>)
    tinyattn.lookup ins(%a, %t : memref<96x64xi8>, memref<256xi8>)
      outs(%y : memref<96x64xi8>)
    return
  }
}
