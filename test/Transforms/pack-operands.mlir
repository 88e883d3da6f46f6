// RUN: tinyformer-opt %s -split-input-file -tinyattn-pack-operands -canonicalize | FileCheck %s

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// Plain weights are gone. Channels a, b = 0, 1: weights 1, 2, 3 and 4, 5, 6, bias 7 and 8,
// multipliers 9 and 10, shift 20, so that the words are 256*8+7, 7, 9<<12, 10<<4,
// 256*4+1 | (256*5+2)<<16, 256*6+3.
// CHECK-LABEL: @linear
// CHECK-SAME: %[[X:.*]]: tensor<5x3xi8>, %[[I:.*]]: tensor<5x2xi8>
// CHECK-NOT: tensor<2x3xi8>
// CHECK: %[[W:.*]] = arith.constant dense_resource<[[PANEL:.*]]> : tensor<1x6xi32>
// CHECK: %[[L:.*]] = tinyattn.pack_rows ins(%[[X]] : tensor<5x3xi8>) outs(%{{.*}} : tensor<3x2x2xi32>)
// CHECK: %[[Y:.*]] = tinyattn.packed_linear ins(%[[L]], %[[W]] : tensor<3x2x2xi32>, tensor<1x6xi32>) outs(%[[I]] : tensor<5x2xi8>)
// CHECK-SAME: form = #tinyattn.form<joint>, layout = #tinyattn.layout<rows>, requant = #tinyattn.requant<shift = 20, zero_point = -3>
// CHECK: return %[[Y]]
func.func @linear(%x: tensor<5x3xi8>, %i: tensor<5x2xi8>) -> tensor<5x2xi8> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %m = arith.constant dense<[9, 10]> : tensor<2xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>)
    {requant = #tinyattn.requant<shift = 20, zero_point = -3>} -> tensor<5x2xi8>
  return %y : tensor<5x2xi8>
}
}

// CHECK: [[PANEL]]: "0x04000000070800000700000000900000A0000000010402050306{{0000}}"

// -----

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// Weights in the order in which bytes are extended: k = 0 and 2, 1 and 3; behind
// the last four, 4 and 5.
// CHECK-LABEL: @interleaved
// CHECK: tinyattn.pack_rows
// CHECK-SAME: {interleaved}
func.func @interleaved(%x: tensor<5x6xi8>, %i: tensor<5x2xi8>) -> tensor<5x2xi8> {
  %w = arith.constant dense<[[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]> : tensor<2x6xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %m = arith.constant dense<[9, 10]> : tensor<2xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<5x6xi8>, tensor<2x6xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>)
    {requant = #tinyattn.requant<shift = 20>} -> tensor<5x2xi8>
  return %y : tensor<5x2xi8>
}
}

// CHECK: "0x04000000070800000700000000900000A0000000010703090208040A050B060C"

// -----

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// A bias of 2^23 in the second channel: the separate form.
// CHECK-LABEL: @separate
// CHECK: tinyattn.packed_linear
// CHECK-SAME: tensor<1x8xi32>
// CHECK-SAME: form = #tinyattn.form<separate>
func.func @separate(%x: tensor<5x3xi8>, %i: tensor<5x2xi8>) -> tensor<5x2xi8> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %b = arith.constant dense<[7, 8388608]> : tensor<2xi32>
  %m = arith.constant dense<[9, 10]> : tensor<2xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>)
    {requant = #tinyattn.requant<shift = 20>} -> tensor<5x2xi8>
  return %y : tensor<5x2xi8>
}

// One below, and an odd number of channels: joint, padded.
// CHECK-LABEL: @joint
// CHECK: tinyattn.packed_linear
// CHECK-SAME: tensor<2x6xi32>
// CHECK-SAME: form = #tinyattn.form<joint>
func.func @joint(%x: tensor<5x3xi8>, %i: tensor<5x3xi8>) -> tensor<5x3xi8> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9]]> : tensor<3x3xi8>
  // 2^23 - 1 - 128*(4+5+6)
  %b = arith.constant dense<[7, 8386687, 8388608]> : tensor<3xi32>
  %m = arith.constant dense<[9, 10, 11]> : tensor<3xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<5x3xi8>, tensor<3x3xi8>, tensor<3xi32>, tensor<3xi32>)
    outs(%i : tensor<5x3xi8>)
    {requant = #tinyattn.requant<shift = 20>} -> tensor<5x3xi8>
  return %y : tensor<5x3xi8>
}

