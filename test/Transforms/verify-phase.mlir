// RUN: tinyformer-opt %s -tinyattn-verify-phase=phase=bufferize | FileCheck %s
// RUN: tinyformer-opt %s -tinyattn-outline-kernels -convert-tinyattn-to-loops -tinyattn-verify-phase=phase=kernels
// RUN: tinyformer-opt %s -tinyformer-kernels -tinyformer-llvm -tinyattn-verify-phase=phase=llvm

// CHECK-LABEL: @bufferized
func.func @bufferized(%x: memref<8xi8>, %t: memref<256xi8>, %arena: memref<8xi8>) {
  %c0 = arith.constant 0 : index
  %y = memref.view %arena[%c0][] : memref<8xi8> to memref<8xi8>
  tinyattn.lookup ins(%x, %t : memref<8xi8>, memref<256xi8>) outs(%y : memref<8xi8>)
  memref.copy %y, %x : memref<8xi8> to memref<8xi8>
  return
}
