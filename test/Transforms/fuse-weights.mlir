// RUN: tinyformer-opt %s -split-input-file -tinyattn-fuse-weights=mode=always | FileCheck %s

// One head of width 1 on inputs of width 2: Wq = [1 2], Wk = [3 4], bq = 5.
// Mᵀ has a row for each column of Wk: [3·1 3·2], [4·1 4·2]; c = [5·3 5·4].
// Wv = [1 2], bv = 3, Woᵀ = [1 2], bo = [4 5]: N = [1·1 1·2], [2·1 2·2] and
// d = [4 + 1·3, 5 + 2·3].
// CHECK-LABEL: func.func @attention
// CHECK-SAME: tinyattn.fusion = [{cycles = array<f64: {{[^>]*}}>, fused = true, layer = "encoder/attention", quantized = false, weight_bytes = array<i64: 48, 40>}]
// CHECK-DAG: %[[M:.*]] = arith.constant dense_resource<fused_weight> : tensor<2x2xf32>
// CHECK-DAG: %[[C:.*]] = arith.constant dense_resource<fused_bias> : tensor<2xf32>
// CHECK-DAG: %[[N:.*]] = arith.constant dense_resource<fused_output_weight> : tensor<2x2xf32>
// CHECK-DAG: %[[D:.*]] = arith.constant dense_resource<fused_output_bias> : tensor<2xf32>
// CHECK: tinyattn.fused_mhsa
// CHECK-SAME: query(%[[M]], %[[C]] :
// CHECK-SAME: output(%[[N]], %[[D]] :
// CHECK-SAME: {heads = 1 : i64, scale = 1.000000e+00 : f32}
// CHECK-DAG: fused_output_bias: "0x040000000000E04000003041"
// CHECK-DAG: fused_output_weight: "0x040000000000803F000000400000004000008040"
// CHECK-DAG: fused_bias: "0x04000000000070410000A041"
// CHECK-DAG: fused_weight: "0x04000000000040400000C0400000804000000041"
func.func @attention(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %wq = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %wk = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %bq = arith.constant dense<5.0> : tensor<1xf32>
  %wv = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %b = arith.constant dense<3.0> : tensor<1xf32>
  %wo = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %bo = arith.constant dense<[4.0, 5.0]> : tensor<2xf32>
  %y = tinyattn.mhsa %x
    query(%wq, %bq : tensor<1x2xf32>, tensor<1xf32>)
    key(%wk, %b : tensor<1x2xf32>, tensor<1xf32>)
    value(%wv, %b : tensor<1x2xf32>, tensor<1xf32>)
    output(%wo, %bo : tensor<2x1xf32>, tensor<2xf32>)
    {heads = 1 : i64, scale = 1.0 : f32}
    : tensor<3x2xf32> -> tensor<3x2xf32> loc("encoder/attention")
  return %y : tensor<3x2xf32>
}
