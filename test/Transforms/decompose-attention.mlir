// RUN: tinyformer-opt %s -split-input-file -tinyattn-decompose-attention -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

#q = #tinyattn.requant<shift = 11>
#k = #tinyattn.requant<shift = 12>
#v = #tinyattn.requant<shift = 13>
#s = #tinyattn.requant<shift = 14>
#c = #tinyattn.requant<shift = 24, zero_point = 2>
#o = #tinyattn.requant<shift = 15, zero_point = 3>

// CHECK-LABEL: @mhsa
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x8xi8>
// CHECK: %[[Q:.*]] = tinyattn.linear ins(%[[X]], {{.*}}heads = 2 : i64, requant = #tinyattn.requant<shift = 11>{{.*}} -> tensor<2x5x4xi8> loc("attn/query"
// CHECK: %[[K:.*]] = tinyattn.linear ins(%[[X]], {{.*}}shift = 12>{{.*}} -> tensor<2x5x4xi8> loc("attn/key"
// CHECK: %[[V:.*]] = tinyattn.linear ins(%[[X]], {{.*}}shift = 13>{{.*}} -> tensor<2x5x3xi8> loc("attn/value"
// CHECK: %[[S:.*]] = tinyattn.matmul ins(%[[Q]], %[[K]], {{.*}}shift = 14>, transpose_b} -> tensor<2x5x5xi8> loc("attn/scores"
// CHECK: %[[E:.*]]:2 = tinyattn.softmax ins(%[[S]], {{.*}} -> tensor<2x5x5xi8>, tensor<2x5xi32> loc("attn/softmax"
// CHECK: %[[C:.*]] = tinyattn.matmul ins(%[[E]]#0, %[[V]], {{.*}} row_sums(%[[E]]#1 : {{.*}}{merge_heads, {{.*}}, unsigned_lhs} -> tensor<5x6xi8> loc("attn/context"
// CHECK: %[[Y:.*]] = tinyattn.linear ins(%[[C]], {{.*}}{requant = #tinyattn.requant<shift = 15, zero_point = 3>} -> tensor<5x8xi8> loc("attn/output"
// CHECK: return %[[Y]]
func.func @mhsa(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>, %m: tensor<8xi32>,
    %wv: tensor<6x8xi8>, %bv: tensor<6xi32>, %mv: tensor<6xi32>, %wo: tensor<8x6xi8>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %y = tinyattn.mhsa %x
    query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%wv, %bv, %mv : tensor<6x8xi8>, tensor<6xi32>, tensor<6xi32>)
    output(%wo, %b, %m : tensor<8x6xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #q, key_requant = #k, value_requant = #v,
     scores_requant = #s, context_requant = #c, output_requant = #o}
    : tensor<5x8xi8> -> tensor<5x8xi8> loc("attn")
  return %y : tensor<5x8xi8>
}

// -----

#r = #tinyattn.requant<shift = 12>

// The keys are the input, shared by the heads, and so are the values.
// CHECK-LABEL: @fused_mhsa
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x8xi8>
// CHECK: %[[Q:.*]] = tinyattn.linear ins(%[[X]], {{.*}} -> tensor<2x5x8xi8>
// CHECK: tinyattn.matmul ins(%[[Q]], %[[X]], %{{.*}} : tensor<2x5x8xi8>, tensor<5x8xi8>, tensor<2xi32>)
// CHECK: %[[V:.*]] = tinyattn.transpose ins(%[[X]] : tensor<5x8xi8>) {{.*}} -> tensor<8x5xi8>
// CHECK: tinyattn.matmul ins(%{{.*}}, %[[V]], %{{.*}} : tensor<2x5x5xi8>, tensor<8x5xi8>, tensor<2xi32>) row_sums
// CHECK-SAME: transpose_b
func.func @fused_mhsa(%x: tensor<5x8xi8>, %f: tensor<16x8xi8>, %c: tensor<16xi32>,
    %mf: tensor<16xi32>, %w: tensor<8x16xi8>, %b: tensor<8xi32>, %m: tensor<8xi32>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %y = tinyattn.fused_mhsa %x
    query(%f, %c, %mf : tensor<16x8xi8>, tensor<16xi32>, tensor<16xi32>)
    output(%w, %b, %m : tensor<8x16xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r,
     scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// -----

#r = #tinyattn.requant<shift = 12>

// Queries of two rows; keys and values of all.
// CHECK-LABEL: @some_rows
// CHECK-SAME: %[[X:[^:]*]]: tensor<5x8xi8>{{[^%]*}}%[[R:[^:]*]]: tensor<2x8xi8>
// CHECK: tinyattn.linear ins(%[[R]], {{.*}} -> tensor<2x2x8xi8>
// CHECK: tinyattn.matmul {{.*}} -> tensor<2x2x5xi8>
// CHECK: tinyattn.softmax {{.*}} -> tensor<2x2x5xi8>, tensor<2x2xi32>
// CHECK: tinyattn.matmul {{.*}} -> tensor<2x16xi8>
func.func @some_rows(%x: tensor<5x8xi8>, %rows: tensor<2x8xi8>, %f: tensor<16x8xi8>, %c: tensor<16xi32>,
    %w: tensor<8x16xi8>, %b: tensor<8xi32>, %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<2x8xi8> {
  %y = tinyattn.fused_mhsa %x query_rows(%rows : tensor<2x8xi8>)
    query(%f, %c, %c : tensor<16x8xi8>, tensor<16xi32>, tensor<16xi32>)
    output(%w, %b, %b : tensor<8x16xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r,
     scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x8xi8> -> tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}
