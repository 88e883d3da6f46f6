// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @linear_valid(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // This one is OK.
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

func.func @linear_valid_f32(%x: tensor<5x8xf32>, %w: tensor<12x8xf32>,
    %b: tensor<12xf32>, %y: tensor<5x12xf32>) {
  // This one is OK.
  %results = tinyattn.linear ins(%x, %w, %b : tensor<5x8xf32>, tensor<12x8xf32>, tensor<12xf32>)
    outs(%y : tensor<5x12xf32>) -> tensor<5x12xf32>
  return
}

func.func @linear_two_destinations(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>,
    %z: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects 1 destination, got 2}}
  %results:2 = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y, %z : tensor<5x12xi8>, tensor<5x12xi8>)
    {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>, tensor<5x12xi8>
  return
}

// -----

func.func @linear_mixture(%x: memref<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op mixes tensors and memrefs}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : memref<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_input_rank(%x: tensor<1x5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects input of rank 2, got shape [1, 5, 8]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<1x5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_weight_rank(%x: tensor<5x8xi8>, %w: tensor<12xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects weight of rank 2, got shape [12]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_weight_shape(%x: tensor<5x8xi8>, %w: tensor<12x7xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects weight of shape [12, 8], got [12, 7]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x7xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_weight_type(%x: tensor<5x8xi8>, %w: tensor<12x8xf32>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects elements of type 'i8' in weight, got 'f32'}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xf32>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_bias_type(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xf32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects elements of type 'i32' in bias, got 'f32'}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xf32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_bias_shape(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<11xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects bias of shape [12], got [11]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<11xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_without_multipliers(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op needs multipliers on i8}}
  %results = tinyattn.linear ins(%x, %w, %b : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_with_multipliers(%x: tensor<5x8xf32>, %w: tensor<12x8xf32>,
    %b: tensor<12xf32>, %m: tensor<12xi32>, %y: tensor<5x12xf32>) {
  // expected-error @below {{'tinyattn.linear' op takes no multipliers on f32}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xf32>, tensor<12x8xf32>, tensor<12xf32>, tensor<12xi32>)
    outs(%y : tensor<5x12xf32>) -> tensor<5x12xf32>
  return
}

// -----

func.func @linear_multipliers_shape(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<1xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects multipliers of shape [12], got [1]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<1xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_destination_type(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xf32>) {
  // expected-error @below {{'tinyattn.linear' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xf32>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xf32>
  return
}

// -----

func.func @linear_without_requant(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op needs requant on i8}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>) -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_with_requant(%x: tensor<5x8xf32>, %w: tensor<12x8xf32>,
    %b: tensor<12xf32>, %y: tensor<5x12xf32>) {
  // expected-error @below {{'tinyattn.linear' op takes no requant on f32}}
  %results = tinyattn.linear ins(%x, %w, %b : tensor<5x8xf32>, tensor<12x8xf32>, tensor<12xf32>)
    outs(%y : tensor<5x12xf32>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xf32>
  return
}

// -----

func.func @linear_own_multiplier(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op takes no multiplier in requant beside its own multipliers}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>)
    {requant = #tinyattn.requant<multiplier = 3, shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @linear_destination_shape(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x13xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects destination of shape [5, 12], got [5, 13]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x13xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x13xi8>
  return
}

// -----

func.func @linear_valid_heads(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<3x5x4xi8>) {
  // This one is OK.
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<3x5x4xi8>)
    {heads = 3 : i64, requant = #tinyattn.requant<shift = 16>} -> tensor<3x5x4xi8>
  return
}

func.func @linear_heads(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<3x5x4xi8>) {
  // expected-error @below {{'tinyattn.linear' op cannot split 12 channels into 5 heads}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<3x5x4xi8>)
    {heads = 5 : i64, requant = #tinyattn.requant<shift = 16>} -> tensor<3x5x4xi8>
  return
}

// -----

func.func @linear_no_heads(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<3x5x4xi8>) {
  // expected-error @below {{'tinyattn.linear' op cannot split 12 channels into 0 heads}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<3x5x4xi8>)
    {heads = 0 : i64, requant = #tinyattn.requant<shift = 16>} -> tensor<3x5x4xi8>
  return
}

// -----

func.func @linear_heads_shape(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>,
    %b: tensor<12xi32>, %m: tensor<12xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.linear' op expects destination of shape [3, 5, 4], got [5, 12]}}
  %results = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    outs(%y : tensor<5x12xi8>)
    {heads = 3 : i64, requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}
