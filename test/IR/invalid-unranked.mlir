// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @structured(%x: tensor<*xi8>, %t: tensor<256xi8>) {
  // expected-error @below {{operand #0 must be ranked tensor or memref of}}
  %y = tinyattn.lookup ins(%x, %t : tensor<*xi8>, tensor<256xi8>)
    outs(%x : tensor<*xi8>) -> tensor<*xi8>
  return
}

// -----

func.func @attention(%x: tensor<*xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) {
  // expected-error @+7 {{invalid kind of type specified: expected builtin.tensor, but found}}
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<*xf32> -> tensor<5x8xf32>
  return
}
