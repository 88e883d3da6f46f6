// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @pool_valid(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // This one is OK.
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>
  return
}

func.func @pool_valid_f32(%x: tensor<5x8xf32>, %y: tensor<1x8xf32>) {
  // This one is OK.
  %results = tinyattn.pool ins(%x : tensor<5x8xf32>)
    outs(%y : tensor<1x8xf32>) {kind = #tinyattn.pool_kind<mean>} -> tensor<1x8xf32>
  return
}

func.func @pool_valid_max(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // This one is OK.
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>) {kind = #tinyattn.pool_kind<max>} -> tensor<1x8xi8>
  return
}

func.func @pool_two_destinations(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>, %z: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op expects 1 destination, got 2}}
  %results:2 = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y, %z : tensor<1x8xi8>, tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>, tensor<1x8xi8>
  return
}

// -----

func.func @pool_input_rank(%x: tensor<8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op expects input of rank 2, got shape [8]}}
  %results = tinyattn.pool ins(%x : tensor<8xi8>)
    outs(%y : tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>
  return
}

// -----

func.func @pool_destination_type(%x: tensor<5x8xi8>, %y: tensor<1x8xf32>) {
  // expected-error @below {{'tinyattn.pool' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xf32>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xf32>
  return
}

// -----

func.func @pool_destination_shape(%x: tensor<5x8xi8>, %y: tensor<5x1xi8>) {
  // expected-error @below {{'tinyattn.pool' op expects destination of shape [1, 8], got [5, 1]}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<5x1xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<5x1xi8>
  return
}

// -----

func.func @pool_without_zero_point(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op needs input_zero_point for a mean on i8}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>
  return
}

// -----

func.func @pool_max_with_zero_point(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op takes no input_zero_point but for a mean on i8}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<max>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>
  return
}

// -----

func.func @pool_without_requant(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op needs requant for a mean on i8}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>} -> tensor<1x8xi8>
  return
}

// -----

func.func @pool_max_with_requant(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op takes no requant but for a mean on i8}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {kind = #tinyattn.pool_kind<max>, requant = #tinyattn.requant<multiplier = 819, shift = 12>} -> tensor<1x8xi8>
  return
}

// -----

func.func @pool_without_multiplier(%x: tensor<5x8xi8>, %y: tensor<1x8xi8>) {
  // expected-error @below {{'tinyattn.pool' op needs multiplier in requant on i8}}
  %results = tinyattn.pool ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<1x8xi8>)
    {input_zero_point = 4 : i32, kind = #tinyattn.pool_kind<mean>, requant = #tinyattn.requant<shift = 12>} -> tensor<1x8xi8>
  return
}
