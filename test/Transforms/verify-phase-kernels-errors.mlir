// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=kernels -verify-diagnostics

func.func @structured_op(%x: memref<4xi8>, %t: memref<256xi8>) {
  // expected-error @below {{'tinyattn.lookup' is illegal after phase 'kernels'}}
  tinyattn.lookup ins(%x, %t : memref<4xi8>, memref<256xi8>) outs(%x : memref<4xi8>)
  return
}

// -----

func.func @copy(%x: memref<4xi8>, %y: memref<4xi8>) {
  // expected-error @below {{'memref.copy' is illegal after phase 'kernels'}}
  memref.copy %x, %y : memref<4xi8> to memref<4xi8>
  return
}
