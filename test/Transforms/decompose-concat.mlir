// RUN: tinyformer-opt %s -tinyattn-decompose-concat | FileCheck %s

// CHECK-LABEL: @class_token
// CHECK-SAME: %[[A:[^:]*]]: tensor<1x8xi8>, %[[B:[^:]*]]: tensor<16x8xi8>
func.func @class_token(%a: tensor<1x8xi8>, %b: tensor<16x8xi8>) -> tensor<17x8xi8> {
  // CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<17x8xi8>
  // CHECK: %[[FIRST:.*]] = tensor.insert_slice %[[A]] into %[[EMPTY]][0, 0] [1, 8] [1, 1]
  // CHECK: %[[BOTH:.*]] = tensor.insert_slice %[[B]] into %[[FIRST]][1, 0] [16, 8] [1, 1]
  // CHECK: return %[[BOTH]]
  %y = tensor.concat dim(0) %a, %b : (tensor<1x8xi8>, tensor<16x8xi8>) -> tensor<17x8xi8>
  return %y : tensor<17x8xi8>
}
