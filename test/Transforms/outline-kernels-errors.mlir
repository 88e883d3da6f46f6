// RUN: tinyformer-opt %s -split-input-file -tinyattn-outline-kernels -verify-diagnostics

func.func @tensors(%x: tensor<8xi8>, %t: tensor<256xi8>, %i: tensor<8xi8>) {
  // expected-error @below {{'tinyattn.lookup' op works on 'tensor<8xi8>': bufferize it before it is outlined}}
  %y = tinyattn.lookup ins(%x, %t : tensor<8xi8>, tensor<256xi8>)
    outs(%i : tensor<8xi8>) -> tensor<8xi8>
  return
}

// -----

// A bare pointer cannot carry an offset that is known at run time only, and
// nothing is known of what this is a slice of.
func.func @dynamic_offset(%a: memref<2xi8, strided<[1], offset: ?>>, %y: memref<2xi8>) {
  // expected-error @below {{has an operand of type 'memref<2xi8, strided<[1], offset: ?>>', expected static sizes, strides and offset or a slice of such}}
  memref.copy %a, %y : memref<2xi8, strided<[1], offset: ?>> to memref<2xi8>
  return
}

// -----

func.func @dynamic_size(%x: memref<8xi8>, %n: index, %y: memref<?xi8>) {
  %a = memref.subview %x[0] [%n] [1] : memref<8xi8> to memref<?xi8, strided<[1]>>
  // expected-error @below {{has an operand of type 'memref<?xi8, strided<[1]>>', expected static sizes}}
  memref.copy %a, %y : memref<?xi8, strided<[1]>> to memref<?xi8>
  return
}
