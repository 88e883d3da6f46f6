// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @levels(%x: tensor<5x8xi8>, %t: tensor<256xi32>, %i: tensor<5x8xi8>) {
  // expected-error @+1 {{levels must lie in [2, 256], got 1}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<256xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 1 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @table_size(%x: tensor<5x8xi8>, %t: tensor<255xi32>, %i: tensor<5x8xi8>) {
  // expected-error @+1 {{table}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<255xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 256 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @no_weight(%x: tensor<5x8xi8>, %i: tensor<5x8xi8>) {
  %t = arith.constant dense<0> : tensor<256xi32>
  // expected-error @+1 {{begins with 0, so that the sum of a row may be 0}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<256xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @too_large(%x: tensor<5x8xi8>, %i: tensor<5x8xi8>) {
  %t = arith.constant dense<16843010> : tensor<256xi32>
  // expected-error @+1 {{has exponentials up to 16843010, which times 255 leave 32 bits}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<256xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<divide>, levels = 256 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @shift(%x: tensor<5x8xi8>, %i: tensor<5x8xi8>) {
  %t = arith.constant dense<32> : tensor<256xi32>
  // expected-error @+1 {{has a table of shifts with 32, outside of [0, 31]}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<256xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 256 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @first_shift(%x: tensor<5x8xi8>, %i: tensor<5x8xi8>) {
  %t = arith.constant dense<9> : tensor<256xi32>
  // expected-error @+1 {{begins with 9, so that the sum of a row may be 0}}
  %y = tinyattn.integer_softmax ins(%x, %t : tensor<5x8xi8>, tensor<256xi32>) outs(%i : tensor<5x8xi8>)
    {kind = #tinyattn.integer_softmax_kind<shift>, levels = 256 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_shift(%x: tensor<5x8xi8>, %w: tensor<8xi32>, %i: tensor<5x8xi8>) {
  // expected-error @+1 {{shift must lie in [0, 31], got 32}}
  %y = tinyattn.integer_layernorm ins(%x, %w, %w : tensor<5x8xi8>, tensor<8xi32>, tensor<8xi32>)
    outs(%i : tensor<5x8xi8>) {input_zero_point = 0 : i32, shift = 32 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @layernorm_width(%x: tensor<1x32769xi8>, %w: tensor<32769xi32>, %i: tensor<1x32769xi8>) {
  // expected-error @+1 {{expects rows of 1 to 32768 elements, got 32769}}
  %y = tinyattn.integer_layernorm
    ins(%x, %w, %w : tensor<1x32769xi8>, tensor<32769xi32>, tensor<32769xi32>)
    outs(%i : tensor<1x32769xi8>) {input_zero_point = 0 : i32, shift = 3 : i64} -> tensor<1x32769xi8>
  return
}

// -----

func.func @layernorm_bias(%x: tensor<5x8xi8>, %w: tensor<8xi32>, %b: tensor<5xi32>, %i: tensor<5x8xi8>) {
  // expected-error @+1 {{bias}}
  %y = tinyattn.integer_layernorm ins(%x, %w, %b : tensor<5x8xi8>, tensor<8xi32>, tensor<5xi32>)
    outs(%i : tensor<5x8xi8>) {input_zero_point = 0 : i32, shift = 3 : i64} -> tensor<5x8xi8>
  return
}

// -----

func.func @offsets_on_f32(%x: tensor<5x8xf32>, %w: tensor<12x8xf32>, %b: tensor<12xf32>,
    %o: tensor<12xi32>, %i: tensor<5x12xf32>) {
  // expected-error @+1 {{offsets}}
  %0 = tinyattn.linear ins(%x, %w, %b : tensor<5x8xf32>, tensor<12x8xf32>, tensor<12xf32>)
    offsets(%o : tensor<12xi32>) outs(%i : tensor<5x12xf32>) -> tensor<5x12xf32>
  return
}

// -----

func.func @offsets_of_other_channels(%x: tensor<5x8xi8>, %w: tensor<12x8xi8>, %b: tensor<12xi32>,
    %o: tensor<8xi32>, %i: tensor<5x12xi8>) {
  // expected-error @+1 {{offsets}}
  %0 = tinyattn.linear ins(%x, %w, %b, %b : tensor<5x8xi8>, tensor<12x8xi8>, tensor<12xi32>, tensor<12xi32>)
    offsets(%o : tensor<8xi32>) outs(%i : tensor<5x12xi8>)
    {requant = #tinyattn.requant<shift = 16>} -> tensor<5x12xi8>
  return
}

// -----

func.func @offsets_and_sums(%e: tensor<2x5x5xi8>, %v: tensor<2x5x4xi8>, %m: tensor<2xi32>,
    %s: tensor<2x5xi32>, %i: tensor<2x5x4xi8>) {
  // expected-error @+1 {{cannot have both offsets and row_sums}}
  %0 = tinyattn.matmul ins(%e, %v, %m : tensor<2x5x5xi8>, tensor<2x5x4xi8>, tensor<2xi32>)
    offsets(%m : tensor<2xi32>) row_sums(%s : tensor<2x5xi32>) outs(%i : tensor<2x5x4xi8>)
    {unsigned_lhs, requant = #tinyattn.requant<shift = 16>} -> tensor<2x5x4xi8>
  return
}
