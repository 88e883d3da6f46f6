// RUN: tinyformer-opt %s -split-input-file -tinyattn-quantize -verify-diagnostics

func.func @argument_without_range(
    // expected-error @+1 {{value has no range ('tinyattn.range')}}
    %x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}

// -----

func.func @layer_without_range(
    %x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>}) -> tensor<1x2xf32> {
  %init = tensor.empty() : tensor<1x2xf32>
  // expected-error @+1 {{value has no range ('tinyattn.range')}}
  %y = tinyattn.add ins(%x, %x : tensor<1x2xf32>, tensor<1x2xf32>)
    outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// expected-error @+1 {{argument 0 must be a tensor of f32, or of i32 for ids, to be quantised}}
func.func @mixture(%x: tensor<1x2xi8>, %y: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %y : tensor<1x2xf32>
}

// -----

// expected-error @+1 {{argument 0 has integers already, but no 'tinyattn.scale' and 'tinyattn.zero_point'}}
func.func @integers(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  return %x : tensor<1x2xi8>
}

// -----

func.func @weight_that_is_no_constant(
    %x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>},
    %w: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{weight must be an f32 constant}}
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: 0.0, 5.1>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @nan(%x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0, 0x7FC00000]]> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{weight holds NaN or infinity}}
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: 0.0, 5.1>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// 70000 products of -128 and 127 do not fit 32 bits.
func.func @too_deep(
    %x: tensor<1x140000xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x140000xf32>
  %b = arith.constant dense<0.0> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{cannot requantise weight: accumulators reach 2275840000 (at most 2147483647 fit)}}
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x140000xf32>, tensor<1x140000xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: -9.0, 9.0>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @no_integer_form(
    %x: tensor<2x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>}) -> tensor<2x2xf32> {
  // expected-error @+1 {{has no int8 form}}
  %y = arith.addf %x, %x : tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @attention_without_ranges(
    %x: tensor<3x4xf32> {tinyattn.range = array<f64: -1.0, 1.0>}) -> tensor<3x4xf32> {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %b = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{has no 'tinyattn.query_absmax'}}
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    key(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    value(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    output(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    {heads = 2 : i64, scale = 1.0 : f32, tinyattn.range = array<f64: -1.0, 1.0>,
     tinyattn.key_absmax = array<f64: 1.0, 1.0>, tinyattn.value_absmax = array<f64: 1.0, 1.0>}
    : tensor<3x4xf32> -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

func.func @attention_with_ranges_of_other_heads(
    %x: tensor<3x4xf32> {tinyattn.range = array<f64: -1.0, 1.0>}) -> tensor<3x4xf32> {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %b = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{expects 2 values in 'tinyattn.query_absmax', got 1}}
  %y = tinyattn.mhsa %x
    query(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    key(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    value(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    output(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
    {heads = 2 : i64, scale = 1.0 : f32, tinyattn.range = array<f64: -1.0, 1.0>,
     tinyattn.query_absmax = array<f64: 1.0>,
     tinyattn.key_absmax = array<f64: 1.0, 1.0>, tinyattn.value_absmax = array<f64: 1.0, 1.0>}
    : tensor<3x4xf32> -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

func.func @weight_between_multiples(%x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant {tinyattn.weight_scales = array<f64: 0.25>} dense<[[0.5, 0.6]]> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{weight holds 6.000000e-01 in row 0, which is no multiple of its scale 2.500000e-01 within [-127, 127]}}
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: 0.0, 5.1>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @too_many_scales(%x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant {tinyattn.weight_scales = array<f64: 0.25, 0.25>} dense<[[0.5, 0.75]]> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{weight has 1 rows, but 2 values in 'tinyattn.weight_scales'}}
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: 0.0, 5.1>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
