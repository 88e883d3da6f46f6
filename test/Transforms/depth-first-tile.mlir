// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 schedule=heads-accumulate" -canonicalize -cse | FileCheck %s --check-prefix=ACC
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 schedule=heads-context" -canonicalize -cse | FileCheck %s --check-prefix=CTX
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 schedule=rows-all" -canonicalize -cse | FileCheck %s --check-prefix=ALL
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=5 schedule=rows-accumulate" -canonicalize -cse | FileCheck %s --check-prefix=ROWS
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 schedule=rows-context" -canonicalize -cse | FileCheck %s --check-prefix=AGAIN
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=3 schedule=quarters-accumulate" -canonicalize -cse | FileCheck %s --check-prefix=BLOCKS
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=none" | FileCheck %s --check-prefix=NONE
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=min" | FileCheck %s --check-prefix=MIN
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 explain" | FileCheck %s --check-prefix=WHY
// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 schedule=rows-all explain" | FileCheck %s --check-prefix=ONLY

#q = #tinyattn.requant<shift = 11>
#k = #tinyattn.requant<shift = 12>
#v = #tinyattn.requant<shift = 13>
#s = #tinyattn.requant<shift = 14>
#c = #tinyattn.requant<shift = 15>
#o = #tinyattn.requant<shift = 16>

// Heads outside. Keys and values of a head, then its rows, two at a time, and
// the fifth behind the loop; the projection adds to the sums of all rows.
// ACC-LABEL: @mhsa
// ACC-SAME: %[[X:[^:]*]]: tensor<5x8xi8>
// ACC: %[[BIAS:.*]] = tinyattn.broadcast {{.*}} -> tensor<5x8xi32>
// ACC: %[[SUMS:.*]] = scf.for %[[H:.*]] = %c0 to %c2 step %c1 iter_args(%[[TOTAL:.*]] = %[[BIAS]])
// ACC: %[[P:.*]] = arith.muli %[[H]], %c4
// ACC: %[[WK:.*]] = tensor.extract_slice %{{.*}}[%[[P]], 0] [4, 8]
// ACC: %[[K:.*]] = tinyattn.linear ins(%[[X]], %[[WK]], {{.*}}heads = 1 : i64, requant = #tinyattn.requant<shift = 12>
// ACC: %[[V:.*]] = tinyattn.linear ins(%[[X]], {{.*}}shift = 13>{{.*}} -> tensor<1x5x3xi8>
// ACC: %[[WO:.*]] = tensor.extract_slice %{{.*}}[0, %{{.*}}] [8, 3]
// ACC: scf.for %[[R:.*]] = %c0 to %c4 step %c2 iter_args(%[[IN:.*]] = %[[TOTAL]])
// ACC: %[[XR:.*]] = tensor.extract_slice %[[X]][%[[R]], 0] [2, 8]
// ACC: %[[Q:.*]] = tinyattn.linear ins(%[[XR]], {{.*}}shift = 11>{{.*}} -> tensor<1x2x4xi8>
// ACC: %[[S:.*]] = tinyattn.matmul ins(%[[Q]], %[[K]], {{.*}} -> tensor<1x2x5xi8>
// The exponentials take the place of the scores.
// ACC: %[[E:.*]]:2 = tinyattn.softmax ins(%[[S]], {{.*}} outs(%[[S]], {{.*}}
// ACC: %[[C:.*]] = tinyattn.matmul ins(%[[E]]#0, %[[V]], {{.*}} row_sums(%[[E]]#1 {{.*}} -> tensor<2x3xi8>
// ACC: %[[AR:.*]] = tensor.extract_slice %[[IN]][%[[R]], 0] [2, 8]
// ACC: tinyattn.linear_accumulate ins(%[[C]], %[[WO]] {{.*}} outs(%[[AR]] :
// ACC: scf.yield
// ACC: tinyattn.matmul {{.*}} -> tensor<1x1x5xi8>
// ACC: tinyattn.linear_accumulate {{.*}} -> tensor<1x8xi32>
// ACC: scf.yield
// ACC: tinyattn.requantize ins(%[[SUMS]], {{.*}}shift = 16>

// The context of all heads is kept and projected at the end.
// CTX-LABEL: @mhsa
// CTX: %[[WHOLE:.*]] = scf.for
// CTX: scf.for %[[R:.*]] = {{.*}} iter_args(%[[IN:.*]] =
// CTX: %[[INIT:.*]] = tensor.extract_slice %[[IN]][%[[R]], %{{.*}}] [2, 3]
// CTX: %[[C:.*]] = tinyattn.matmul {{.*}} row_sums{{.*}} outs(%[[INIT]] :
// CTX: tensor.insert_slice %[[C]] into %[[IN]]
// CTX: tinyattn.linear ins(%[[WHOLE]], {{.*}} -> tensor<5x8xi8>

// Keys and values of all heads; a tile of rows is all heads.
// ALL-LABEL: @mhsa
// ALL: %[[K:.*]] = tinyattn.linear {{.*}}shift = 12>{{.*}} -> tensor<2x5x4xi8>
// ALL: %[[V:.*]] = tinyattn.linear {{.*}}shift = 13>{{.*}} -> tensor<2x5x3xi8>
// ALL: scf.for %{{.*}} = %c0 to %c4 step %c2
// ALL: tinyattn.matmul ins(%{{.*}}, %[[K]], {{.*}} -> tensor<2x2x5xi8>
// ALL: tinyattn.matmul {{.*}} -> tensor<2x6xi8>
// ALL: tinyattn.linear {{.*}} -> tensor<2x8xi8>
// ALL: scf.yield
// ALL: tinyattn.linear {{.*}} -> tensor<1x8xi8>

