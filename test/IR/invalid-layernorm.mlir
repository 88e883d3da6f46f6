// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @layernorm_valid(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // This one is OK.
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

func.func @layernorm_valid_f32(%x: tensor<5x8xf32>, %g: tensor<8xf32>,
    %b: tensor<8xf32>, %y: tensor<5x8xf32>) {
  // This one is OK.
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xf32>, tensor<8xf32>, tensor<8xf32>)
    outs(%y : tensor<5x8xf32>) {epsilon = 1.000000e-05 : f32} -> tensor<5x8xf32>
  return
}

func.func @layernorm_two_destinations(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>, %z: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects 1 destination, got 2}}
  %results:2 = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y, %z : tensor<5x8xi8>, tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>, tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_input_rank(%x: tensor<8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects input of rank 2, got shape [8]}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_destination_type(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.layernorm' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xf32>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xf32>
  return
}

// -----

func.func @layernorm_empty_row(%x: tensor<5x0xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects rows of 1 to 4096 elements, got 0}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x0xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_long_row(%x: tensor<5x4097xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects rows of 1 to 4096 elements, got 4097}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x4097xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_destination_shape(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<8x5xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects destination of shape [5, 8], got [8, 5]}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<8x5xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<8x5xi8>
  return
}

// -----

func.func @layernorm_weight_type(%x: tensor<5x8xi8>, %g: tensor<8xf32>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects elements of type 'i16' in weight, got 'f32'}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xf32>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_weight_shape(%x: tensor<5x8xi8>, %g: tensor<5xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects weight of shape [8], got [5]}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<5xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_bias_type(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xf32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects elements of type 'i32' in bias, got 'f32'}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xf32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_bias_shape(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<5xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects bias of shape [8], got [5]}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<5xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_without_requant(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op needs requant on i8}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>) {variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_own_multiplier(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op takes no multiplier in requant beside its own multipliers}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<multiplier = 3, shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_without_variance_epsilon(%x: tensor<5x8xi8>,
    %g: tensor<8xi16>, %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op needs variance_epsilon on i8}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>) {requant = #tinyattn.requant<shift = 18>} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_with_variance_epsilon(%x: tensor<5x8xf32>,
    %g: tensor<8xf32>, %b: tensor<8xf32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.layernorm' op takes no variance_epsilon on f32}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xf32>, tensor<8xf32>, tensor<8xf32>)
    outs(%y : tensor<5x8xf32>)
    {epsilon = 1.000000e-05 : f32, variance_epsilon = 1 : i64} -> tensor<5x8xf32>
  return
}

// -----

func.func @layernorm_without_epsilon(%x: tensor<5x8xf32>, %g: tensor<8xf32>,
    %b: tensor<8xf32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.layernorm' op needs epsilon on f32}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xf32>, tensor<8xf32>, tensor<8xf32>)
    outs(%y : tensor<5x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @layernorm_with_epsilon(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op takes no epsilon on i8}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {epsilon = 1.000000e-05 : f32, requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_epsilon_zero(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects a variance_epsilon in [1, 1099511627776], got 0}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 0 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_epsilon_large(%x: tensor<5x8xi8>, %g: tensor<8xi16>,
    %b: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.layernorm' op expects a variance_epsilon in [1, 1099511627776], got 1099511627777}}
  %results = tinyattn.layernorm ins(%x, %g, %b : tensor<5x8xi8>, tensor<8xi16>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1099511627777 : i64} -> tensor<5x8xi8>
  return
}
