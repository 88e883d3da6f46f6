// RUN: tinyformer-opt %s -pass-pipeline='builtin.module(func.func(tinyattn-quantize))' | FileCheck %s

// What has integers already stays as it is.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: tensor<5x8xi8> {tinyattn.scale = 1.000000e+00 : f64, tinyattn.zero_point = 0 : i32}
// CHECK-NEXT: arith.constant
// CHECK-NEXT: tensor.empty
// CHECK-NEXT: tinyattn.lookup
// CHECK-NEXT: return
func.func @main(%x: tensor<5x8xi8> {tinyattn.scale = 1.0 : f64, tinyattn.zero_point = 0 : i32})
    -> (tensor<5x8xi8> {tinyattn.scale = 1.0 : f64, tinyattn.zero_point = 0 : i32}) {
  %t = arith.constant dense<7> : tensor<256xi8>
  %i = tensor.empty() : tensor<5x8xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>) outs(%i : tensor<5x8xi8>) -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}
