// RUN: tinyformer-opt %s -split-input-file -tinyattn-quantize | FileCheck %s

// Arguments and results become i8 and say what their integers mean:
// [-1, 2.984375] has scale 1/64 and zero point -64. The weights 1.27 and -0.63
// become 127 and -63.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[X:.*]]: tensor<1x2xi8> {tinyattn.scale = 1.562500e-02 : f64, tinyattn.zero_point = -64 : i32}
// CHECK-SAME: -> (tensor<1x1xi8> {tinyattn.scale = 1.562500e-02 : f64, tinyattn.zero_point = -128 : i32})
// CHECK-DAG: dense_resource<weight> : tensor<1x2xi8>
// CHECK-DAG: dense_resource<bias> : tensor<1xi32>
// CHECK-DAG: dense_resource<multipliers> : tensor<1xi32>
// CHECK: tinyattn.linear ins(%[[X]],
// CHECK-SAME: requant = #tinyattn.requant<shift = {{[0-9]+}}, zero_point = -128>
// CHECK-DAG: weight: "0x010000007FC1"
func.func @linear(%x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 2.984375>})
    -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.27, -0.63]]> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: 0.0, 3.984375>}
    -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A ReLU that is the only use of a layer costs nothing: the layer takes over
// its range, and the table changes nothing (canonicalisation removes it).
// CHECK-LABEL: func.func @relu
// CHECK: tinyattn.linear
// CHECK-SAME: zero_point = -128
// CHECK: tinyattn.lookup
// CHECK: table: "0x0100000080818283
func.func @relu(%x: tensor<1x2xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>) {tinyattn.range = array<f64: -3.0, 5.1>}
    -> tensor<1x1xf32>
  %z = tinyattn.lookup ins(%y : tensor<1x1xf32>) outs(%init : tensor<1x1xf32>)
    {function = #tinyattn.function<relu>, tinyattn.range = array<f64: 0.0, 5.1>}
    -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// -----

// The pieces of a concatenation have one scale. Constants are quantised to it;
// what is used nowhere else takes it over; the rest goes through a table.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3xi8>
// CHECK-SAME: %[[Y:[^:]*]]: tensor<2x3xi8>
// CHECK-DAG: %[[TOKEN:.*]] = arith.constant dense_resource<constant> : tensor<1x3xi8>
// CHECK-DAG: %[[SCALED:.*]] = tinyattn.lookup ins(%[[Y]],
// CHECK: tensor.concat dim(0) %[[TOKEN]], %[[X]], %[[SCALED]]
func.func @concat(%x: tensor<2x3xf32> {tinyattn.range = array<f64: -1.0, 1.0>},
                  %y: tensor<2x3xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> (tensor<5x3xf32>, tensor<2x3xf32>) {
  %token = arith.constant dense<1.5> : tensor<1x3xf32>
  %all = tensor.concat dim(0) %token, %x, %y
    {tinyattn.range = array<f64: -1.0, 1.5>}
    : (tensor<1x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<5x3xf32>
  return %all, %y : tensor<5x3xf32>, tensor<2x3xf32>
}

// -----

// A depth so large that 8 bits of multiplier are not left takes 64-bit products.
// CHECK-LABEL: func.func @wide
// CHECK: requant = #tinyattn.requant<shift = {{[0-9]+}}, wide = true>
func.func @wide(%x: tensor<1x20000xf32> {tinyattn.range = array<f64: -1.0, 1.0>})
    -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x20000xf32>
  %b = arith.constant dense<0.0> : tensor<1xf32>
  %init = tensor.empty() : tensor<1x1xf32>
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<1x20000xf32>, tensor<1x20000xf32>, tensor<1xf32>)
    outs(%init : tensor<1x1xf32>)
    {tinyattn.range = array<f64: -20000.0, 19843.1372>} -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Both multipliers of a sum are halves of a word, below 2^15: a half and an
// eighth (scales of 1/64 and 1/256 in one of 1/32) times 2^15. The bound of the
// sum alone would allow a shift of 22.
// CHECK-LABEL: func.func @add
// CHECK: tinyattn.add
// CHECK-SAME: multipliers = array<i32: 16384, 4096>
// CHECK-SAME: requant = #tinyattn.requant<shift = 15, zero_point = -128>
func.func @add(%x: tensor<1x2xf32> {tinyattn.range = array<f64: 0.0, 3.984375>},
               %y: tensor<1x2xf32> {tinyattn.range = array<f64: 0.0, 0.99609375>})
    -> tensor<1x2xf32> {
  %init = tensor.empty() : tensor<1x2xf32>
  %z = tinyattn.add ins(%x, %y : tensor<1x2xf32>, tensor<1x2xf32>)
    outs(%init : tensor<1x2xf32>) {tinyattn.range = array<f64: 0.0, 7.96875>}
    -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// -----

// Weights that arrive quantised keep their integers: 0.5 is 2·0.25 although the
// row has nothing larger. The constant keeps its zero point, too.
// CHECK-LABEL: func.func @arrives_quantised
// CHECK: tinyattn.linear
// CHECK: tinyattn.add
// CHECK-DAG: weight: "0x010000000203"
// CHECK-DAG: constant: "0x010000000A0C"
func.func @arrives_quantised(%x: tensor<2x2xf32> {tinyattn.range = array<f64: -1.0, 2.984375>})
    -> tensor<2x1xf32> {
  %w = arith.constant {tinyattn.weight_scales = array<f64: 0.25>} dense<[[0.5, 0.75]]> : tensor<1x2xf32>
  %b = arith.constant dense<0.5> : tensor<1xf32>
  %c = arith.constant {tinyattn.range = array<f64: -69.0, 58.5>} dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  %init = tensor.empty() : tensor<2x1xf32>
  %y = tinyattn.linear ins(%x, %w, %b
      : tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>)
    outs(%init : tensor<2x1xf32>) {tinyattn.range = array<f64: 0.0, 3.984375>}
    -> tensor<2x1xf32>
  %z = tinyattn.add ins(%y, %c : tensor<2x1xf32>, tensor<2x1xf32>)
    outs(%init : tensor<2x1xf32>) {tinyattn.range = array<f64: 0.0, 3.984375>}
    -> tensor<2x1xf32>
  return %z : tensor<2x1xf32>
}

// -----

// Ids stay i32; the rows have the scale of the table.
// CHECK-LABEL: func.func @embedding
// CHECK-SAME: %[[IDS:.*]]: tensor<3xi32>) -> (tensor<3x2xi8> {tinyattn.scale = 1.000000e+00 : f64, tinyattn.zero_point = -127 : i32})
// CHECK: tinyattn.embedding ins(%[[IDS]], %{{.*}} : tensor<3xi32>, tensor<2x2xi8>)
// CHECK-DAG: constant: "0x010000008182807F"
func.func @embedding(%ids: tensor<3xi32>) -> tensor<3x2xf32> {
  %t = arith.constant dense<[[0.0, 1.0], [-1.0, 254.0]]> : tensor<2x2xf32>
  %init = tensor.empty() : tensor<3x2xf32>
  %y = tinyattn.embedding ins(%ids, %t : tensor<3xi32>, tensor<2x2xf32>)
    outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
