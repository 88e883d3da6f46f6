// RUN: tinyformer-opt %s -convert-tinyattn-to-xpulp | FileCheck %s

#target = #tinyattn.target<name = "chip", core = "ri5cy", isa = "xpulpv2", cores = 1,
  memories = [<name = "l1", kind = ram, size = 65536>]>
module attributes {tinyattn.target = #target} {

// All elements at once, from the middle of the table on.
// CHECK-LABEL: @lookup
// CHECK: %[[ALL:.*]] = arith.constant 55 : index
// CHECK: %[[N:.*]] = arith.index_cast %[[ALL]]
// CHECK: call @tf_lookup(%{{.*}}, %{{.*}}, %{{.*}}, %[[N]])
func.func @lookup(%x: memref<5x11xi8>, %t: memref<256xi8>, %y: memref<5x11xi8>) {
  tinyattn.lookup ins(%x, %t : memref<5x11xi8>, memref<256xi8>) outs(%y : memref<5x11xi8>)
  return
}

// A row at a time, where rows are apart.
// CHECK-LABEL: @rows_apart
// CHECK: scf.for
// CHECK: call @tf_lookup
func.func @rows_apart(%x: memref<5x11xi8, strided<[12, 1]>>, %t: memref<256xi8>, %y: memref<5x11xi8>) {
  tinyattn.lookup ins(%x, %t : memref<5x11xi8, strided<[12, 1]>>, memref<256xi8>)
    outs(%y : memref<5x11xi8>)
  return
}

// Multipliers 7 and 5 are halves of a word, the zero point a part of the offset.
// CHECK-LABEL: @halves
// CHECK-DAG: %[[M:.*]] = arith.constant 327687 : i32
// CHECK-DAG: %[[A:.*]] = arith.constant 126 : i32
// CHECK: call @tf_add_halves_s6({{.*}}, %[[M]], %[[A]])
func.func @halves(%a: memref<8xi8>, %b: memref<8xi8>, %y: memref<8xi8>) {
  tinyattn.add ins(%a, %b : memref<8xi8>, memref<8xi8>) outs(%y : memref<8xi8>)
    {multipliers = array<i32: 7, 5>, offset = -2 : i32,
     requant = #tinyattn.requant<shift = 6, zero_point = 2>}
  return
}

// CHECK-LABEL: @words
// CHECK: call @tf_add_s20
func.func @words(%a: memref<8xi8>, %b: memref<8xi8>, %y: memref<8xi8>) {
  tinyattn.add ins(%a, %b : memref<8xi8>, memref<8xi8>) outs(%y : memref<8xi8>)
    {multipliers = array<i32: 70000, 5>, offset = 0 : i32, requant = #tinyattn.requant<shift = 20>}
  return
}

// A copy of words counts bytes.
// CHECK-LABEL: @copy
// CHECK: call @tf_copy
func.func @copy(%x: memref<3x4xi32>, %y: memref<3x4xi32>) {
  memref.copy %x, %y : memref<3x4xi32> to memref<3x4xi32>
  return
}

// The kernel takes any number of rows.
// CHECK-LABEL: @layernorm
// CHECK: %[[ALL:.*]] = arith.constant 3 : index
// CHECK: %[[ROWS:.*]] = arith.index_cast %[[ALL]]
// CHECK: call @tf_layernorm_k6_e1_s18_z0_6_8({{.*}}, %[[ROWS]])
func.func @layernorm(%x: memref<3x6xi8>, %g: memref<6xi16>, %b: memref<6xi32>,
    %y: memref<3x6xi8, strided<[8, 1]>>) {
  tinyattn.layernorm ins(%x, %g, %b : memref<3x6xi8>, memref<6xi16>, memref<6xi32>)
    outs(%y : memref<3x6xi8, strided<[8, 1]>>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64}
  return
}

// CHECK-LABEL: @sums
// CHECK: call @tf_broadcast_n6_24
// CHECK: call @tf_requantize_n6_s16_24_6
func.func @sums(%b: memref<6xi32>, %s: memref<5x6xi32>, %m: memref<6xi32>, %y: memref<5x6xi8>) {
  tinyattn.broadcast ins(%b : memref<6xi32>) outs(%s : memref<5x6xi32>)
  tinyattn.requantize ins(%s, %m : memref<5x6xi32>, memref<6xi32>) outs(%y : memref<5x6xi8>)
    {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
  return
}

// CHECK-LABEL: @pool
// CHECK: call @tf_pool_max_m5_8
// CHECK: call @tf_pool_mean_m5_8_s12
func.func @pool(%x: memref<5x8xi8>, %y: memref<1x8xi8>) {
  tinyattn.pool ins(%x : memref<5x8xi8>) outs(%y : memref<1x8xi8>)
    {kind = #tinyattn.pool_kind<max>}
  tinyattn.pool ins(%x : memref<5x8xi8>) outs(%y : memref<1x8xi8>)
    {kind = #tinyattn.pool_kind<mean>, input_zero_point = 4 : i32,
     requant = #tinyattn.requant<multiplier = 819, shift = 12>}
  return
}

// The frame is one filling; five of its lines have one of the image inside.
// CHECK-LABEL: @pad
// CHECK: %[[WORD:.*]] = arith.constant -101058055 : i32
// CHECK: call @tf_fill(%{{.*}}, %[[WORD]], %{{.*}})
// CHECK: scf.for
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK: call @tf_copy
func.func @pad(%x: memref<3x4x2xi8>, %y: memref<5x5x2xi8>) {
  tinyattn.pad ins(%x : memref<3x4x2xi8>) outs(%y : memref<5x5x2xi8>)
    {low = array<i64: 1, 0, 0>, value = -7 : i32}
  return
}

// Two planes, each of which has two runs of three bytes for a patch.
// CHECK-LABEL: @patches
// CHECK: scf.for
// CHECK: arith.divui
// CHECK: scf.for
// CHECK: call @tf_patch_r2_l3_9
func.func @patches(%x: memref<2x4x9xi8>, %first: index, %y: memref<5x12xi8>) {
  tinyattn.pack_patches ins(%x, %first : memref<2x4x9xi8>, index) outs(%y : memref<5x12xi8>)
    {channels_first, count = 5 : i64, kernel = array<i64: 2, 3>, strides = array<i64: 1, 2>}
  return
}

// What has no kernel stays: products of 64 bits, elements that lie apart.
// CHECK-LABEL: @left
// CHECK: tinyattn.add
// CHECK: tinyattn.lookup
func.func @left(%a: memref<8xi8>, %b: memref<8xi8>, %y: memref<8xi8>, %t: memref<256xi8>,
    %x: memref<8xi8, strided<[2]>>) {
  tinyattn.add ins(%a, %b : memref<8xi8>, memref<8xi8>) outs(%y : memref<8xi8>)
    {multipliers = array<i32: 7, 5>, offset = 0 : i32,
     requant = #tinyattn.requant<shift = 6, wide = true>}
  tinyattn.lookup ins(%x, %t : memref<8xi8, strided<[2]>>, memref<256xi8>) outs(%y : memref<8xi8>)
  return
}

// Eight bytes at a time in a hardware loop, the rest one by one.
// CHECK: func.func private @tf_lookup(%[[X:.*]]: i32, %[[T:.*]]: i32, %[[Y:.*]]: i32, %[[N:.*]]: i32)
// CHECK: %[[PIECES:.*]] = xpulp.srli %[[N]], 3
// CHECK: scf.if
// CHECK: xpulp.hwloop %[[PIECES]]
// CHECK-COUNT-2: xpulp.p.lw_post
// CHECK-COUNT-4: xpulp.pv.extract.b
// CHECK-COUNT-4: xpulp.p.lbu_reg %[[T]]
// CHECK: xpulp.p.sw_post
// CHECK: xpulp.andi %[[N]], 7
// CHECK: xpulp.p.sb_post

// Sums by dot products with 1 and with itself, the root a bit at a time.
// CHECK: func.func private @tf_layernorm_k6
// CHECK: xpulp.pv.sdotsp.sci.b %[[W:.*]], %{{.*}}, 1
// CHECK: xpulp.pv.sdotsp.b %[[W]], %[[W]]
// CHECK: xpulp.p.fl1
// CHECK: xpulp.hwloop 15
// CHECK: xpulp.p.macsrn
// CHECK: xpulp.p.machhsrn

// Loads of a half and a byte before the stores, and on to the next run.
// CHECK: func.func private @tf_patch_r2_l3_9
// CHECK: xpulp.hwloop 2
// CHECK: xpulp.p.lhu_post
// CHECK: xpulp.p.lbu_post
// CHECK: xpulp.p.sh_post
// CHECK: xpulp.p.sb_post
// CHECK: xpulp.addi %{{.*}}, 6
}
