// RUN: tinyformer-opt %s -verify-roundtrip | FileCheck %s

// The examples of the documentation, and each form that they leave out.

// CHECK-LABEL: @pack
func.func @pack(%x: tensor<5x6xi8>, %l: tensor<3x3x2xi32>, %r: tensor<3x3xi32>)
    -> (tensor<3x3x2xi32>, tensor<3x3x2xi32>, tensor<3x3xi32>, tensor<3x3x2xi32>, tensor<3x3x2xi32>) {
  // CHECK: tinyattn.pack_rows ins(%{{.*}} : tensor<5x6xi8>) outs(%{{.*}} : tensor<3x3x2xi32>) -> tensor<3x3x2xi32>
  %0 = tinyattn.pack_rows ins(%x : tensor<5x6xi8>)
    outs(%l : tensor<3x3x2xi32>) -> tensor<3x3x2xi32>
  // CHECK: tinyattn.pack_rows
  // CHECK-SAME: {unsigned_input}
  %1 = tinyattn.pack_rows ins(%x : tensor<5x6xi8>)
    outs(%l : tensor<3x3x2xi32>) {unsigned_input} -> tensor<3x3x2xi32>
  // CHECK: tinyattn.pack_columns
  // CHECK-SAME: {form = #tinyattn.form<joint>} -> tensor<3x3xi32>
  %2 = tinyattn.pack_columns ins(%x : tensor<5x6xi8>)
    outs(%r : tensor<3x3xi32>) {form = #tinyattn.form<joint>} -> tensor<3x3xi32>
  // CHECK: tinyattn.pack_columns
  // CHECK-SAME: {form = #tinyattn.form<separate>} -> tensor<3x3x2xi32>
  %3 = tinyattn.pack_columns ins(%x : tensor<5x6xi8>)
    outs(%l : tensor<3x3x2xi32>) {form = #tinyattn.form<separate>} -> tensor<3x3x2xi32>
  // CHECK: tinyattn.pack_rows
  // CHECK-SAME: {interleaved}
  %4 = tinyattn.pack_rows ins(%x : tensor<5x6xi8>)
    outs(%l : tensor<3x3x2xi32>) {interleaved} -> tensor<3x3x2xi32>
  return %0, %1, %2, %3, %4 : tensor<3x3x2xi32>, tensor<3x3x2xi32>, tensor<3x3xi32>, tensor<3x3x2xi32>, tensor<3x3x2xi32>
}

// CHECK-LABEL: @packed_linear
func.func @packed_linear(%l: tensor<3x4x2xi32>, %w: tensor<6x8xi32>, %ws: tensor<6x8xi32>,
    %rows: tensor<5x12xi8>, %left: tensor<3x6x2xi32>, %keys: tensor<3x6xi32>,
    %values: tensor<6x3x2xi32>, %sums: tensor<5x11xi32>)
    -> (tensor<5x12xi8>, tensor<3x6x2xi32>, tensor<3x6xi32>, tensor<6x3x2xi32>, tensor<5x11xi32>) {
  // CHECK: tinyattn.packed_linear
  // CHECK-SAME: form = #tinyattn.form<joint>, layout = #tinyattn.layout<rows>
  // CHECK-SAME: requant = #tinyattn.requant<shift = 20, zero_point = -3>
  %0 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>)
    outs(%rows : tensor<5x12xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20, zero_point = -3>}
    -> tensor<5x12xi8>
  // CHECK: layout = #tinyattn.layout<left>, odd_rows
  %1 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>)
    outs(%left : tensor<3x6x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>, odd_rows} -> tensor<3x6x2xi32>
  // CHECK: layout = #tinyattn.layout<keys>
  // CHECK-SAME: result_form = #tinyattn.form<joint>
  %2 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>)
    outs(%keys : tensor<3x6xi32>)
    {layout = #tinyattn.layout<keys>, form = #tinyattn.form<joint>,
     result_form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x6xi32>
  // CHECK: layout = #tinyattn.layout<values>
  // CHECK-SAME: result_form = #tinyattn.form<separate>
  %3 = tinyattn.packed_linear ins(%l, %w : tensor<3x4x2xi32>, tensor<6x8xi32>)
    outs(%values : tensor<6x3x2xi32>)
    {layout = #tinyattn.layout<values>, form = #tinyattn.form<joint>,
     result_form = #tinyattn.form<separate>,
     requant = #tinyattn.requant<shift = 20>} -> tensor<6x3x2xi32>
  // CHECK: tinyattn.packed_linear
  // CHECK-SAME: {form = #tinyattn.form<separate>, layout = #tinyattn.layout<rows>}
  %4 = tinyattn.packed_linear ins(%l, %ws : tensor<3x4x2xi32>, tensor<6x8xi32>)
    outs(%sums : tensor<5x11xi32>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<separate>} -> tensor<5x11xi32>
  return %0, %1, %2, %3, %4
    : tensor<5x12xi8>, tensor<3x6x2xi32>, tensor<3x6xi32>, tensor<6x3x2xi32>, tensor<5x11xi32>
}

// CHECK-LABEL: @attention
func.func @attention(%q: tensor<1x8x2xi32>, %k: tensor<5x8xi32>, %shared: tensor<5x4x2xi32>,
    %v: tensor<8x5xi32>, %m: tensor<2xi32>, %t: tensor<256xi8>, %scores: tensor<2x2x12xi8>,
    %i0: tensor<2x1x5x2xi32>, %i1: tensor<2x2xi32>, %left: tensor<1x8x2xi32>,
    %rows: tensor<2x16xi8>) -> (tensor<2x2x12xi8>, tensor<1x8x2xi32>, tensor<2x16xi8>) {
  // CHECK: tinyattn.packed_scores
  // CHECK-SAME: {columns = 9 : i64, form = #tinyattn.form<joint>
  %s = tinyattn.packed_scores ins(%q, %k, %m
      : tensor<1x8x2xi32>, tensor<5x8xi32>, tensor<2xi32>)
    outs(%scores : tensor<2x2x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 19, zero_point = 4>}
    -> tensor<2x2x12xi8>
  // CHECK: tinyattn.packed_scores
  // CHECK-SAME: tensor<5x4x2xi32>
  %s1 = tinyattn.packed_scores ins(%q, %shared, %m
      : tensor<1x8x2xi32>, tensor<5x4x2xi32>, tensor<2xi32>)
    outs(%scores : tensor<2x2x12xi8>)
    {columns = 9 : i64, form = #tinyattn.form<separate>,
     requant = #tinyattn.requant<shift = 30>} -> tensor<2x2x12xi8>
  // CHECK: tinyattn.packed_softmax
  // CHECK-SAME: {columns = 9 : i64} -> tensor<2x1x5x2xi32>, tensor<2x2xi32>
  %e, %sums = tinyattn.packed_softmax ins(%s, %t
      : tensor<2x2x12xi8>, tensor<256xi8>)
    outs(%i0, %i1 : tensor<2x1x5x2xi32>, tensor<2x2xi32>) {columns = 9 : i64}
    -> tensor<2x1x5x2xi32>, tensor<2x2xi32>
  // CHECK: tinyattn.packed_context
  // CHECK-SAME: layout = #tinyattn.layout<left>
  %c = tinyattn.packed_context ins(%e, %v, %sums, %m
      : tensor<2x1x5x2xi32>, tensor<8x5xi32>, tensor<2x2xi32>, tensor<2xi32>)
    outs(%left : tensor<1x8x2xi32>)
    {layout = #tinyattn.layout<left>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 22>} -> tensor<1x8x2xi32>
  // CHECK: tinyattn.packed_context
  // CHECK-SAME: layout = #tinyattn.layout<rows>
  %c1 = tinyattn.packed_context ins(%e, %v, %sums, %m
      : tensor<2x1x5x2xi32>, tensor<8x5xi32>, tensor<2x2xi32>, tensor<2xi32>)
    outs(%rows : tensor<2x16xi8>)
    {layout = #tinyattn.layout<rows>, form = #tinyattn.form<joint>,
     requant = #tinyattn.requant<shift = 22>} -> tensor<2x16xi8>
  return %s1, %c, %c1 : tensor<2x2x12xi8>, tensor<1x8x2xi32>, tensor<2x16xi8>
}

// CHECK-LABEL: func.func @rows_of_patches
func.func @rows_of_patches(%x: tensor<1x8x8xi8>, %first: index, %rows: tensor<3x4xi8>) -> tensor<3x4xi8> {
  // CHECK: tinyattn.pack_patches ins(%{{.*}}, %{{.*}} : tensor<1x8x8xi8>, index) outs(%{{.*}} : tensor<3x4xi8>)
  %y = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%rows : tensor<3x4xi8>)
    {channels_first, count = 3 : i64, kernel = array<i64: 2, 2>,
     strides = array<i64: 2, 2>} -> tensor<3x4xi8>
  return %y : tensor<3x4xi8>
}

// CHECK-LABEL: func.func @layers
func.func @layers(%image: tensor<3x4x2xi8>, %frame: tensor<5x5x2xi8>, %first: index,
    %planes: tensor<1x8x8xi8>, %left: tensor<2x2x2xi32>, %odd: tensor<2x6x2xi32>,
    %x: tensor<5x9xi8>, %t: tensor<256xi8>) -> (tensor<2x6x2xi32>, tensor<2x2x2xi32>, tensor<5x9xi8>) {
  // CHECK: tinyattn.pad
  // CHECK-SAME: {low = array<i64: 1, 0, 0>, value = -7 : i32} -> tensor<5x5x2xi8>
  %padded = tinyattn.pad ins(%image : tensor<3x4x2xi8>) outs(%frame : tensor<5x5x2xi8>)
    {low = array<i64: 1, 0, 0>, value = -7 : i32} -> tensor<5x5x2xi8>
  // CHECK: tinyattn.pack_patches
  %rows = tinyattn.pack_patches ins(%padded, %first : tensor<5x5x2xi8>, index)
    outs(%odd : tensor<2x6x2xi32>)
    {count = 3 : i64, kernel = array<i64: 3, 2>, strides = array<i64: 1, 1>} -> tensor<2x6x2xi32>
  // CHECK: tinyattn.pack_patches
  // CHECK-SAME: channels_first
  %patches = tinyattn.pack_patches ins(%planes, %first : tensor<1x8x8xi8>, index)
    outs(%left : tensor<2x2x2xi32>)
    {channels_first, count = 4 : i64, kernel = array<i64: 2, 2>,
     strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  // CHECK: tinyattn.normalized_softmax
  %y = tinyattn.normalized_softmax ins(%x, %t : tensor<5x9xi8>, tensor<256xi8>)
    outs(%x : tensor<5x9xi8>) -> tensor<5x9xi8>
  return %rows, %patches, %y : tensor<2x6x2xi32>, tensor<2x2x2xi32>, tensor<5x9xi8>
}
