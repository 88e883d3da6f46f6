// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

#r = #tinyattn.requant<shift = 20>
#joint = #tinyattn.form<joint>
#separate = #tinyattn.form<separate>

func.func @valid(%x: tensor<5x7xi8>, %l: tensor<3x4x2xi32>, %k: tensor<3x4xi32>,
    %w: tensor<6x8xi32>, %ws: tensor<6x12xi32>, %y: tensor<5x11xi8>, %values: tensor<6x3xi32>) {
  // These are OK: an odd number of rows, of k and of channels.
  %0 = tinyattn.pack_rows ins(%x : tensor<5x7xi8>) outs(%l : tensor<3x4x2xi32>) -> tensor<3x4x2xi32>
  %1 = tinyattn.pack_columns ins(%x : tensor<5x7xi8>) outs(%k : tensor<3x4xi32>) {form = #joint} -> tensor<3x4xi32>
  %2 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #joint, requant = #tinyattn.requant<shift = 24>} -> tensor<5x11xi8>
  %3 = tinyattn.packed_linear ins(%l, %ws : tensor<3x4x2xi32>, tensor<6x12xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #separate, requant = #tinyattn.requant<shift = 30>} -> tensor<5x11xi8>
  %4 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%values : tensor<6x3xi32>)
    {layout = #tinyattn.layout<values>, form = #joint, result_form = #joint,
     requant = #tinyattn.requant<shift = 17>} -> tensor<6x3xi32>
  return
}

func.func @pack_rows_rank(%x: tensor<1x5x6xi8>, %l: tensor<3x3x2xi32>) {
  // expected-error @below {{'tinyattn.pack_rows' op expects input of rank 2, got shape [1, 5, 6]}}
  %0 = tinyattn.pack_rows ins(%x : tensor<1x5x6xi8>) outs(%l : tensor<3x3x2xi32>) -> tensor<3x3x2xi32>
  return
}

// -----

func.func @pack_rows_shape(%x: tensor<5x7xi8>, %l: tensor<2x4x2xi32>) {
  // expected-error @below {{'tinyattn.pack_rows' op expects destination of shape [3, 4, 2], got [2, 4, 2]}}
  %0 = tinyattn.pack_rows ins(%x : tensor<5x7xi8>) outs(%l : tensor<2x4x2xi32>) -> tensor<2x4x2xi32>
  return
}

// -----

func.func @pack_rows_type(%x: tensor<5x7xi8>, %l: tensor<3x4x2xi8>) {
  // expected-error @below {{'tinyattn.pack_rows' op expects elements of type 'i32' in destination, got 'i8'}}
  %0 = tinyattn.pack_rows ins(%x : tensor<5x7xi8>) outs(%l : tensor<3x4x2xi8>) -> tensor<3x4x2xi8>
  return
}

// -----

func.func @pack_rows_destinations(%x: tensor<5x7xi8>, %l: tensor<3x4x2xi32>) {
  // expected-error @below {{'tinyattn.pack_rows' op expects 1 destination, got 2}}
  %0:2 = tinyattn.pack_rows ins(%x : tensor<5x7xi8>)
    outs(%l, %l : tensor<3x4x2xi32>, tensor<3x4x2xi32>) -> tensor<3x4x2xi32>, tensor<3x4x2xi32>
  return
}

// -----

func.func @pack_columns_form(%x: tensor<5x7xi8>, %k: tensor<3x4xi32>) {
  // expected-error @below {{'tinyattn.pack_columns' op expects destination of shape [3, 4, 2], got [3, 4]}}
  %0 = tinyattn.pack_columns ins(%x : tensor<5x7xi8>) outs(%k : tensor<3x4xi32>)
    {form = #tinyattn.form<separate>} -> tensor<3x4xi32>
  return
}

// -----

func.func @pack_columns_rank(%x: tensor<1x5x6xi8>, %k: tensor<3x3xi32>) {
  // expected-error @below {{'tinyattn.pack_columns' op expects input of rank 2, got shape [1, 5, 6]}}
  %0 = tinyattn.pack_columns ins(%x : tensor<1x5x6xi8>) outs(%k : tensor<3x3xi32>)
    {form = #tinyattn.form<joint>} -> tensor<3x3xi32>
  return
}

// -----

func.func @left_rank(%l: tensor<3x4xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects left of rank 3, got shape [3, 4]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @left_halves(%l: tensor<3x4x3xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects left of shape [3, 4, 2], got [3, 4, 3]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x3xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @weight_words(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects weight of shape [6, 12], got [6, 8]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<separate>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @weight_rank(%l: tensor<3x4x2xi32>, %w: tensor<6x8x1xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects weight of rank 2, got shape [6, 8, 1]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8x1xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @head_of_sums(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects weight of shape [6, 4], got [6, 8]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi32>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>} -> tensor<5x11xi32>
  return
}

// -----

func.func @sums_as_panel(%l: tensor<3x4x2xi32>, %w: tensor<6x4xi32>, %y: tensor<3x6x2xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op needs requant for the layout 'left'}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x4xi32>) outs(%y : tensor<3x6x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>} -> tensor<3x6x2xi32>
  return
}

// -----

func.func @small_shift(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects a shift in [17, 24] in the joint form, got 16}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 16>} -> tensor<5x11xi8>
  return
}

// -----

func.func @large_shift(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects a shift in [17, 24] in the joint form, got 25}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 25>} -> tensor<5x11xi8>
  return
}

// -----

func.func @small_shift_separate(%l: tensor<3x4x2xi32>, %w: tensor<6x12xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects a shift in [17, 30] in the separate form, got 16}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x12xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<separate>,
     requant = #tinyattn.requant<shift = 16>} -> tensor<5x11xi8>
  return
}

