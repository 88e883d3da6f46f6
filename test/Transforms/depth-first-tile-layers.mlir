// RUN: tinyformer-opt %s -tinyattn-depth-first-tile="tile=2 explain" | FileCheck %s

#r = #tinyattn.requant<shift = 11>

// What is alive beside a layer is told also if the layer before has become
// loops, which use it: 40 bytes before and 40 behind the first layer, then 40
// before the second one, whose result is not in the arena.
// CHECK-LABEL: @two_layers
// CHECK-SAME: tinyattn.schedules = [
// CHECK-SAME: capacity = 920 : i64,
// CHECK-SAME: layer = "first"
// CHECK-SAME: capacity = 960 : i64,
// CHECK-SAME: layer = "second"
module attributes {tinyattn.target = #tinyattn.target<name = "t", core = "c", isa = "i",
    cores = 1, memories = [<name = "ram", kind = ram, size = 1000>]>} {
  func.func @two_layers(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>,
      %m: tensor<8xi32>, %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
    %e = tensor.empty() : tensor<5x8xi8>
    %n = tinyattn.lookup ins(%x, %t : tensor<5x8xi8>, tensor<256xi8>)
      outs(%e : tensor<5x8xi8>) -> tensor<5x8xi8>
    %y = tinyattn.mhsa %n
      query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      value(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      output(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
      {heads = 2 : i64, query_requant = #r, key_requant = #r, value_requant = #r,
       scores_requant = #r, context_requant = #r, output_requant = #r}
      : tensor<5x8xi8> -> tensor<5x8xi8> loc("first")
    %z = tinyattn.mhsa %y
      query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      value(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      output(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
      scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
      {heads = 2 : i64, query_requant = #r, key_requant = #r, value_requant = #r,
       scores_requant = #r, context_requant = #r, output_requant = #r}
      : tensor<5x8xi8> -> tensor<5x8xi8> loc("second")
    return %z : tensor<5x8xi8>
  }
}
