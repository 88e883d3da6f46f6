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

// A part and the whole that it is put into stay one: it is filled in its place.
// CHECK-LABEL: @part
// CHECK: %[[A:.*]] = tensor.empty
// CHECK-NEXT: %[[PART:.*]] = tensor.extract_slice %[[A]]
// CHECK-NEXT: tinyattn.lookup {{.*}} outs(%[[PART]] :
// CHECK-NEXT: tensor.insert_slice {{.*}} into %[[A]]
func.func @part(%x: tensor<2x8xi8>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %init = tensor.empty() : tensor<5x8xi8>
  %part = tensor.extract_slice %init[0, 0] [2, 8] [1, 1]
    : tensor<5x8xi8> to tensor<2x8xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<2x8xi8>, tensor<256xi8>)
    outs(%part : tensor<2x8xi8>) -> tensor<2x8xi8>
  %r = tensor.insert_slice %y into %init[0, 0] [2, 8] [1, 1]
    : tensor<2x8xi8> into tensor<5x8xi8>
  return %r : tensor<5x8xi8>
}
