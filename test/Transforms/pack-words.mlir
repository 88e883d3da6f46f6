// RUN: tinyformer-opt %s -tinyattn-pack-words -canonicalize | FileCheck %s

#target = #tinyattn.target<name = "chip", core = "ri5cy", isa = "xpulpv2", cores = 1,
  memories = [<name = "l1", kind = ram, size = 65536>]>
module attributes {tinyattn.target = #target} {

// A row a channel: multiplier 300, bias 7 times multiplier plus zero point -3
// times 2^18, the weights 1 to 5 of six bytes in two words.
// CHECK-LABEL: @linear
// CHECK: %[[W:.*]] = arith.constant dense_resource<words> : tensor<2x4xi32>
// CHECK: tinyattn.word_linear ins(%{{.*}}, %[[W]] : tensor<3x5xi8>, tensor<2x4xi32>) outs({{.*}} : tensor<3x2xi8>)
// CHECK-SAME: requant = #tinyattn.requant<shift = 18, zero_point = -3>
func.func @linear(%x: tensor<3x5xi8>) -> tensor<3x2xi8> {
  %w = arith.constant dense<[[1, 2, 3, 4, 5], [-1, -2, -3, -4, -5]]> : tensor<2x5xi8>
  %b = arith.constant dense<[7, -7]> : tensor<2xi32>
  %m = arith.constant dense<300> : tensor<2xi32>
  %init = tensor.empty() : tensor<3x2xi8>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<3x5xi8>, tensor<2x5xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%init : tensor<3x2xi8>) {requant = #tinyattn.requant<shift = 18, zero_point = -3>}
    -> tensor<3x2xi8>
  return %y : tensor<3x2xi8>
}

// The part of one head: some of the rows.
// CHECK-LABEL: @head
// CHECK-SAME: %[[H:[^:]*]]: index
// CHECK: %[[W:.*]] = arith.constant dense_resource<{{.*}}> : tensor<6x3xi32>
// CHECK: %[[FIRST:.*]] = arith.muli %[[H]], %c3
// CHECK: %[[PART:.*]] = tensor.extract_slice %[[W]][%[[FIRST]], 0] [3, 3]
// CHECK: tinyattn.word_linear ins(%{{.*}}, %[[PART]]
func.func @head(%h: index, %x: tensor<3x4xi8>) -> tensor<1x3x3xi8> {
  %w = arith.constant dense<1> : tensor<6x4xi8>
  %b = arith.constant dense<7> : tensor<6xi32>
  %m = arith.constant dense<300> : tensor<6xi32>
  %c3 = arith.constant 3 : index
  %first = arith.muli %h, %c3 : index
  %wh = tensor.extract_slice %w[%first, 0] [3, 4] [1, 1] : tensor<6x4xi8> to tensor<3x4xi8>
  %bh = tensor.extract_slice %b[%first] [3] [1] : tensor<6xi32> to tensor<3xi32>
  %mh = tensor.extract_slice %m[%first] [3] [1] : tensor<6xi32> to tensor<3xi32>
  %init = tensor.empty() : tensor<1x3x3xi8>
  %y = tinyattn.linear ins(%x, %wh, %bh, %mh
      : tensor<3x4xi8>, tensor<3x4xi8>, tensor<3xi32>, tensor<3xi32>)
    outs(%init : tensor<1x3x3xi8>) {heads = 1 : i64, requant = #tinyattn.requant<shift = 18>}
    -> tensor<1x3x3xi8>
  return %y : tensor<1x3x3xi8>
}

// A part of the depth has a panel of its own, without multipliers.
// CHECK-LABEL: @accumulate
// CHECK: %[[W:.*]] = arith.constant dense_resource<{{.*}}> : tensor<4x1xi32>
// CHECK: tensor.extract_slice %[[W]][%{{.*}}, 0] [2, 1]
// CHECK: tinyattn.word_linear {{.*}} outs(%{{.*}} : tensor<3x2xi32>) ->
func.func @accumulate(%h: index, %x: tensor<3x3xi8>, %sums: tensor<3x2xi32>) -> tensor<3x2xi32> {
  %w = arith.constant dense<1> : tensor<2x6xi8>
  %c3 = arith.constant 3 : index
  %first = arith.muli %h, %c3 : index
  %wh = tensor.extract_slice %w[0, %first] [2, 3] [1, 1] : tensor<2x6xi8> to tensor<2x3xi8>
  %y = tinyattn.linear_accumulate ins(%x, %wh : tensor<3x3xi8>, tensor<2x3xi8>)
    outs(%sums : tensor<3x2xi32>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// Values are written transposed; exponentials and values have rows of 12 bytes
// for 9 tokens.
// CHECK-LABEL: @context
// CHECK: %[[WIDE:.*]] = tensor.empty() : tensor<2x2x12xi8>
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[WIDE]][0, 0, 0] [2, 2, 9]
// CHECK: %[[V:.*]] = tinyattn.word_linear {{.*}} outs(%[[ROWS]] : {{.*}} transposed} -> tensor<2x2x9xi8>
// CHECK: tinyattn.matmul ins(%{{.*}}, %[[V]], {{.*}} transpose_b
func.func @context(%x: tensor<9x4xi8>, %e: tensor<2x5x9xi8>, %sums: tensor<2x5xi32>,
    %m: tensor<2xi32>) -> tensor<5x4xi8> {
  %w = arith.constant dense<1> : tensor<4x4xi8>
  %b = arith.constant dense<7> : tensor<4xi32>
  %mv = arith.constant dense<300> : tensor<4xi32>
  %i0 = tensor.empty() : tensor<2x9x2xi8>
  %v = tinyattn.linear ins(%x, %w, %b, %mv
      : tensor<9x4xi8>, tensor<4x4xi8>, tensor<4xi32>, tensor<4xi32>)
    outs(%i0 : tensor<2x9x2xi8>) {heads = 2 : i64, requant = #tinyattn.requant<shift = 18>}
    -> tensor<2x9x2xi8>
  %i1 = tensor.empty() : tensor<5x4xi8>
  %y = tinyattn.matmul ins(%e, %v, %m : tensor<2x5x9xi8>, tensor<2x9x2xi8>, tensor<2xi32>)
    row_sums(%sums : tensor<2x5xi32>) outs(%i1 : tensor<5x4xi8>)
    {merge_heads, requant = #tinyattn.requant<shift = 22>, unsigned_lhs} -> tensor<5x4xi8>
  return %y : tensor<5x4xi8>
}

// A layer of patches around which there is a frame. Rows of 6 bytes begin at
// words.
// CHECK-LABEL: @convolution
// CHECK: %[[W:.*]] = arith.constant dense_resource<{{.*}}> : tensor<2x4xi32>
// CHECK: %[[FRAME:.*]] = tinyattn.pad ins(%{{.*}} : tensor<1x4x5xi8>) outs({{.*}} : tensor<1x6x6xi8>)
// CHECK-SAME: value = 3
// CHECK: %[[WIDE:.*]] = tensor.empty() : tensor<10x8xi8>
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[WIDE]][0, 0] [10, 6] [1, 1]
// CHECK: %[[P:.*]] = tinyattn.pack_patches ins(%[[FRAME]], %{{.*}}) outs(%[[ROWS]] : tensor<10x6xi8>)
// CHECK-SAME: channels_first, count = 10
// CHECK: %[[Y:.*]] = tinyattn.word_linear ins(%[[P]], %[[W]] : tensor<10x6xi8>, tensor<2x4xi32>)
// CHECK: tensor.expand_shape %[[Y]] {{.*}} into tensor<2x5x2xi8>
func.func @convolution(%x: tensor<1x4x5xi8>) -> tensor<2x5x2xi8> {
  %w = arith.constant dense<[[[[1], [2]], [[3], [4]], [[5], [6]]],
                             [[[7], [8]], [[9], [10]], [[11], [12]]]]> : tensor<2x3x2x1xi8>
  %b = arith.constant dense<7> : tensor<2xi32>
  %m = arith.constant dense<300> : tensor<2xi32>
  %init = tensor.empty() : tensor<2x5x2xi8>
  %y = tinyattn.conv ins(%x, %w, %b, %m
      : tensor<1x4x5xi8>, tensor<2x3x2x1xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%init : tensor<2x5x2xi8>)
    {channels_first, input_zero_point = 3 : i32, padding = array<i64: 1, 1, 1, 0>,
     requant = #tinyattn.requant<shift = 18>, strides = array<i64: 2, 1>} -> tensor<2x5x2xi8>
  return %y : tensor<2x5x2xi8>
}

// Some patches at a time: those that take 8 KiB, and what is left over.
// CHECK-LABEL: @blocks
// CHECK: scf.for
// CHECK: tinyattn.pack_patches {{.*}} outs(%{{.*}} : tensor<64x128xi8>)
// CHECK: tinyattn.word_linear
// CHECK: tinyattn.pack_patches {{.*}} outs(%{{.*}} : tensor<22x128xi8>)
// CHECK: tinyattn.word_linear
func.func @blocks(%x: tensor<1x150x128xi8>) -> tensor<1x150x1xi8> {
  %w = arith.constant dense<1> : tensor<1x1x1x128xi8>
  %b = arith.constant dense<7> : tensor<1xi32>
  %m = arith.constant dense<300> : tensor<1xi32>
  %init = tensor.empty() : tensor<1x150x1xi8>
  %y = tinyattn.conv ins(%x, %w, %b, %m
      : tensor<1x150x128xi8>, tensor<1x1x1x128xi8>, tensor<1xi32>, tensor<1xi32>)
    outs(%init : tensor<1x150x1xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>,
     requant = #tinyattn.requant<shift = 18>, strides = array<i64: 1, 1>} -> tensor<1x150x1xi8>
  return %y : tensor<1x150x1xi8>
}

// Signed bytes, for which the table behind it changes.
// CHECK-LABEL: @whole_softmax
// CHECK: %[[Y:.*]] = tinyattn.normalized_softmax
// CHECK: tinyattn.lookup ins(%[[Y]],
func.func @whole_softmax(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %t = arith.constant dense<1> : tensor<256xi8>
  %zeros = arith.constant dense<0> : tensor<256xi8>
  %i0 = tensor.empty() : tensor<2x3xi8>
  %e = tinyattn.softmax ins(%x, %t : tensor<2x3xi8>, tensor<256xi8>) outs(%i0 : tensor<2x3xi8>) -> tensor<2x3xi8>
  %i1 = tensor.empty() : tensor<2x3xi8>
  %y = tinyattn.lookup ins(%e, %zeros : tensor<2x3xi8>, tensor<256xi8>) outs(%i1 : tensor<2x3xi8>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// A product of 64 bits has no kernel.
// CHECK-LABEL: @wide
// CHECK: tinyattn.linear
func.func @wide(%x: tensor<3x4xi8>) -> tensor<3x2xi8> {
  %w = arith.constant dense<1> : tensor<2x4xi8>
  %b = arith.constant dense<7> : tensor<2xi32>
  %m = arith.constant dense<300> : tensor<2xi32>
  %init = tensor.empty() : tensor<3x2xi8>
  %y = tinyattn.linear ins(%x, %w, %b, %m
      : tensor<3x4xi8>, tensor<2x4xi8>, tensor<2xi32>, tensor<2xi32>)
    outs(%init : tensor<3x2xi8>) {requant = #tinyattn.requant<shift = 18, wide = true>}
    -> tensor<3x2xi8>
  return %y : tensor<3x2xi8>
}
}

// Multiplier 300, addends 7·300 - 3·2^18 and -7·300 - 3·2^18, the weights.
// CHECK: words: "0x040000002C0100003408F4FF01020304050000002C010000CCF7F3FFFFFEFDFCFB000000"
