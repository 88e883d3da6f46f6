// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @conv_valid(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // This one is OK.
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

func.func @conv_valid_f32(%x: tensor<6x8x3xf32>, %w: tensor<4x2x2x3xf32>,
    %b: tensor<4xf32>, %y: tensor<3x4x4xf32>) {
  // This one is OK.
  %results = tinyattn.conv ins(%x, %w, %b : tensor<6x8x3xf32>, tensor<4x2x2x3xf32>, tensor<4xf32>)
    outs(%y : tensor<3x4x4xf32>)
    {padding = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} -> tensor<3x4x4xf32>
  return
}

func.func @conv_two_destinations(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>,
    %z: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects 1 destination, got 2}}
  %results:2 = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y, %z : tensor<3x4x4xi8>, tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>, tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_input_rank(%x: tensor<6x8xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects input of rank 3, got shape [6, 8]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_weight_rank(%x: tensor<6x8x3xi8>, %w: tensor<4x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects weight of rank 4, got shape [4, 2, 3]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_one_stride(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects two positive strides}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_zero_stride(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects two positive strides}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 0, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_two_paddings(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects four paddings that are not negative}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_negative_padding(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects four paddings that are not negative}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, -1, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_kernel_size(%x: tensor<6x8x3xi8>, %w: tensor<4x7x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op has a kernel of 7x2 on a padded input of 6x8}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x7x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_weight_shape(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x1xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects weight of shape [4, 2, 2, 3], got [4, 2, 2, 1]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x1xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_channels_first(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects weight of shape [4, 2, 2, 6], got [4, 2, 2, 3]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {channels_first, input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_weight_type(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xf32>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects elements of type 'i8' in weight, got 'f32'}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xf32>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_bias_shape(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<3xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects bias of shape [4], got [3]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<3xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_without_multipliers(%x: tensor<6x8x3xi8>,
    %w: tensor<4x2x2x3xi8>, %b: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op needs multipliers on i8}}
  %results = tinyattn.conv ins(%x, %w, %b : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_multipliers_shape(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<3xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects multipliers of shape [4], got [3]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<3xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_destination_type(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xf32>) {
  // expected-error @below {{'tinyattn.conv' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xf32>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xf32>
  return
}

// -----

func.func @conv_without_requant(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op needs requant on i8}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_without_zero_point(%x: tensor<6x8x3xi8>,
    %w: tensor<4x2x2x3xi8>, %b: tensor<4xi32>, %m: tensor<4xi32>,
    %y: tensor<3x4x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op needs input_zero_point on i8}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<3x4x4xi8>)
    {padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<3x4x4xi8>
  return
}

// -----

func.func @conv_with_zero_point(%x: tensor<6x8x3xf32>, %w: tensor<4x2x2x3xf32>,
    %b: tensor<4xf32>, %y: tensor<3x4x4xf32>) {
  // expected-error @below {{'tinyattn.conv' op takes no input_zero_point on f32}}
  %results = tinyattn.conv ins(%x, %w, %b : tensor<6x8x3xf32>, tensor<4x2x2x3xf32>, tensor<4xf32>)
    outs(%y : tensor<3x4x4xf32>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} -> tensor<3x4x4xf32>
  return
}

// -----

func.func @conv_destination_shape(%x: tensor<6x8x3xi8>, %w: tensor<4x2x2x3xi8>,
    %b: tensor<4xi32>, %m: tensor<4xi32>, %y: tensor<4x3x4xi8>) {
  // expected-error @below {{'tinyattn.conv' op expects destination of shape [3, 4, 4], got [4, 3, 4]}}
  %results = tinyattn.conv ins(%x, %w, %b, %m : tensor<6x8x3xi8>, tensor<4x2x2x3xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%y : tensor<4x3x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>, requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>} -> tensor<4x3x4xi8>
  return
}
