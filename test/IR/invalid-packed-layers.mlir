// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @valid(%x: tensor<1x8x8xi8>, %f: tensor<1x9x8xi8>, %first: index,
    %l: tensor<2x2x2xi32>, %rows: tensor<5x9xi8>, %t: tensor<256xi8>) {
  // These are OK.
  %0 = tinyattn.pad ins(%x : tensor<1x8x8xi8>) outs(%f : tensor<1x9x8xi8>)
    {low = array<i64: 0, 1, 0>, value = 3 : i32} -> tensor<1x9x8xi8>
  %1 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<2x2x2xi32>)
    {channels_first, count = 3 : i64, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  %2 = tinyattn.normalized_softmax ins(%rows, %t : tensor<5x9xi8>, tensor<256xi8>)
    outs(%rows : tensor<5x9xi8>) -> tensor<5x9xi8>
  return
}

func.func @pad_low(%x: tensor<1x8x8xi8>, %f: tensor<1x9x8xi8>) {
  // expected-error @below {{'tinyattn.pad' op expects 3 numbers in low, got 2}}
  %0 = tinyattn.pad ins(%x : tensor<1x8x8xi8>) outs(%f : tensor<1x9x8xi8>)
    {low = array<i64: 0, 1>, value = 3 : i32} -> tensor<1x9x8xi8>
  return
}

// -----

func.func @pad_frame(%x: tensor<1x8x8xi8>, %f: tensor<1x9x8xi8>) {
  // expected-error @below {{'tinyattn.pad' op puts 8 elements from 2 on into 9 of dimension 1}}
  %0 = tinyattn.pad ins(%x : tensor<1x8x8xi8>) outs(%f : tensor<1x9x8xi8>)
    {low = array<i64: 0, 2, 0>, value = 3 : i32} -> tensor<1x9x8xi8>
  return
}

// -----

func.func @patches_numbers(%x: tensor<1x8x8xi8>, %first: index, %l: tensor<2x2x2xi32>) {
  // expected-error @below {{'tinyattn.pack_patches' op expects two numbers in kernel and in strides}}
  %0 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<2x2x2xi32>)
    {channels_first, count = 3 : i64, kernel = array<i64: 2>, strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  return
}

// -----

func.func @patches_kernel(%x: tensor<1x8x8xi8>, %first: index, %l: tensor<2x2x2xi32>) {
  // expected-error @below {{'tinyattn.pack_patches' op has a kernel of 9 and a stride of 2 on 8 elements of dimension 0}}
  %0 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<2x2x2xi32>)
    {channels_first, count = 3 : i64, kernel = array<i64: 9, 2>, strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  return
}

// -----

func.func @patches_count(%x: tensor<1x8x8xi8>, %first: index, %l: tensor<2x2x2xi32>) {
  // expected-error @below {{'tinyattn.pack_patches' op packs 17 of 16 patches}}
  %0 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<2x2x2xi32>)
    {channels_first, count = 17 : i64, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  return
}

// -----

func.func @patches_shape(%x: tensor<1x8x8xi8>, %first: index, %l: tensor<2x2x2xi32>) {
  // expected-error @below {{'tinyattn.pack_patches' op expects destination of shape [3, 2, 2], got [2, 2, 2]}}
  %0 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<2x2x2xi32>)
    {channels_first, count = 5 : i64, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} -> tensor<2x2x2xi32>
  return
}

// -----

func.func @patches_rows(%x: tensor<1x8x8xi8>, %first: index, %l: tensor<3x5xi8>) {
  // expected-error @below {{'tinyattn.pack_patches' op expects destination of shape [3, 4], got [3, 5]}}
  %0 = tinyattn.pack_patches ins(%x, %first : tensor<1x8x8xi8>, index) outs(%l : tensor<3x5xi8>)
    {channels_first, count = 3 : i64, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} -> tensor<3x5xi8>
  return
}

// -----

func.func @softmax_scalar(%x: tensor<i8>, %t: tensor<256xi8>) {
  // expected-error @below {{'tinyattn.normalized_softmax' op expects rows, got a scalar}}
  %0 = tinyattn.normalized_softmax ins(%x, %t : tensor<i8>, tensor<256xi8>) outs(%x : tensor<i8>) -> tensor<i8>
  return
}

// -----

func.func @softmax_table(%x: tensor<5x9xi8>, %t: tensor<255xi8>) {
  // expected-error @below {{'tinyattn.normalized_softmax' op expects table of shape [256], got [255]}}
  %0 = tinyattn.normalized_softmax ins(%x, %t : tensor<5x9xi8>, tensor<255xi8>)
    outs(%x : tensor<5x9xi8>) -> tensor<5x9xi8>
  return
}

// -----

func.func @softmax_shape(%x: tensor<5x9xi8>, %t: tensor<256xi8>, %y: tensor<9x5xi8>) {
  // expected-error @below {{'tinyattn.normalized_softmax' op expects destination of shape [5, 9], got [9, 5]}}
  %0 = tinyattn.normalized_softmax ins(%x, %t : tensor<5x9xi8>, tensor<256xi8>)
    outs(%y : tensor<9x5xi8>) -> tensor<9x5xi8>
  return
}
