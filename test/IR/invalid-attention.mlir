// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @mhsa_valid(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // This one is OK.
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

func.func @mhsa_input_rank(%x: tensor<8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects input of rank 2, got shape [8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_no_heads(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects at least 1 head, got 0}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 0 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_query_weight_rank(%x: tensor<5x8xf32>, %qw: tensor<8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects query_weight of rank 2, got shape [8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_value_weight_shape(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x7xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects value_weight of shape [6, 8], got [6, 7]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x7xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_output_weight_type(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xi8>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects elements of type 'f32' in output_weight, got 'i8'}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xi8>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_key_bias_shape(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<6xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects key_bias of shape [8], got [6]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<6xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_query_bias_type(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xi32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects elements of type 'f32' in query_bias, got 'i32'}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xi32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_query_multipliers(%x: tensor<5x8xf32>,
    %qw: tensor<8x8xf32>, %qb: tensor<8xf32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xf32>, %kb: tensor<8xf32>, %vw: tensor<6x8xf32>,
    %vb: tensor<6xf32>, %ow: tensor<8x6xf32>, %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no query_multipliers on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xf32>, tensor<8xf32>, tensor<8xi32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_value_requant(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no value_requant on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32,
     value_requant = #tinyattn.requant<shift = 12>}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_query_heads(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op cannot split 8 channels of query into 3 heads}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 3 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_value_heads(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op cannot split 6 channels of value into 4 heads}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 4 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_result_shape(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects the result of shape [5, 8], got [5, 6]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x6xf32>
  return
}

// -----

func.func @mhsa_result_type(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects elements of type 'f32' in the result, got 'i8'}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xi8>
  return
}

// -----

func.func @mhsa_with_scores_multipliers(%x: tensor<5x8xf32>,
    %qw: tensor<8x8xf32>, %qb: tensor<8xf32>, %kw: tensor<8x8xf32>,
    %kb: tensor<8xf32>, %vw: tensor<6x8xf32>, %vb: tensor<6xf32>,
    %ow: tensor<8x6xf32>, %ob: tensor<8xf32>, %sm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no scores_multipliers on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    scores(%sm : tensor<2xi32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_context_multipliers(%x: tensor<5x8xf32>,
    %qw: tensor<8x8xf32>, %qb: tensor<8xf32>, %kw: tensor<8x8xf32>,
    %kb: tensor<8xf32>, %vw: tensor<6x8xf32>, %vb: tensor<6xf32>,
    %ow: tensor<8x6xf32>, %ob: tensor<8xf32>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no context_multipliers on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    context(%cm : tensor<2xi32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_exp_table(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>, %t: tensor<256xi8>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no exp_table on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    exp(%t : tensor<256xi8>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_scores_requant(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no scores_requant on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32,
     scores_requant = #tinyattn.requant<shift = 12>}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_with_context_requant(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no context_requant on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {context_requant = #tinyattn.requant<shift = 12>, heads = 2 : i64,
     scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_without_scale(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<8x8xf32>, %kb: tensor<8xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs scale on f32}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<8x8xf32>, tensor<8xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_key_weight_shape(%x: tensor<5x8xf32>, %qw: tensor<8x8xf32>,
    %qb: tensor<8xf32>, %kw: tensor<4x8xf32>, %kb: tensor<4xf32>,
    %vw: tensor<6x8xf32>, %vb: tensor<6xf32>, %ow: tensor<8x6xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects key_weight of shape [8, 8], got [4, 8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    key(%kw, %kb : tensor<4x8xf32>, tensor<4xf32>)
    value(%vw, %vb : tensor<6x8xf32>, tensor<6xf32>)
    output(%ow, %ob : tensor<8x6xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_valid(%x: tensor<5x8xi8>, %qw: tensor<8x8xi8>,
    %qb: tensor<8xi32>, %qm: tensor<8xi32>, %kw: tensor<8x8xi8>,
    %kb: tensor<8xi32>, %km: tensor<8xi32>, %vw: tensor<6x8xi8>,
    %vb: tensor<6xi32>, %vm: tensor<6xi32>, %ow: tensor<8x6xi8>,
    %ob: tensor<8xi32>, %om: tensor<8xi32>, %sm: tensor<2xi32>,
    %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // This one is OK.
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

func.func @mhsa_on_i8_without_key_multipliers(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %vw: tensor<6x8xi8>,
    %vb: tensor<6xi32>, %vm: tensor<6xi32>, %ow: tensor<8x6xi8>,
    %ob: tensor<8xi32>, %om: tensor<8xi32>, %sm: tensor<2xi32>,
    %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs key_multipliers on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb : tensor<8x8xi8>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_output_requant(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs output_requant on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     query_requant = #r, scores_requant = #r, value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_multipliers_shape(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<8xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects value_multipliers of shape [6], got [8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<8xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_scores_multipliers(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs scores_multipliers on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_context_multipliers(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>) {
  // expected-error @below {{'tinyattn.mhsa' op needs context_multipliers on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_exp_table(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs exp_table on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_scores_requant(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs scores_requant on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_without_context_requant(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op needs context_requant on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {heads = 2 : i64, key_requant = #r, output_requant = #r,
     query_requant = #r, scores_requant = #r, value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_with_scale(%x: tensor<5x8xi8>, %qw: tensor<8x8xi8>,
    %qb: tensor<8xi32>, %qm: tensor<8xi32>, %kw: tensor<8x8xi8>,
    %kb: tensor<8xi32>, %km: tensor<8xi32>, %vw: tensor<6x8xi8>,
    %vb: tensor<6xi32>, %vm: tensor<6xi32>, %ow: tensor<8x6xi8>,
    %ob: tensor<8xi32>, %om: tensor<8xi32>, %sm: tensor<2xi32>,
    %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op takes no scale on i8}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scale = 5.000000e-01 : f32,
     scores_requant = #r, value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_scores_multipliers_shape(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<8xi32>, %t: tensor<256xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects scores_multipliers of shape [2], got [8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<8xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_context_multipliers_shape(%x: tensor<5x8xi8>,
    %qw: tensor<8x8xi8>, %qb: tensor<8xi32>, %qm: tensor<8xi32>,
    %kw: tensor<8x8xi8>, %kb: tensor<8xi32>, %km: tensor<8xi32>,
    %vw: tensor<6x8xi8>, %vb: tensor<6xi32>, %vm: tensor<6xi32>,
    %ow: tensor<8x6xi8>, %ob: tensor<8xi32>, %om: tensor<8xi32>,
    %sm: tensor<2xi32>, %t: tensor<256xi8>, %cm: tensor<8xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects context_multipliers of shape [2], got [8]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<256xi8>)
    context(%cm : tensor<8xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

#r = #tinyattn.requant<shift = 12>

func.func @mhsa_on_i8_exp_table_shape(%x: tensor<5x8xi8>, %qw: tensor<8x8xi8>,
    %qb: tensor<8xi32>, %qm: tensor<8xi32>, %kw: tensor<8x8xi8>,
    %kb: tensor<8xi32>, %km: tensor<8xi32>, %vw: tensor<6x8xi8>,
    %vb: tensor<6xi32>, %vm: tensor<6xi32>, %ow: tensor<8x6xi8>,
    %ob: tensor<8xi32>, %om: tensor<8xi32>, %sm: tensor<2xi32>,
    %t: tensor<128xi8>, %cm: tensor<2xi32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects exp_table of shape [256], got [128]}}
  %y = tinyattn.mhsa %x
    query(%qw, %qb, %qm : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%kw, %kb, %km : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%vw, %vb, %vm : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%ow, %ob, %om : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%sm : tensor<2xi32>)
    exp(%t : tensor<128xi8>)
    context(%cm : tensor<2xi32>)
    {context_requant = #r, heads = 2 : i64, key_requant = #r,
     output_requant = #r, query_requant = #r, scores_requant = #r,
     value_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return
}

// -----

func.func @fused_mhsa_valid(%x: tensor<5x8xf32>, %qw: tensor<16x8xf32>,
    %qb: tensor<16xf32>, %ow: tensor<6x16xf32>, %ob: tensor<6xf32>) {
  // This one is OK.
  %y = tinyattn.fused_mhsa %x
    query(%qw, %qb : tensor<16x8xf32>, tensor<16xf32>)
    output(%ow, %ob : tensor<6x16xf32>, tensor<6xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x6xf32>
  return
}

func.func @fused_mhsa_query_weight_shape(%x: tensor<5x8xf32>,
    %qw: tensor<8x8xf32>, %qb: tensor<8xf32>, %ow: tensor<8x16xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.fused_mhsa' op expects query_weight of shape [16, 8], got [8, 8]}}
  %y = tinyattn.fused_mhsa %x
    query(%qw, %qb : tensor<8x8xf32>, tensor<8xf32>)
    output(%ow, %ob : tensor<8x16xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @fused_mhsa_output_weight_shape(%x: tensor<5x8xf32>,
    %qw: tensor<16x8xf32>, %qb: tensor<16xf32>, %ow: tensor<8x8xf32>,
    %ob: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.fused_mhsa' op expects output_weight of shape [8, 16], got [8, 8]}}
  %y = tinyattn.fused_mhsa %x
    query(%qw, %qb : tensor<16x8xf32>, tensor<16xf32>)
    output(%ow, %ob : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}

// -----

func.func @mhsa_rows_valid(%x: tensor<5x8xf32>, %r: tensor<2x8xf32>, %w: tensor<8x8xf32>,
    %b: tensor<8xf32>) {
  // This one is OK.
  %y = tinyattn.mhsa %x query_rows(%r : tensor<2x8xf32>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mhsa_rows_rank(%x: tensor<5x8xf32>, %r: tensor<8xf32>, %w: tensor<8x8xf32>,
    %b: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects query_rows of rank 2, got shape [8]}}
  %y = tinyattn.mhsa %x query_rows(%r : tensor<8xf32>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mhsa_rows_width(%x: tensor<5x8xf32>, %r: tensor<2x6xf32>, %w: tensor<8x8xf32>,
    %b: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects query_rows of shape [2, 8], got [2, 6]}}
  %y = tinyattn.mhsa %x query_rows(%r : tensor<2x6xf32>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mhsa_rows_type(%x: tensor<5x8xf32>, %r: tensor<2x8xi8>, %w: tensor<8x8xf32>,
    %b: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects elements of type 'f32' in query_rows, got 'i8'}}
  %y = tinyattn.mhsa %x query_rows(%r : tensor<2x8xi8>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mhsa_rows_result(%x: tensor<5x8xf32>, %r: tensor<2x8xf32>, %w: tensor<8x8xf32>,
    %b: tensor<8xf32>) {
  // expected-error @below {{'tinyattn.mhsa' op expects the result of shape [2, 8], got [5, 8]}}
  %y = tinyattn.mhsa %x query_rows(%r : tensor<2x8xf32>)
    query(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    key(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    value(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    output(%w, %b : tensor<8x8xf32>, tensor<8xf32>)
    {heads = 2 : i64, scale = 5.000000e-01 : f32}
    : tensor<5x8xf32> -> tensor<5x8xf32>
  return
}
