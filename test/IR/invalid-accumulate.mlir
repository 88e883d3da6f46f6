// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

#r = #tinyattn.requant<shift = 16>

func.func @valid(%b: tensor<8xi32>, %x: tensor<5x4xi8>, %w: tensor<8x4xi8>, %m: tensor<8xi32>,
    %i: tensor<5x8xi32>, %y: tensor<5x8xi8>) {
  // These are OK.
  %a = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i : tensor<5x8xi32>) -> tensor<5x8xi32>
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x4xi8>)
    outs(%a : tensor<5x8xi32>) -> tensor<5x8xi32>
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>) {requant = #r} -> tensor<5x8xi8>
  return
}

func.func @broadcast_rank(%b: tensor<8xi32>, %i: tensor<8xi32>) {
  // expected-error @below {{'tinyattn.broadcast' op expects destination of rank 2, got shape [8]}}
  %a = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i : tensor<8xi32>) -> tensor<8xi32>
  return
}

// -----

func.func @broadcast_bias_rank(%b: tensor<1x8xi32>, %i: tensor<5x8xi32>) {
  // expected-error @below {{'tinyattn.broadcast' op expects bias of rank 1, got shape [1, 8]}}
  %a = tinyattn.broadcast ins(%b : tensor<1x8xi32>) outs(%i : tensor<5x8xi32>) -> tensor<5x8xi32>
  return
}

// -----

func.func @broadcast_type(%b: tensor<8xi32>, %i: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.broadcast' op expects elements of type 'i32' in destination, got 'i8'}}
  %a = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @broadcast_shape(%b: tensor<8xi32>, %i: tensor<5x7xi32>) {
  // expected-error @below {{'tinyattn.broadcast' op expects destination of shape [5, 8], got [5, 7]}}
  %a = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i : tensor<5x7xi32>) -> tensor<5x7xi32>
  return
}

// -----

func.func @broadcast_destinations(%b: tensor<8xi32>, %i: tensor<5x8xi32>) {
  // expected-error @below {{'tinyattn.broadcast' op expects 1 destination, got 2}}
  %a:2 = tinyattn.broadcast ins(%b : tensor<8xi32>) outs(%i, %i : tensor<5x8xi32>, tensor<5x8xi32>)
    -> tensor<5x8xi32>, tensor<5x8xi32>
  return
}

// -----

func.func @accumulate_depth(%x: tensor<5x4xi8>, %w: tensor<8x3xi8>, %a: tensor<5x8xi32>) {
  // expected-error @below {{'tinyattn.linear_accumulate' op expects weight of shape [8, 4], got [8, 3]}}
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x3xi8>)
    outs(%a : tensor<5x8xi32>) -> tensor<5x8xi32>
  return
}

// -----

func.func @accumulate_type(%x: tensor<5x4xi8>, %w: tensor<8x4xi8>, %a: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.linear_accumulate' op expects elements of type 'i32' in destination, got 'i8'}}
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x4xi8>)
    outs(%a : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @accumulate_rank(%x: tensor<1x5x4xi8>, %w: tensor<8x4xi8>, %a: tensor<5x8xi32>) {
  // expected-error @below {{'tinyattn.linear_accumulate' op expects input of rank 2, got shape [1, 5, 4]}}
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<1x5x4xi8>, tensor<8x4xi8>)
    outs(%a : tensor<5x8xi32>) -> tensor<5x8xi32>
  return
}

// -----

func.func @accumulate_shape(%x: tensor<5x4xi8>, %w: tensor<8x4xi8>, %a: tensor<4x8xi32>) {
  // expected-error @below {{'tinyattn.linear_accumulate' op expects destination of shape [5, 8], got [4, 8]}}
  %s = tinyattn.linear_accumulate ins(%x, %w : tensor<5x4xi8>, tensor<8x4xi8>)
    outs(%a : tensor<4x8xi32>) -> tensor<4x8xi32>
  return
}

// -----

#r = #tinyattn.requant<shift = 16>

func.func @requantize_shape(%s: tensor<5x8xi32>, %m: tensor<8xi32>, %y: tensor<5x7xi8>) {
  // expected-error @below {{'tinyattn.requantize' op expects destination of shape [5, 8], got [5, 7]}}
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
    outs(%y : tensor<5x7xi8>) {requant = #r} -> tensor<5x7xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 16>

func.func @requantize_multipliers(%s: tensor<5x8xi32>, %m: tensor<5xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.requantize' op expects multipliers of shape [8], got [5]}}
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<5xi32>)
    outs(%y : tensor<5x8xi8>) {requant = #r} -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 16>

func.func @requantize_type(%s: tensor<5x8xi32>, %m: tensor<8xi32>, %y: tensor<5x8xi32>) {
  // expected-error @below {{'tinyattn.requantize' op expects elements of type 'i8' in destination, got 'i32'}}
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
    outs(%y : tensor<5x8xi32>) {requant = #r} -> tensor<5x8xi32>
  return
}

// -----

#r = #tinyattn.requant<multiplier = 3, shift = 16>

func.func @requantize_multiplier(%s: tensor<5x8xi32>, %m: tensor<8xi32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.requantize' op takes no multiplier in requant beside its own multipliers}}
  %r = tinyattn.requantize ins(%s, %m : tensor<5x8xi32>, tensor<8xi32>)
    outs(%y : tensor<5x8xi8>) {requant = #r} -> tensor<5x8xi8>
  return
}
