// RUN: tinyformer-opt %s -tinyattn-decompose-attention -tinyattn-pack-operands -canonicalize | FileCheck %s

#memory = #tinyattn.memory<name = "ram", kind = ram, size = 65536>
#r = #tinyattn.requant<shift = 20>
module attributes {tinyattn.target = #tinyattn.target<name = "m4", core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [#memory]>} {

// Everything goes from producer to consumer as a panel; the input is packed once.
// CHECK-LABEL: @mhsa
// CHECK-SAME: %[[X:.*]]: tensor<5x4xi8>
// CHECK-COUNT-1: tinyattn.pack_rows ins(%[[X]]
// CHECK-NOT: tinyattn.pack_
// CHECK: %[[Q:.*]] = tinyattn.packed_linear {{.*}} outs(%{{.*}} : tensor<3x4x2xi32>) {{.*}}layout<left>
// CHECK: %[[K:.*]] = tinyattn.packed_linear {{.*}} outs(%{{.*}} : tensor<3x4xi32>) {{.*}}layout<keys>
// CHECK: %[[V:.*]] = tinyattn.packed_linear {{.*}} outs(%{{.*}} : tensor<4x3xi32>) {{.*}}layout<values>
// CHECK: %[[S:.*]] = tinyattn.packed_scores ins(%[[Q]], %[[K]], %{{.*}} outs(%{{.*}} : tensor<2x5x8xi8>) {columns = 5 : i64
// CHECK: %[[E:.*]]:2 = tinyattn.packed_softmax ins(%[[S]], %{{.*}} outs(%{{.*}} : tensor<2x3x3x2xi32>, tensor<2x6xi32>)
// CHECK: %[[C:.*]] = tinyattn.packed_context ins(%[[E]]#0, %[[V]], %[[E]]#1, %{{.*}} outs(%{{.*}} : tensor<3x4x2xi32>) {{.*}}layout<left>
// CHECK: tinyattn.packed_linear ins(%[[C]], %{{.*}} outs(%{{.*}} : tensor<5x4xi8>) {{.*}}layout<rows>
func.func @mhsa(%x: tensor<5x4xi8>) -> tensor<5x4xi8> {
  %w = arith.constant dense<3> : tensor<8x4xi8>
  %b = arith.constant dense<7> : tensor<8xi32>
  %wo = arith.constant dense<3> : tensor<4x8xi8>
  %bo = arith.constant dense<7> : tensor<4xi32>
  %m = arith.constant dense<9> : tensor<2xi32>
  %t = arith.constant dense<1> : tensor<256xi8>
  %y = tinyattn.mhsa %x
    query(%w, %b, %b : tensor<8x4xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%w, %b, %b : tensor<8x4xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%w, %b, %b : tensor<8x4xi8>, tensor<8xi32>, tensor<8xi32>)
    output(%wo, %bo, %bo : tensor<4x8xi8>, tensor<4xi32>, tensor<4xi32>)
    scores(%m : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%m : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r, key_requant = #r, value_requant = #r,
     scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x4xi8> -> tensor<5x4xi8>
  return %y : tensor<5x4xi8>
}
// Fused weights: the input is both right panels, which all heads share.
// CHECK-LABEL: @fused_mhsa
// CHECK-SAME: %[[X:.*]]: tensor<5x4xi8>
// CHECK: %[[K:.*]] = tinyattn.pack_columns ins(%[[X]] : tensor<5x4xi8>) outs(%{{.*}} : tensor<3x2xi32>)
// CHECK: %[[S:.*]] = tinyattn.packed_scores ins(%{{.*}}, %[[K]],
// CHECK: %[[T:.*]] = tinyattn.transpose ins(%[[X]] : tensor<5x4xi8>)
// CHECK: %[[V:.*]] = tinyattn.pack_columns ins(%[[T]] : tensor<4x5xi8>) outs(%{{.*}} : tensor<2x3xi32>)
// CHECK: %[[C:.*]] = tinyattn.packed_context ins(%{{.*}}, %[[V]], {{.*}} outs(%{{.*}} : tensor<3x4x2xi32>)
// CHECK-SAME: shared_values
func.func @fused_mhsa(%x: tensor<5x4xi8>) -> tensor<5x4xi8> {
  %w = arith.constant dense<3> : tensor<8x4xi8>
  %b = arith.constant dense<7> : tensor<8xi32>
  %wo = arith.constant dense<3> : tensor<4x8xi8>
  %bo = arith.constant dense<7> : tensor<4xi32>
  %m = arith.constant dense<9> : tensor<2xi32>
  %t = arith.constant dense<1> : tensor<256xi8>
  %y = tinyattn.fused_mhsa %x
    query(%w, %b, %b : tensor<8x4xi8>, tensor<8xi32>, tensor<8xi32>)
    output(%wo, %bo, %bo : tensor<4x8xi8>, tensor<4xi32>, tensor<4xi32>)
    scores(%m : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%m : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r, scores_requant = #r,
     context_requant = #r, output_requant = #r}
    : tensor<5x4xi8> -> tensor<5x4xi8>
  return %y : tensor<5x4xi8>
}
}