// -----

func.func @wide(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op takes no wide requant}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20, wide = true>} -> tensor<5x11xi8>
  return
}

// -----

func.func @own_multiplier(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op takes no multiplier in requant beside its own multipliers, got 3}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<multiplier = 3, shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @no_result_form(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<3x6xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op needs result_form for keys and values}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<3x6xi32>)
    {layout = #tinyattn.layout<keys>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x6xi32>
  return
}

// -----

func.func @result_form_of_rows(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op takes no result_form but for keys and values}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>, result_form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi8>
  return
}

// -----

func.func @rows(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<4x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op has 3 pairs of rows in its panels, but a destination of 4 rows}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<4x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<4x11xi8>
  return
}

// -----

func.func @channels(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x10xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op has 6 pairs of columns in its panels, but a destination of 10 columns}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x10xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x10xi8>
  return
}

// -----

func.func @rows_type(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<5x11xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects elements of type 'i8' in destination, got 'i32'}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x11xi32>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x11xi32>
  return
}

// -----

func.func @rows_rank(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<1x5x11xi8>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects destination of rank 2, got shape [1, 5, 11]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<1x5x11xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<1x5x11xi8>
  return
}

// -----

func.func @left_shape(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<3x5x2xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects destination of shape [3, 6, 2], got [3, 5, 2]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<3x5x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x5x2xi32>
  return
}

// -----

func.func @keys_shape(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<6x3xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects destination of shape [3, 6], got [6, 3]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<6x3xi32>)
    {layout = #tinyattn.layout<keys>, form = #tinyattn.form<joint>, result_form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<6x3xi32>
  return
}

// -----

func.func @values_shape(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %y: tensor<6x3xi32>) {
  // expected-error @below {{'tinyattn.packed_linear' op expects destination of shape [6, 3, 2], got [6, 3]}}
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<6x3xi32>)
    {layout = #tinyattn.layout<values>, form = #tinyattn.form<joint>, result_form = #tinyattn.form<separate>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<6x3xi32>
  return
}

// -----

// With odd_rows, a panel is OK.
func.func @odd_rows(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %p: tensor<3x6x2xi32>, %y: tensor<5x12xi8>) {
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%p : tensor<3x6x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, odd_rows} -> tensor<3x6x2xi32>
  // expected-error @below {{'tinyattn.packed_linear' op has odd_rows, which is for panels, with the layout 'rows'}}
  %1 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>) outs(%y : tensor<5x12xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, odd_rows} -> tensor<5x12xi8>
  return
}
