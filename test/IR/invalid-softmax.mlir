// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @softmax_valid(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<2x5xi8>, %s: tensor<2xi32>) {
  // This one is OK.
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x5xi8>, tensor<2xi32>) -> tensor<2x5xi8>, tensor<2xi32>
  return
}

func.func @softmax_valid_f32(%x: tensor<2x5xf32>, %y: tensor<2x5xf32>, %s: tensor<2xf32>) {
  // This one is OK.
  %results:2 = tinyattn.softmax ins(%x : tensor<2x5xf32>)
    outs(%y, %s : tensor<2x5xf32>, tensor<2xf32>) -> tensor<2x5xf32>, tensor<2xf32>
  return
}

func.func @softmax_valid_whole(%x: tensor<2x5xi8>, %t: tensor<256xi8>, %y: tensor<2x5xi8>) {
  // This one is OK.
  %results = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y : tensor<2x5xi8>) -> tensor<2x5xi8>
  return
}

func.func @softmax_three_destinations(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<2x5xi8>, %s: tensor<2xi32>, %z: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects 1 or 2 destinations, got 3}}
  %results:3 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s, %z : tensor<2x5xi8>, tensor<2xi32>, tensor<2xi32>)
    -> tensor<2x5xi8>, tensor<2xi32>, tensor<2xi32>
  return
}

// -----

func.func @softmax_destination_type(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<2x5xf32>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x5xf32>, tensor<2xi32>) -> tensor<2x5xf32>, tensor<2xi32>
  return
}

// -----

func.func @softmax_without_table(%x: tensor<2x5xi8>, %y: tensor<2x5xi8>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op needs table on i8}}
  %results:2 = tinyattn.softmax ins(%x : tensor<2x5xi8>)
    outs(%y, %s : tensor<2x5xi8>, tensor<2xi32>) -> tensor<2x5xi8>, tensor<2xi32>
  return
}

// -----

func.func @softmax_with_table(%x: tensor<2x5xf32>, %t: tensor<256xi8>,
    %y: tensor<2x5xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tinyattn.softmax' op takes no table on f32}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xf32>, tensor<256xi8>)
    outs(%y, %s : tensor<2x5xf32>, tensor<2xf32>) -> tensor<2x5xf32>, tensor<2xf32>
  return
}

// -----

func.func @softmax_table_shape(%x: tensor<2x5xi8>, %t: tensor<255xi8>,
    %y: tensor<2x5xi8>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects table of shape [256], got [255]}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<255xi8>)
    outs(%y, %s : tensor<2x5xi8>, tensor<2xi32>) -> tensor<2x5xi8>, tensor<2xi32>
  return
}

// -----

func.func @softmax_scalar(%x: tensor<i8>, %t: tensor<256xi8>, %y: tensor<i8>) {
  // expected-error @below {{'tinyattn.softmax' op expects rows of 1 to 4194304 elements}}
  %results = tinyattn.softmax ins(%x, %t : tensor<i8>, tensor<256xi8>)
    outs(%y : tensor<i8>) -> tensor<i8>
  return
}

// -----

func.func @softmax_empty_row(%x: tensor<2x0xi8>, %t: tensor<256xi8>,
    %y: tensor<2x0xi8>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects rows of 1 to 4194304 elements}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x0xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x0xi8>, tensor<2xi32>) -> tensor<2x0xi8>, tensor<2xi32>
  return
}

// -----

func.func @softmax_long_row(%x: tensor<2x4194305xi8>, %t: tensor<256xi8>,
    %y: tensor<2x4194305xi8>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects rows of 1 to 4194304 elements}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x4194305xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x4194305xi8>, tensor<2xi32>) -> tensor<2x4194305xi8>, tensor<2xi32>
  return
}

// -----

func.func @softmax_destination_shape(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<5x2xi8>, %s: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects destination of shape [2, 5], got [5, 2]}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<5x2xi8>, tensor<2xi32>) -> tensor<5x2xi8>, tensor<2xi32>
  return
}

// -----

func.func @softmax_sums_type(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<2x5xi8>, %s: tensor<2xi8>) {
  // expected-error @below {{'tinyattn.softmax' op expects elements of type 'i32' in sums, got 'i8'}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x5xi8>, tensor<2xi8>) -> tensor<2x5xi8>, tensor<2xi8>
  return
}

// -----

func.func @softmax_sums_shape(%x: tensor<2x5xi8>, %t: tensor<256xi8>,
    %y: tensor<2x5xi8>, %s: tensor<5xi32>) {
  // expected-error @below {{'tinyattn.softmax' op expects sums of shape [2], got [5]}}
  %results:2 = tinyattn.softmax ins(%x, %t : tensor<2x5xi8>, tensor<256xi8>)
    outs(%y, %s : tensor<2x5xi8>, tensor<5xi32>) -> tensor<2x5xi8>, tensor<5xi32>
  return
}
