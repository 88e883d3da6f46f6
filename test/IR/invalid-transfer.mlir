// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @shapes(%x: memref<8x4xi8>, %y: memref<4x8xi8>) {
  // expected-error @below {{copies between different shapes: 'memref<8x4xi8>' and 'memref<4x8xi8>'}}
  %n = tinyattn.transfer_start %x to %y : memref<8x4xi8> to memref<4x8xi8>
  return
}

// -----

func.func @gaps(%x: memref<8x4xi8, strided<[8, 1]>>, %y: memref<8x4xi8>) {
  // expected-error @below {{source must have no gaps}}
  %n = tinyattn.transfer_start %x to %y
    : memref<8x4xi8, strided<[8, 1]>> to memref<8x4xi8>
  return
}

// -----

func.func @dynamic(%x: memref<?xi8>, %y: memref<?xi8>) {
  // expected-error @below {{source needs a static shape}}
  %n = tinyattn.transfer_start %x to %y : memref<?xi8> to memref<?xi8>
  return
}
