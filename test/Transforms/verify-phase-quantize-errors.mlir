// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=quantize -verify-diagnostics

// This one is OK.
func.func @integers(%x: tensor<4xi8>, %t: tensor<256xi8>) -> tensor<4xi8> {
  %i = tensor.empty() : tensor<4xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>)
    outs(%i : tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

func.func @floats() {
  // expected-error @below {{'tensor.empty' is illegal after phase 'quantize'}}
  %i = tensor.empty() : tensor<4xf32>
  return
}

// -----

func.func @memrefs(%x: memref<4xi8>, %t: memref<256xi8>) {
  // expected-error @below {{'tinyattn.lookup' is illegal after phase 'quantize'}}
  tinyattn.lookup ins(%x, %t : memref<4xi8>, memref<256xi8>) outs(%x : memref<4xi8>)
  return
}
