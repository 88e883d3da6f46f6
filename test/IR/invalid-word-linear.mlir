// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @width(%x: tensor<3x5xi8>, %w: tensor<2x3xi32>, %y: tensor<3x2xi8>) {
  // expected-error @below {{needs rows of 4 or 5 words for 5 inputs, got 3}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x3xi32>) outs(%y : tensor<3x2xi8>) {requant = #tinyattn.requant<shift = 18>} -> tensor<3x2xi8>
  return
}

// -----

func.func @destination(%x: tensor<3x5xi8>, %w: tensor<2x4xi32>, %y: tensor<2x3xi8>) {
  // expected-error @below {{destination}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x4xi32>) outs(%y : tensor<2x3xi8>) {requant = #tinyattn.requant<shift = 18>} -> tensor<2x3xi8>
  return
}

// -----

func.func @sums_are_words(%x: tensor<3x5xi8>, %w: tensor<2x2xi32>, %y: tensor<3x2xi8>) {
  // expected-error @below {{destination}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x2xi32>) outs(%y : tensor<3x2xi8>) -> tensor<3x2xi8>
  return
}

// -----

func.func @wide(%x: tensor<3x5xi8>, %w: tensor<2x4xi32>, %y: tensor<3x2xi8>) {
  // expected-error @below {{takes no wide requant}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x4xi32>) outs(%y : tensor<3x2xi8>) {requant = #tinyattn.requant<shift = 18, wide = true>} -> tensor<3x2xi8>
  return
}

// -----

func.func @multiplier(%x: tensor<3x5xi8>, %w: tensor<2x4xi32>, %y: tensor<3x2xi8>) {
  // expected-error @below {{takes no multiplier in requant beside those of its weights, got 5}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x4xi32>) outs(%y : tensor<3x2xi8>) {requant = #tinyattn.requant<multiplier = 5, shift = 18>} -> tensor<3x2xi8>
  return
}

// -----

func.func @heads(%x: tensor<3x5xi8>, %w: tensor<5x4xi32>, %y: tensor<2x3x2xi8>) {
  // expected-error @below {{cannot split 5 channels into 2 heads}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<5x4xi32>) outs(%y : tensor<2x3x2xi8>) {heads = 2 : i64, requant = #tinyattn.requant<shift = 18>} -> tensor<2x3x2xi8>
  return
}

// -----

func.func @transposed(%x: tensor<3x5xi8>, %w: tensor<2x4xi32>, %y: tensor<2x3xi8>) {
  // expected-error @below {{needs heads where it is transposed}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x4xi32>) outs(%y : tensor<2x3xi8>) {transposed, requant = #tinyattn.requant<shift = 18>} -> tensor<2x3xi8>
  return
}

// -----

func.func @heads_of_sums(%x: tensor<3x5xi8>, %w: tensor<2x2xi32>, %y: tensor<2x3x1xi32>) {
  // expected-error @below {{needs requant where it has heads}}
  %0 = tinyattn.word_linear ins(%x, %w : tensor<3x5xi8>, tensor<2x2xi32>) outs(%y : tensor<2x3x1xi32>) {heads = 2 : i64} -> tensor<2x3x1xi32>
  return
}
