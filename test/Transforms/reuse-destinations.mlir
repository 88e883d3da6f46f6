// RUN: tinyformer-opt %s -split-input-file -tinyattn-reuse-destinations | FileCheck %s

// The argument belongs to the caller; the sum may overwrite the first table's
// result, which nothing else reads.
// CHECK-LABEL: @residual
// CHECK-SAME: %[[X:.*]]: tensor<5x8xi8>, %[[T:.*]]: tensor<256xi8>
// CHECK: %[[EMPTY:.*]] = tensor.empty
// CHECK: %[[LOOKUP:.*]] = tinyattn.lookup ins(%[[X]], %[[T]] : {{.*}}) outs(%[[EMPTY]] :
// CHECK: tinyattn.add ins(%[[X]], %[[LOOKUP]] : {{.*}}) outs(%[[LOOKUP]] :
func.func @residual(%x: tensor<5x8xi8>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %init = tensor.empty() : tensor<5x8xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
  %z = tinyattn.add ins(%x, %y : tensor<5x8xi8>, tensor<5x8xi8>)
    outs(%init : tensor<5x8xi8>)
    {multipliers = array<i32: 9, 9>, offset = 0 : i32,
     requant = #tinyattn.requant<shift = 4>} -> tensor<5x8xi8>
  return %z : tensor<5x8xi8>
}

// -----

// Read again later: it must stay.
// CHECK-LABEL: @read_twice
// CHECK: %[[EMPTY:.*]] = tensor.empty
// CHECK: tinyattn.lookup
// CHECK: tinyattn.lookup {{.*}} outs(%[[EMPTY]] :
func.func @read_twice(%x: tensor<5x8xi8>, %t: tensor<256xi8>)
    -> (tensor<5x8xi8>, tensor<5x8xi8>) {
  %init = tensor.empty() : tensor<5x8xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
  %z = tinyattn.lookup ins(%y, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
  return %y, %z : tensor<5x8xi8>, tensor<5x8xi8>
}
