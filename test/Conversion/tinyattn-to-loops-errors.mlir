// RUN: tinyformer-opt %s -split-input-file -convert-tinyattn-to-loops -verify-diagnostics

func.func @float(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @below {{'tinyattn.lookup' op must be quantised before it is lowered to loops}}
  tinyattn.lookup ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
    {function = #tinyattn.function<gelu>}
  return
}

// -----

func.func @tensors(%x: tensor<4xi8>, %t: tensor<256xi8>) -> tensor<4xi8> {
  // expected-error @below {{works on 'tensor<4xi8>': bufferize it before it is lowered to loops}}
  %y = tinyattn.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>)
    outs(%x : tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

func.func @dynamic(%x: memref<?xi8>, %t: memref<256xi8>) {
  // expected-error @below {{has an operand of dynamic shape 'memref<?xi8>', loops need static shapes}}
  tinyattn.lookup ins(%x, %t : memref<?xi8>, memref<256xi8>) outs(%x : memref<?xi8>)
  return
}

// -----

func.func @unranked_copy(%x: memref<*xi8>, %y: memref<4xi8>) {
  // expected-error @below {{'memref.copy' op works on 'memref<*xi8>': bufferize it before it is lowered to loops}}
  memref.copy %x, %y : memref<*xi8> to memref<4xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @attention(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>, %m: tensor<8xi32>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  // expected-error @below {{'tinyattn.mhsa' op must be decomposed before it is lowered to loops}}
  %y = tinyattn.mhsa %x
    query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    output(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r, key_requant = #r, value_requant = #r,
     scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}
