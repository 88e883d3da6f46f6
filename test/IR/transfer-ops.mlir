// RUN: tinyformer-opt %s | tinyformer-opt | FileCheck %s

// CHECK-LABEL: @transfers
// CHECK: %[[N:.*]] = tinyattn.transfer_start %{{.*}} to %{{.*}} : memref<8x4xi32> to memref<8x4xi32>
// CHECK: %[[M:.*]] = tinyattn.transfer_start %{{.*}} to %{{.*}} {outward} : memref<8x4xi32> to memref<8x4xi32, strided<[4, 1], offset: ?>>
// CHECK: tinyattn.transfer_wait %[[N]], %[[M]] of %{{.*}}, %{{.*}} : memref<8x4xi32>, memref<8x4xi32>
func.func @transfers(%far: memref<8x4xi32>, %near: memref<8x4xi32>,
                     %y: memref<8x4xi32, strided<[4, 1], offset: ?>>) {
  %n = tinyattn.transfer_start %far to %near : memref<8x4xi32> to memref<8x4xi32>
  %m = tinyattn.transfer_start %near to %y {outward}
    : memref<8x4xi32> to memref<8x4xi32, strided<[4, 1], offset: ?>>
  tinyattn.transfer_wait %n, %m of %near, %near : memref<8x4xi32>, memref<8x4xi32>
  return
}
