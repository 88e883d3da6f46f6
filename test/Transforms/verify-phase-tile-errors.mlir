// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=tile -verify-diagnostics

// This one is OK.
func.func @insertion(%a: tensor<1x8xi8>, %i: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %y = tensor.insert_slice %a into %i[1, 0] [1, 8] [1, 1] : tensor<1x8xi8> into tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}

func.func @concatenation(%a: tensor<1x8xi8>) -> tensor<2x8xi8> {
  // expected-error @below {{'tensor.concat' is illegal after phase 'tile'}}
  %y = tensor.concat dim(0) %a, %a : (tensor<1x8xi8>, tensor<1x8xi8>) -> tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @attention(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>, %m: tensor<8xi32>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  // expected-error @below {{'tinyattn.mhsa' is illegal after phase 'tile'}}
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