// One tile needs no loop over the rows. Values follow the scores, so that keys
// and values never exist at once.
// ROWS-LABEL: @mhsa
// ROWS: %[[BIAS:.*]] = tinyattn.broadcast
// ROWS: %[[SUMS:.*]] = scf.for {{.*}} = %c0 to %c2 step %c1 iter_args(%[[TOTAL:.*]] = %[[BIAS]])
// ROWS-NOT: scf.for
// ROWS: %[[K:.*]] = tinyattn.linear {{.*}}shift = 12>
// ROWS: %[[S:.*]] = tinyattn.matmul ins(%{{.*}}, %[[K]],
// ROWS: tinyattn.softmax ins(%[[S]],
// ROWS: tinyattn.linear {{.*}}shift = 13>
// ROWS: %[[C:.*]] = tinyattn.matmul
// ROWS: tinyattn.linear_accumulate ins(%[[C]], {{.*}} outs(%[[TOTAL]] :
// ROWS: tinyattn.requantize ins(%[[SUMS]],

// AGAIN-LABEL: @mhsa
// AGAIN: scf.for %{{.*}} = %c0 to %c4 step %c2
// AGAIN: %[[WHOLE:.*]] = scf.for
// AGAIN: tinyattn.linear ins(%[[WHOLE]], {{.*}} -> tensor<2x8xi8>

// Blocks of two rows outside, as a quarter of five is split only between pairs;
// tiles are no higher than that. Sums are those of a block.
// BLOCKS-LABEL: @mhsa
// BLOCKS-SAME: rows = 2 : i64, schedule = "quarters-accumulate"
// BLOCKS: scf.for %[[R:.*]] = %c0 to %c4 step %c2 iter_args(%[[Y:.*]] = %{{.*}}) -> (tensor<5x8xi8>)
// BLOCKS: %[[SUMS:.*]] = scf.for {{.*}} = %c0 to %c2 step %c1 {{.*}} -> (tensor<2x8xi32>)
// BLOCKS: tinyattn.linear {{.*}}shift = 12>{{.*}} -> tensor<1x5x4xi8>
// BLOCKS: tinyattn.linear_accumulate
// BLOCKS: %[[Q:.*]] = tinyattn.requantize ins(%[[SUMS]],
// BLOCKS: tensor.insert_slice %[[Q]] into %[[Y]][%[[R]], 0] [2, 8]
// BLOCKS: tinyattn.requantize {{.*}} -> tensor<1x8xi8>

// NONE-LABEL: @mhsa
// NONE-SAME: tinyattn.schedules = [{arena_bytes = {{[0-9]+}} : i64, cycles = {{[0-9]+}} : i64, layer = "attn", rows = 5 : i64, schedule = "none"}]
// NONE: tinyattn.mhsa

// Without a target there is no capacity. Kinds are in the order of the search.
// WHY-LABEL: @mhsa
// WHY-SAME: tinyattn.schedules = [{arena_bytes = {{[0-9]+}} : i64, considered = [
// WHY-SAME: {arena_bytes = array<i64: {{[0-9]+}}>, cycles = array<i64: {{[0-9]+}}>, rows = array<i64: 2>, schedule = "heads-context"}
// WHY-SAME: schedule = "quarters-accumulate"}]
// WHY-SAME: layer = "attn", reason = "fastest", rows = 2
// ONLY-LABEL: @mhsa
// ONLY-SAME: reason = "only"

// MIN-LABEL: @mhsa
// MIN-SAME: rows = 1 : i64, schedule = "rows-context"
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

// The keys are the input, without a copy, and the values the input, transposed
// once for all heads.
// ACC-LABEL: @fused_mhsa
// ACC-SAME: %[[X:[^:]*]]: tensor<5x8xi8>
// ACC: %[[V:.*]] = tinyattn.transpose ins(%[[X]] : tensor<5x8xi8>) {{.*}} -> tensor<8x5xi8>
// ACC: scf.for
// ACC: scf.for
// ACC: tinyattn.matmul ins(%{{.*}}, %[[X]], {{.*}} : tensor<1x2x8xi8>, tensor<5x8xi8>, tensor<1xi32>)
// ACC: tinyattn.matmul ins(%{{.*}}, %[[V]], {{.*}} : tensor<1x2x5xi8>, tensor<8x5xi8>, tensor<1xi32>) row_sums
func.func @fused_mhsa(%x: tensor<5x8xi8>, %f: tensor<16x8xi8>, %c: tensor<16xi32>,
    %mf: tensor<16xi32>, %w: tensor<8x16xi8>, %b: tensor<8xi32>, %m: tensor<8xi32>,
    %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  %y = tinyattn.fused_mhsa %x
    query(%f, %c, %mf : tensor<16x8xi8>, tensor<16xi32>, tensor<16xi32>)
    output(%w, %b, %m : tensor<8x16xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #q,
     scores_requant = #s, context_requant = #c, output_requant = #o}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}
