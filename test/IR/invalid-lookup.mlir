// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @lookup_valid(%x: tensor<5x8xi8>, %t: tensor<256xi8>, %y: tensor<5x8xi8>) {
  // This one is OK.
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

func.func @lookup_valid_f32(%x: tensor<5x8xf32>, %y: tensor<5x8xf32>) {
  // This one is OK.
  %results = tinyattn.lookup ins(%x : tensor<5x8xf32>)
    outs(%y : tensor<5x8xf32>) {function = #tinyattn.function<gelu>} -> tensor<5x8xf32>
  return
}

func.func @lookup_two_destinations(%x: tensor<5x8xi8>, %t: tensor<256xi8>,
    %y: tensor<5x8xi8>, %z: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.lookup' op expects 1 destination, got 2}}
  %results:2 = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%y, %z : tensor<5x8xi8>, tensor<5x8xi8>) -> tensor<5x8xi8>, tensor<5x8xi8>
  return
}

// -----

func.func @lookup_destination_type(%x: tensor<5x8xi8>, %t: tensor<256xi8>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.lookup' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%y : tensor<5x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @lookup_without_table(%x: tensor<5x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.lookup' op needs table on i8}}
  %results = tinyattn.lookup ins(%x : tensor<5x8xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @lookup_with_table(%x: tensor<5x8xf32>, %t: tensor<256xi8>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.lookup' op takes no table on f32}}
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xf32>, tensor<256xi8>)
    outs(%y : tensor<5x8xf32>) {function = #tinyattn.function<gelu>} -> tensor<5x8xf32>
  return
}

// -----

func.func @lookup_table_shape(%x: tensor<5x8xi8>, %t: tensor<128xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.lookup' op expects table of shape [256], got [128]}}
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<128xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @lookup_without_function(%x: tensor<5x8xf32>, %y: tensor<5x8xf32>) {
  // expected-error @below {{'tinyattn.lookup' op needs function on f32}}
  %results = tinyattn.lookup ins(%x : tensor<5x8xf32>)
    outs(%y : tensor<5x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @lookup_with_function(%x: tensor<5x8xi8>, %t: tensor<256xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.lookup' op takes no function on i8}}
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%y : tensor<5x8xi8>) {function = #tinyattn.function<gelu>} -> tensor<5x8xi8>
  return
}

// -----

func.func @lookup_destination_shape(%x: tensor<5x8xi8>, %t: tensor<256xi8>, %y: tensor<8x5xi8>) {
  // expected-error @below {{'tinyattn.lookup' op expects destination of shape [5, 8], got [8, 5]}}
  %results = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%y : tensor<8x5xi8>) -> tensor<8x5xi8>
  return
}
