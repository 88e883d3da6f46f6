// RUN: tinyformer-opt %s -tinyattn-move-rows | FileCheck %s

#target = #tinyattn.target<name = "chip", core = "ri5cy", isa = "xpulpv2", cores = 8,
  memories = [<name = "l1", kind = ram, size = 65536>]>
module attributes {tinyattn.target = #target} {

// Rows of 64 bytes begin in the same of 16 banks, rows of 68 do not. Products
// read the copy, the sum reads the input.
// CHECK-LABEL: @products
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x64xi8>
// CHECK: %[[WIDE:.*]] = tensor.empty() : tensor<5x68xi8>
// CHECK: %[[IN:.*]] = tensor.insert_slice %[[X]] into %[[WIDE]][0, 0] [5, 64] [1, 1]
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[IN]][0, 0] [5, 64] [1, 1]
// CHECK: tinyattn.word_linear ins(%[[ROWS]],
// CHECK: %[[SOME:.*]] = tensor.extract_slice %[[ROWS]][2, 0] [2, 64]
// CHECK: tinyattn.word_linear ins(%[[SOME]],
// CHECK: tinyattn.add ins(%[[X]],
func.func @products(%x: tensor<5x64xi8>, %w: tensor<64x19xi32>, %y: tensor<5x64xi8>,
    %z: tensor<2x64xi8>) -> (tensor<5x64xi8>, tensor<2x64xi8>) {
  %0 = tinyattn.word_linear ins(%x, %w : tensor<5x64xi8>, tensor<64x19xi32>)
    outs(%y : tensor<5x64xi8>) {requant = #tinyattn.requant<shift = 20>} -> tensor<5x64xi8>
  %some = tensor.extract_slice %x[2, 0] [2, 64] [1, 1] : tensor<5x64xi8> to tensor<2x64xi8>
  %1 = tinyattn.word_linear ins(%some, %w : tensor<2x64xi8>, tensor<64x19xi32>)
    outs(%z : tensor<2x64xi8>) {requant = #tinyattn.requant<shift = 20>} -> tensor<2x64xi8>
  %2 = tinyattn.add ins(%x, %0 : tensor<5x64xi8>, tensor<5x64xi8>) outs(%y : tensor<5x64xi8>)
    {multipliers = array<i32: 100, 200>, offset = 0 : i32, requant = #tinyattn.requant<shift = 8>}
    -> tensor<5x64xi8>
  return %2, %1 : tensor<5x64xi8>, tensor<2x64xi8>
}

// CHECK-LABEL: @apart
// CHECK-NOT: insert_slice
func.func @apart(%x: tensor<5x60xi8>, %w: tensor<8x17xi32>, %y: tensor<5x8xi8>) -> tensor<5x8xi8> {
  %0 = tinyattn.word_linear ins(%x, %w : tensor<5x60xi8>, tensor<8x17xi32>)
    outs(%y : tensor<5x8xi8>) {requant = #tinyattn.requant<shift = 20>} -> tensor<5x8xi8>
  return %0 : tensor<5x8xi8>
}
}
