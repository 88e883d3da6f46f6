// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @transpose_valid(%x: tensor<5x8xi8>, %y: tensor<8x5xi8>) {
  // This one is OK.
  %r = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%y : tensor<8x5xi8>) -> tensor<8x5xi8>
  return
}

func.func @transpose_rank(%x: tensor<1x5x8xi8>, %y: tensor<8x5xi8>) {
  // expected-error @below {{'tinyattn.transpose' op expects input of rank 2, got shape [1, 5, 8]}}
  %r = tinyattn.transpose ins(%x : tensor<1x5x8xi8>) outs(%y : tensor<8x5xi8>) -> tensor<8x5xi8>
  return
}

// -----

func.func @transpose_shape(%x: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.transpose' op expects destination of shape [8, 5], got [5, 8]}}
  %r = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @transpose_type(%x: tensor<5x8xi8>, %y: tensor<8x5xf32>) {
  // expected-error @below {{'tinyattn.transpose' op expects elements of type 'i8' in every activation, got 'f32'}}
  %r = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%y : tensor<8x5xf32>) -> tensor<8x5xf32>
  return
}

// -----

func.func @transpose_destinations(%x: tensor<5x8xi8>, %y: tensor<8x5xi8>) {
  // expected-error @below {{'tinyattn.transpose' op expects 1 destination, got 2}}
  %r:2 = tinyattn.transpose ins(%x : tensor<5x8xi8>) outs(%y, %y : tensor<8x5xi8>, tensor<8x5xi8>) -> tensor<8x5xi8>, tensor<8x5xi8>
  return
}