// A shift of 16, one of 17 with a multiplier of 2^16, wide, and weights that are not constant.
// CHECK-LABEL: @stays
// CHECK-NOT: pack
// CHECK-COUNT-4: tinyattn.linear
// CHECK-NOT: pack
func.func @stays(%x: tensor<5x3xi8>, %i: tensor<5x2xi8>, %v: tensor<2x3xi8>)
    -> (tensor<5x2xi8>, tensor<5x2xi8>, tensor<5x2xi8>, tensor<5x2xi8>) {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %m = arith.constant dense<[9, 65536]> : tensor<2xi32>
  %0 = tinyattn.linear ins(%x, %w, %b, %b : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>) {requant = #tinyattn.requant<shift = 16>} -> tensor<5x2xi8>
  %1 = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>) {requant = #tinyattn.requant<shift = 17>} -> tensor<5x2xi8>
  %2 = tinyattn.linear ins(%x, %w, %b, %m : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>) {requant = #tinyattn.requant<shift = 30, wide = true>} -> tensor<5x2xi8>
  %3 = tinyattn.linear ins(%x, %v, %b, %b : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>) {requant = #tinyattn.requant<shift = 20>} -> tensor<5x2xi8>
  return %0, %1, %2, %3 : tensor<5x2xi8>, tensor<5x2xi8>, tensor<5x2xi8>, tensor<5x2xi8>
}

// Rows of 64 bytes as 16 bits: 4 rows are 512 bytes, 9 rows are two blocks and a rest.
// CHECK-LABEL: @blocks
// CHECK: scf.for %[[P:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[A:.*]] = %{{.*}})
// CHECK: %[[R:.*]] = arith.muli %[[P]]
// CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}}[%[[R]], 0] [4, 64]
// CHECK: tinyattn.pack_rows ins(%[[S]]
// CHECK: %[[Y:.*]] = tinyattn.packed_linear
// CHECK: tensor.insert_slice %[[Y]] into %[[A]]
// CHECK: tensor.extract_slice %{{.*}}[8, 0] [1, 64]
// CHECK: tinyattn.pack_rows
// CHECK: tinyattn.packed_linear
func.func @blocks(%x: tensor<9x64xi8>, %i: tensor<9x2xi8>) -> tensor<9x2xi8> {
  %w = arith.constant dense<3> : tensor<2x64xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %b
      : tensor<9x64xi8>, tensor<2x64xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<9x2xi8>)
    {requant = #tinyattn.requant<shift = 20>} -> tensor<9x2xi8>
  return %y : tensor<9x2xi8>
}

// A part of the depth for each head: panels of their own, one after the other.
// CHECK-LABEL: @parts
// CHECK: %[[W:.*]] = arith.constant dense_resource<{{.*}}> : tensor<3x2xi32>
// CHECK: scf.for %[[H:.*]] = %{{.*}} iter_args
// CHECK: tensor.extract_slice %[[W]][%[[H]], 0] [1, 2] [1, 1]
// CHECK: tinyattn.packed_linear
// CHECK-SAME: outs(%{{.*}} : tensor<5x2xi32>) {form = #tinyattn.form<joint>, layout = #tinyattn.layout<rows>}
func.func @parts(%x: tensor<5x4xi8>, %i: tensor<5x2xi32>) -> tensor<5x2xi32> {
  %w = arith.constant dense<3> : tensor<2x12xi8>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %y = scf.for %h = %c0 to %c3 step %c1 iter_args(%a = %i) -> tensor<5x2xi32> {
    %k = arith.muli %h, %c4 : index
    %wh = tensor.extract_slice %w[0, %k] [2, 4] [1, 1] : tensor<2x12xi8> to tensor<2x4xi8>
    %s = tinyattn.linear_accumulate ins(%x, %wh : tensor<5x4xi8>, tensor<2x4xi8>)
      outs(%a : tensor<5x2xi32>) -> tensor<5x2xi32>
    scf.yield %s : tensor<5x2xi32>
  }
  return %y : tensor<5x2xi32>
}
}

// -----

// For other targets, nothing happens.
// CHECK-LABEL: @no_target
// CHECK: tinyattn.linear
func.func @no_target(%x: tensor<5x3xi8>, %i: tensor<5x2xi8>) -> tensor<5x2xi8> {
  %w = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>
  %b = arith.constant dense<[7, 8]> : tensor<2xi32>
  %y = tinyattn.linear ins(%x, %w, %b, %b
      : tensor<5x3xi8>, tensor<2x3xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%i : tensor<5x2xi8>) {requant = #tinyattn.requant<shift = 20>} -> tensor<5x2xi8>
  return %y : tensor<5x2xi8>
}
