// RUN: tinyformer-opt %s -tinyattn-separate-destinations | FileCheck %s

// Values that are alive at different times need not share a buffer, and one
// that is written in a loop need not be alive around it.
// CHECK-LABEL: @two_lookups
// CHECK: %[[A:.*]] = tensor.empty
// CHECK-NEXT: tinyattn.lookup {{.*}} outs(%[[A]] :
// CHECK: scf.for
// CHECK-NEXT: %[[B:.*]] = tensor.empty
// CHECK-NEXT: tinyattn.lookup {{.*}} outs(%[[B]] :
// CHECK-NOT: tensor.empty
func.func @two_lookups(%x: tensor<5x8xi8>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %init = tensor.empty() : tensor<5x8xi8>
  %unused = tensor.empty() : tensor<5x8xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
    outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %y) -> tensor<5x8xi8> {
    %z = tinyattn.lookup ins(%a, %t : tensor<5x8xi8>, tensor<256xi8>)
      outs(%init : tensor<5x8xi8>) -> tensor<5x8xi8>
    scf.yield %z : tensor<5x8xi8>
  }
  return %r : tensor<5x8xi8>
}
