// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=bufferize -verify-diagnostics

func.func @allocation() {
  // expected-error @below {{'memref.alloc' is illegal after phase 'bufferize'}}
  %a = memref.alloc() : memref<4xi8>
  return
}

// -----

func.func @tensor() {
  // expected-error @below {{'tensor.empty' is illegal after phase 'bufferize'}}
  %a = tensor.empty() : tensor<4xi8>
  return
}
