// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @add_valid(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // This one is OK.
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}

func.func @add_valid_f32(%a: tensor<5x8xf32>, %b: tensor<5x8xf32>, %y: tensor<5x8xf32>) {
  // This one is OK.
  %results = tinyattn.add ins(%a, %b : tensor<5x8xf32>, tensor<5x8xf32>)
    outs(%y : tensor<5x8xf32>) -> tensor<5x8xf32>
  return
}

func.func @add_two_destinations(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>,
    %y: tensor<5x8xi8>, %z: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op expects 1 destination, got 2}}
  %results:2 = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y, %z : tensor<5x8xi8>, tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>, tensor<5x8xi8>
  return
}

// -----

func.func @add_rhs_type(%a: tensor<5x8xi8>, %b: tensor<5x8xf32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xf32>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_rhs_shape(%a: tensor<5x8xi8>, %b: tensor<1x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op expects rhs of shape [5, 8], got [1, 8]}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<1x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_destination_shape(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<8x5xi8>) {
  // expected-error @below {{'tinyattn.add' op expects destination of shape [5, 8], got [8, 5]}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<8x5xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<8x5xi8>
  return
}

// -----

func.func @add_without_requant(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op needs requant on i8}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>) {multipliers = array<i32: 9, 12>, offset = 0 : i32} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_own_multiplier(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op takes no multiplier in requant beside its own multipliers}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, offset = 0 : i32, requant = #tinyattn.requant<multiplier = 3, shift = 14>} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_without_multipliers(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op needs multipliers on i8}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_with_multipliers(%a: tensor<5x8xf32>, %b: tensor<5x8xf32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.add' op takes no multipliers on f32}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xf32>, tensor<5x8xf32>)
    outs(%y : tensor<5x8xf32>) {multipliers = array<i32: 9, 12>} -> tensor<5x8xf32>
  return
}

// -----

func.func @add_without_offset(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op needs offset on i8}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12>, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}

// -----

func.func @add_with_offset(%a: tensor<5x8xf32>, %b: tensor<5x8xf32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.add' op takes no offset on f32}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xf32>, tensor<5x8xf32>)
    outs(%y : tensor<5x8xf32>) {offset = 0 : i32} -> tensor<5x8xf32>
  return
}

// -----

func.func @add_three_multipliers(%a: tensor<5x8xi8>, %b: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.add' op expects 2 multipliers, got 3}}
  %results = tinyattn.add ins(%a, %b : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 12, 15>, offset = 0 : i32, requant = #tinyattn.requant<shift = 14>} -> tensor<5x8xi8>
  return
}
