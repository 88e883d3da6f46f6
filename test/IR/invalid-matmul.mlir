// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @matmul_valid(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // This one is OK.
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

func.func @matmul_valid_f32(%a: tensor<2x5x4xf32>, %b: tensor<2x4x6xf32>, %y: tensor<2x5x6xf32>) {
  // This one is OK.
  %results = tinyattn.matmul ins(%a, %b : tensor<2x5x4xf32>, tensor<2x4x6xf32>)
    outs(%y : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  return
}

func.func @matmul_two_destinations(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>, %z: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects 1 destination, got 2}}
  %results:2 = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y, %z : tensor<2x5x6xi8>, tensor<2x5x6xi8>)
    {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>, tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_lhs_rank(%a: tensor<5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects lhs of rank 3, got shape [5, 4]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_rhs_type(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xf32>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects elements of type 'i8' in every activation, got 'f32'}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xf32>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_rhs_rank(%a: tensor<2x5x4xi8>, %b: tensor<4xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects rhs of rank 2 or 3, got rank 1}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<4xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_valid_shared_rhs(%a: tensor<2x5x4xi8>, %b: tensor<4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // This one is OK.
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

func.func @matmul_rhs_shape(%a: tensor<2x5x4xi8>, %b: tensor<2x5x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects rhs of shape [2, 4, 6], got [2, 5, 6]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x5x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_transposed_rhs_shape(%a: tensor<2x5x4xi8>,
    %b: tensor<2x4x6xi8>, %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects rhs of shape [2, 4, 4], got [2, 4, 6]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>)
    {requant = #tinyattn.requant<shift = 12>, transpose_b} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_destination_shape(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<5x12xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects destination of shape [2, 5, 6], got [5, 12]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<5x12xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<5x12xi8>
  return
}

// -----

func.func @matmul_merged_shape(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects destination of shape [5, 12], got [2, 5, 6]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>)
    {merge_heads, requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_without_requant(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op needs requant on i8}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xi8>) -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_with_requant(%a: tensor<2x5x4xf32>, %b: tensor<2x4x6xf32>,
    %y: tensor<2x5x6xf32>) {
  // expected-error @below {{'tinyattn.matmul' op takes no requant on f32}}
  %results = tinyattn.matmul ins(%a, %b : tensor<2x5x4xf32>, tensor<2x4x6xf32>)
    outs(%y : tensor<2x5x6xf32>) {requant = #tinyattn.requant<shift = 16>} -> tensor<2x5x6xf32>
  return
}

// -----

func.func @matmul_without_multipliers(%a: tensor<2x5x4xi8>,
    %b: tensor<2x4x6xi8>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op needs multipliers on i8}}
  %results = tinyattn.matmul ins(%a, %b : tensor<2x5x4xi8>, tensor<2x4x6xi8>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_with_multipliers(%a: tensor<2x5x4xf32>,
    %b: tensor<2x4x6xf32>, %m: tensor<2xi32>, %y: tensor<2x5x6xf32>) {
  // expected-error @below {{'tinyattn.matmul' op takes no multipliers on f32}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xf32>, tensor<2x4x6xf32>, tensor<2xi32>)
    outs(%y : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @matmul_multipliers_shape(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<6xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects multipliers of shape [2], got [6]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<6xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_valid_row_sums(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %r: tensor<2x5xi32>, %y: tensor<2x5x6xi8>) {
  // This one is OK.
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    row_sums(%r : tensor<2x5xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

func.func @matmul_row_sums_type(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %r: tensor<2x5xf32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects elements of type 'i32' in row_sums, got 'f32'}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    row_sums(%r : tensor<2x5xf32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}

// -----

func.func @matmul_row_sums_shape(%a: tensor<2x5x4xi8>, %b: tensor<2x4x6xi8>,
    %m: tensor<2xi32>, %r: tensor<5xi32>, %y: tensor<2x5x6xi8>) {
  // expected-error @below {{'tinyattn.matmul' op expects row_sums of shape [2, 5], got [5]}}
  %results = tinyattn.matmul ins(%a, %b, %m : tensor<2x5x4xi8>, tensor<2x4x6xi8>, tensor<2xi32>)
    row_sums(%r : tensor<5xi32>)
    outs(%y : tensor<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>} -> tensor<2x5x6xi8>
  return
}
