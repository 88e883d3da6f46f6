// RUN: tinyformer-opt %s -split-input-file -tinyattn-pack-operands -canonicalize | FileCheck %s

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// A convolution is a product of patches. Along k, the runs of a patch follow
// each other: three bytes of a row of the image, and a 0 because that is odd.
// The padding becomes a frame of the zero point.
// CHECK-LABEL: @conv
// CHECK-SAME: %[[X:.*]]: tensor<3x4x1xi8>
// CHECK: %[[W:.*]] = arith.constant dense_resource<[[PANEL:.*]]> : tensor<1x8xi32>
// CHECK: %[[PADDED:.*]] = tinyattn.pad ins(%[[X]]
// CHECK-SAME: {low = array<i64: 1, 0, 0>, value = -7 : i32} -> tensor<4x4x1xi8>
// CHECK: %[[L:.*]] = tinyattn.pack_patches ins(%[[PADDED]], %{{.*}}) outs(%{{.*}} : tensor<3x4x2xi32>)
// CHECK-SAME: count = 6 : i64, kernel = array<i64: 2, 3>, strides = array<i64: 1, 1>
// CHECK: %[[Y:.*]] = tinyattn.packed_linear ins(%[[L]], %[[W]]
// CHECK-SAME: -> tensor<6x2xi8>
// CHECK: tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]]
func.func @conv(%x: tensor<3x4x1xi8>, %i: tensor<3x2x2xi8>) -> tensor<3x2x2xi8> {
  %w = arith.constant dense<[[[[1], [2], [3]], [[4], [5], [6]]], [[[7], [8], [9]], [[10], [11], [12]]]]> : tensor<2x2x3x1xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %m = arith.constant dense<[9, 10]> : tensor<2xi32>
  %y = tinyattn.conv ins(%x, %w, %b, %m
      : tensor<3x4x1xi8>, tensor<2x2x3x1xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<3x2x2xi8>)
    {strides = array<i64: 1, 1>, padding = array<i64: 1, 0, 0, 0>, input_zero_point = -7 : i32,
     requant = #tinyattn.requant<shift = 20>} -> tensor<3x2x2xi8>
  return %y : tensor<3x2x2xi8>
}
}

// 256*7+1 | (256*8+2)<<16, 256*9+3, 256*10+4 | (256*11+5)<<16, 256*12+6.
// CHECK: [[PANEL]]: "0x04000000070800000700000000900000A0000000010702080309000004{{0A050B060C0000}}"

// -----

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// With the channels first, runs are rows of a channel: weights (o, p, q, c) are
// in the order c, p, q. Many patches are packed some at a time.
// CHECK-LABEL: @channels_first
// CHECK: arith.constant dense_resource<[[PANEL:.*]]> : tensor<1x6xi32>
// CHECK: scf.for %[[PAIR:.*]] = %{{.*}} to %c64{{.*}} step %c32
// CHECK: %[[FIRST:.*]] = arith.muli %[[PAIR]], %c2
// CHECK: tinyattn.pack_patches ins(%{{.*}}, %[[FIRST]]
// CHECK-SAME: channels_first, count = 64 : i64
func.func @channels_first(%x: tensor<2x16x9xi8>, %i: tensor<16x8x1xi8>) -> tensor<16x8x1xi8> {
  %w = arith.constant dense<[[[[1, 2], [3, 4]]]]> : tensor<1x1x2x2xi8>
  %b = arith.constant dense<0> : tensor<1xi32>
  %m = arith.constant dense<9> : tensor<1xi32>
  %y = tinyattn.conv ins(%x, %w, %b, %m
      : tensor<2x16x9xi8>, tensor<1x1x2x2xi8>, tensor<1xi32>, tensor<1xi32>)
    outs(%i : tensor<16x8x1xi8>)
    {channels_first, strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
     input_zero_point = 0 : i32, requant = #tinyattn.requant<shift = 20>} -> tensor<16x8x1xi8>
  return %y : tensor<16x8x1xi8>
}
}

// CHECK: [[PANEL]]: "0x04000000000000000000000000900000000000000100030002000400"

// -----

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// The table that makes signed bytes of unsigned ones goes into the softmax; of
// another one, the rest remains.
// CHECK-LABEL: @softmax
// CHECK-SAME: %[[X:.*]]: tensor<2x3xi8>, %[[I:.*]]: tensor<2x3xi8>
// CHECK-DAG: %[[EXP:.*]] = arith.constant dense_resource<[[TABLE:exp.*]]> : tensor<256xi8>
// CHECK: %[[Y:.*]] = tinyattn.normalized_softmax ins(%[[X]], %[[EXP]]
// CHECK: %[[Z:.*]] = tinyattn.lookup ins(%[[Y]],
// CHECK: return %[[Y]], %[[Z]]
func.func @softmax(%x: tensor<2x3xi8>, %i: tensor<2x3xi8>) -> (tensor<2x3xi8>, tensor<2x3xi8>) {
  %t = arith.constant dense_resource<exp_table> : tensor<256xi8>
  %signs = arith.constant dense_resource<signs> : tensor<256xi8>
  %zeros = arith.constant dense<0> : tensor<256xi8>
  %y = tinyattn.softmax ins(%x, %t : tensor<2x3xi8>, tensor<256xi8>)
    outs(%i : tensor<2x3xi8>) -> tensor<2x3xi8>
  %z = tinyattn.lookup ins(%y, %signs : tensor<2x3xi8>, tensor<256xi8>)
    outs(%i : tensor<2x3xi8>) -> tensor<2x3xi8>
  %n = tinyattn.lookup ins(%y, %zeros : tensor<2x3xi8>, tensor<256xi8>)
    outs(%i : tensor<2x3xi8>) -> tensor<2x3xi8>
  return %z, %n : tensor<2x3xi8>, tensor<2x3xi8>
}
}

{-#
  dialect_resources: {
    builtin: {
      exp_table: "0x01000000FF070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070703",
      signs: "0x01000000000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"
    }
  }
#-}
// CHECK: [[TABLE]]: "0x010000000307
