// RUN: tinyformer-opt %s -tinyattn-decompose-attention -verify-diagnostics

func.func @float(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %b: tensor<8xf32>) -> tensor<5x8xf32> {
  // expected-error @below {{'tinyattn.mhsa' op must be quantised before it is decomposed}}
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}
