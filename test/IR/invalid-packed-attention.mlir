// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

#joint = #tinyattn.form<joint>
#r = #tinyattn.requant<shift = 20>

func.func @valid(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %v: tensor<8x5xi32>,
    %m: tensor<2xi32>, %t: tensor<256xi8>, %scores: tensor<2x3x12xi8>,
    %i0: tensor<2x2x5x2xi32>, %i1: tensor<2x4xi32>, %y: tensor<3x16xi8>) {
  // These are OK: odd numbers of rows and of columns.
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%scores : tensor<2x3x12xi8>) {columns = 9 : i64, form = #joint, requant = #r} -> tensor<2x3x12xi8>
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x12xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x2x5x2xi32>, tensor<2x4xi32>) {columns = 9 : i64}
    -> tensor<2x2x5x2xi32>, tensor<2x4xi32>
  %c = tinyattn.packed_context ins(%e#0, %v, %e#1, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>)
    outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #joint, requant = #r} -> tensor<3x16xi8>
  return
}

func.func @scores_columns(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects 1 to 4194304 columns, got 0}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>) {columns = 0 : i64, form = #joint, requant = #r} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_keys(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects keys of shape [6, 8], got [5, 8]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 11 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_keys_form(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects keys of rank 3, got shape [5, 8]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<separate>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_shared_keys(%q: tensor<2x8x2xi32>, %k: tensor<5x3xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects keys of shape [5, 4], got [5, 3]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x3xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_heads(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<3xi32>, %i: tensor<3x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op cannot split 8 words of a query into 3 heads}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<3xi32>)
    outs(%i : tensor<3x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<3x3x12xi8>
  return
}

// -----

func.func @scores_queries(%q: tensor<3x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects queries of shape [2, 8, 2], got [3, 8, 2]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<3x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_ranks(%q: tensor<2x8xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects queries of rank 3, got shape [2, 8]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_multipliers(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<1x2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects multipliers of rank 1, got shape [1, 2]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<1x2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @scores_rounded(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x9xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects destination of shape [2, 3, 12], got [2, 3, 9]}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x9xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 20>} -> tensor<2x3x9xi8>
  return
}

// -----

func.func @scores_shift(%q: tensor<2x8x2xi32>, %k: tensor<5x8xi32>, %m: tensor<2xi32>, %i: tensor<2x3x12xi8>) {
  // expected-error @below {{'tinyattn.packed_scores' op expects a shift in [17, 24] in the joint form, got 12}}
  %s = tinyattn.packed_scores ins(%q, %k, %m : tensor<2x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%i : tensor<2x3x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>, requant = #tinyattn.requant<shift = 12>} -> tensor<2x3x12xi8>
  return
}

// -----

func.func @softmax_destinations(%s: tensor<2x3x12xi8>, %t: tensor<256xi8>, %i0: tensor<2x2x5x2xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects 2 destinations, got 1}}
  %e = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x12xi8>, tensor<256xi8>)
    outs(%i0 : tensor<2x2x5x2xi32>) {columns = 9 : i64} -> tensor<2x2x5x2xi32>
  return
}

// -----

func.func @softmax_input(%s: tensor<2x3x9xi8>, %t: tensor<256xi8>, %i0: tensor<2x2x5x2xi32>, %i1: tensor<2x4xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects input of shape [2, 3, 12], got [2, 3, 9]}}
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x9xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x2x5x2xi32>, tensor<2x4xi32>) {columns = 9 : i64}
    -> tensor<2x2x5x2xi32>, tensor<2x4xi32>
  return
}

// -----

func.func @softmax_table(%s: tensor<2x3x12xi8>, %t: tensor<255xi8>, %i0: tensor<2x2x5x2xi32>, %i1: tensor<2x4xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects table of shape [256], got [255]}}
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x12xi8>, tensor<255xi8>)
    outs(%i0, %i1 : tensor<2x2x5x2xi32>, tensor<2x4xi32>) {columns = 9 : i64}
    -> tensor<2x2x5x2xi32>, tensor<2x4xi32>
  return
}

// -----

func.func @softmax_exponentials(%s: tensor<2x3x12xi8>, %t: tensor<256xi8>, %i0: tensor<2x2x6x2xi32>, %i1: tensor<2x4xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects exponentials of shape [2, 2, 5, 2], got [2, 2, 6, 2]}}
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x12xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x2x6x2xi32>, tensor<2x4xi32>) {columns = 9 : i64}
    -> tensor<2x2x6x2xi32>, tensor<2x4xi32>
  return
}

