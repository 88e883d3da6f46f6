// RUN: tinyformer-opt %s -split-input-file -tinyattn-fuse-weights=mode=always -verify-diagnostics

func.func @weights_that_are_no_constants(%x: tensor<3x2xf32>, %w: tensor<2x2xf32>,
    %b: tensor<2xf32>) -> tensor<3x2xf32> {
  // expected-error @+1 {{needs constant weights to be fused}}
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<2x2xf32>, tensor<2xf32>)
    key(%w, %b : tensor<2x2xf32>, tensor<2xf32>)
    value(%w, %b : tensor<2x2xf32>, tensor<2xf32>)
    output(%w, %b : tensor<2x2xf32>, tensor<2xf32>)
    {heads = 1 : i64, scale = 1.0 : f32} : tensor<3x2xf32> -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

func.func @integers(%x: tensor<3x2xi8>, %w: tensor<2x2xi8>, %b: tensor<2xi32>,
    %h: tensor<1xi32>, %t: tensor<256xi8>) -> tensor<3x2xi8> {
  // expected-error @+1 {{must be fused before it is quantised}}
  %y = tinyattn.mhsa %x
    query(%w, %b, %b : tensor<2x2xi8>, tensor<2xi32>, tensor<2xi32>)
    key(%w, %b, %b : tensor<2x2xi8>, tensor<2xi32>, tensor<2xi32>)
    value(%w, %b, %b : tensor<2x2xi8>, tensor<2xi32>, tensor<2xi32>)
    output(%w, %b, %b : tensor<2x2xi8>, tensor<2xi32>, tensor<2xi32>)
    scores(%h : tensor<1xi32>) exp(%t : tensor<256xi8>)
    context(%h : tensor<1xi32>)
    {heads = 1 : i64, query_requant = #tinyattn.requant<shift = 8>,
     key_requant = #tinyattn.requant<shift = 8>,
     value_requant = #tinyattn.requant<shift = 8>,
     scores_requant = #tinyattn.requant<shift = 8>,
     context_requant = #tinyattn.requant<shift = 8>,
     output_requant = #tinyattn.requant<shift = 8>}
    : tensor<3x2xi8> -> tensor<3x2xi8>
  return %y : tensor<3x2xi8>
}