// -----

func.func @softmax_sums(%s: tensor<2x3x12xi8>, %t: tensor<256xi8>, %i0: tensor<2x2x5x2xi32>, %i1: tensor<2x3xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects sums of shape [2, 4], got [2, 3]}}
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<2x3x12xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x2x5x2xi32>, tensor<2x3xi32>) {columns = 9 : i64}
    -> tensor<2x2x5x2xi32>, tensor<2x3xi32>
  return
}

// -----

func.func @softmax_rank(%s: tensor<3x12xi8>, %t: tensor<256xi8>, %i0: tensor<2x2x5x2xi32>, %i1: tensor<2x4xi32>) {
  // expected-error @below {{'tinyattn.packed_softmax' op expects input of rank 3, got shape [3, 12]}}
  %e:2 = tinyattn.packed_softmax ins(%s, %t : tensor<3x12xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x2x5x2xi32>, tensor<2x4xi32>) {columns = 9 : i64}
    -> tensor<2x2x5x2xi32>, tensor<2x4xi32>
  return
}

// -----

func.func @context_values(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x6xi32>, %m: tensor<2xi32>, %y: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op expects values of shape [8, 5], got [8, 6]}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x6xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x16xi8>
  return
}

// -----

func.func @context_shared(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<4x5xi32>, %m: tensor<2xi32>, %y: tensor<3x16xi8>, %z: tensor<3x8xi8>) {
  // This one is OK.
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<4x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, shared_values} -> tensor<3x16xi8>
  // expected-error @below {{'tinyattn.packed_context' op has 8 pairs of columns in its panels, but a destination of 8 columns}}
  %d = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<4x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%z : tensor<3x8xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, shared_values} -> tensor<3x8xi8>
  return
}

// -----

func.func @context_heads(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<7x5xi32>, %m: tensor<2xi32>, %y: tensor<3x14xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op cannot split 7 pairs of channels into 2 heads}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<7x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<3x14xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x14xi8>
  return
}

// -----

func.func @context_sums(%e: tensor<2x2x5x2xi32>, %s: tensor<2x3xi32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op expects row_sums of shape [2, 4], got [2, 3]}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x3xi32>, tensor<2xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x16xi8>
  return
}

// -----

func.func @context_sums_type(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xf32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op expects elements of type 'i32' in row_sums, got 'f32'}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xf32>, tensor<2xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x16xi8>
  return
}

// -----

func.func @context_multipliers(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x5xi32>, %m: tensor<3xi32>, %y: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op expects multipliers of shape [2], got [3]}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<3xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x16xi8>
  return
}

// -----

func.func @context_exponentials(%e: tensor<2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op expects exponentials of rank 4, got shape [2, 5, 2]}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x16xi8>
  return
}

// -----

func.func @context_layout(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<2x8xi32>) {
  // expected-error @below {{'tinyattn.packed_context' op writes rows or left, got the layout 'keys'}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<2x8xi32>)
    {layout = #tinyattn.layout<keys>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<2x8xi32>
  return
}

// -----

func.func @context_rows(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<5x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op has 2 pairs of rows in its panels, but a destination of 5 rows}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<5x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<5x16xi8>
  return
}

// -----

func.func @context_left(%e: tensor<2x2x5x2xi32>, %s: tensor<2x4xi32>, %v: tensor<8x5xi32>, %m: tensor<2xi32>, %y: tensor<2x7x2xi32>) {
  // expected-error @below {{'tinyattn.packed_context' op expects destination of shape [2, 8, 2], got [2, 7, 2]}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m
      : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>) outs(%y : tensor<2x7x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<2x7x2xi32>
  return
}

// -----

func.func @context_odd_rows(%e: tensor<2x2x5x2xi32>, %v: tensor<8x5xi32>, %s: tensor<2x4xi32>, %m: tensor<2xi32>, %i: tensor<3x16xi8>) {
  // expected-error @below {{'tinyattn.packed_context' op has odd_rows, which is for panels, with the layout 'rows'}}
  %c = tinyattn.packed_context ins(%e, %v, %s, %m : tensor<2x2x5x2xi32>, tensor<8x5xi32>, tensor<2x4xi32>, tensor<2xi32>)
    outs(%i : tensor<3x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, odd_rows} -> tensor<3x16xi8>
  return
}
