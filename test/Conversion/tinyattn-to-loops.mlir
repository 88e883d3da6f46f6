// RUN: tinyformer-opt %s -split-input-file -convert-tinyattn-to-loops -canonicalize | FileCheck %s

// What the loops compute is tested by running them; here, their shape.

// The sum stays in a register; the zero point comes after the shift.
// CHECK-LABEL: @linear
// CHECK-SAME: %[[X:[^:]*]]: memref<5x8xi8>, %[[W:[^:]*]]: memref<12x8xi8>, %[[B:[^:]*]]: memref<12xi32>, %[[M:[^:]*]]: memref<12xi32>, %[[Y:[^:]*]]: memref<5x12xi8>
func.func @linear(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>,
    %m: memref<12xi32>, %y: memref<5x12xi8>) {
  // CHECK: %[[BIAS:.*]] = memref.load %[[B]]
  // CHECK: %[[ACC:.*]] = scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[SUM:.*]] = %[[BIAS]]) -> (i32)
  // CHECK: memref.load %[[X]]
  // CHECK: arith.extsi
  // CHECK: memref.load %[[W]]
  // CHECK-NOT: memref.store
  // CHECK: scf.yield
  // CHECK: %[[MULTIPLIER:.*]] = memref.load %[[M]]
  // CHECK: %[[PRODUCT:.*]] = arith.muli %[[ACC]], %[[MULTIPLIER]] : i32
  // CHECK: %[[ROUNDED:.*]] = arith.addi %[[PRODUCT]], %c32768_i32 : i32
  // CHECK: %[[SHIFTED:.*]] = arith.shrsi %[[ROUNDED]], %c16_i32 : i32
  // CHECK: %[[ZERO:.*]] = arith.addi %[[SHIFTED]], %c-3_i32 : i32
  // CHECK: %[[LOW:.*]] = arith.maxsi %[[ZERO]], %c-128_i32 : i32
  // CHECK: %[[BOTH:.*]] = arith.minsi %[[LOW]], %c127_i32 : i32
  // CHECK: %[[BYTE:.*]] = arith.trunci %[[BOTH]] : i32 to i8
  // CHECK: memref.store %[[BYTE]], %[[Y]]
  tinyattn.linear ins(%x, %w, %b, %m
      : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    outs(%y : memref<5x12xi8>)
    {requant = #tinyattn.requant<shift = 16, zero_point = -3>}
  return
}

// -----

// By 32 bits or more, the wide product is a 32-bit number again.
// CHECK-LABEL: @wide
func.func @wide(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>,
    %m: memref<12xi32>, %y: memref<5x12xi8>) {
  // CHECK: arith.muli %{{.*}}, %{{.*}} : i64
  // CHECK: arith.shrsi %{{.*}}, %{{.*}} : i64
  // CHECK-NEXT: arith.trunci %{{.*}} : i64 to i32
  // CHECK-NEXT: arith.maxsi %{{.*}} : i32
  tinyattn.linear ins(%x, %w, %b, %m
      : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    outs(%y : memref<5x12xi8>) {requant = #tinyattn.requant<shift = 40, wide = true>}
  return
}

// By less, it has to be clamped first.
// CHECK-LABEL: @wide_with_small_shift
func.func @wide_with_small_shift(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>,
    %m: memref<12xi32>, %y: memref<5x12xi8>) {
  // CHECK: arith.minsi %{{.*}} : i64
  // CHECK-NEXT: arith.trunci %{{.*}} : i64 to i8
  tinyattn.linear ins(%x, %w, %b, %m
      : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    outs(%y : memref<5x12xi8>) {requant = #tinyattn.requant<shift = 20, wide = true>}
  return
}

// CHECK-LABEL: @heads
// CHECK-SAME: %[[Y:[^:]*]]: memref<3x5x4xi8>)
func.func @heads(%x: memref<5x8xi8>, %w: memref<12x8xi8>, %b: memref<12xi32>,
    %m: memref<12xi32>, %y: memref<3x5x4xi8>) {
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c5
  // CHECK: scf.for %[[HEAD:.*]] = %c0 to %c3
  // CHECK: scf.for %[[COLUMN:.*]] = %c0 to %c4
  // CHECK: memref.store %{{.*}}, %[[Y]][%[[HEAD]], %[[ROW]], %[[COLUMN]]]
  tinyattn.linear ins(%x, %w, %b, %m
      : memref<5x8xi8>, memref<12x8xi8>, memref<12xi32>, memref<12xi32>)
    outs(%y : memref<3x5x4xi8>)
    {heads = 3 : i64, requant = #tinyattn.requant<shift = 16>}
  return
}

// One division a row, before the loop over its columns.
// CHECK-LABEL: @context
// CHECK-SAME: %[[E:[^:]*]]: memref<2x5x5xi8>
// CHECK-SAME: %[[SUMS:[^:]*]]: memref<2x5xi32>
func.func @context(%e: memref<2x5x5xi8>, %v: memref<2x5x4xi8>, %m: memref<2xi32>,
    %sums: memref<2x5xi32>, %y: memref<5x8xi8>) {
  // CHECK: %[[SUM:.*]] = memref.load %[[SUMS]]
  // CHECK: %[[M:.*]] = arith.divui %{{.*}}, %[[SUM]] : i32
  // CHECK: scf.for
  // CHECK: memref.load %[[E]]
  // CHECK-NEXT: arith.extui
  // CHECK: arith.muli %{{.*}}, %[[M]] : i32
  tinyattn.matmul ins(%e, %v, %m : memref<2x5x5xi8>, memref<2x5x4xi8>, memref<2xi32>)
    row_sums(%sums : memref<2x5xi32>) outs(%y : memref<5x8xi8>)
    {merge_heads, requant = #tinyattn.requant<shift = 24>, unsigned_lhs}
  return
}

// CHECK-LABEL: @shared_keys
// CHECK-SAME: %[[K:[^:]*]]: memref<6x4xi8>
func.func @shared_keys(%q: memref<2x5x4xi8>, %k: memref<6x4xi8>, %m: memref<2xi32>,
    %y: memref<2x5x6xi8>) {
  // CHECK: scf.for %[[COLUMN:.*]] = %c0 to %c6
  // CHECK: scf.for %[[DEPTH:.*]] = %c0 to %c4
  // CHECK: memref.load %[[K]][%[[COLUMN]], %[[DEPTH]]]
  tinyattn.matmul ins(%q, %k, %m : memref<2x5x4xi8>, memref<6x4xi8>, memref<2xi32>)
    outs(%y : memref<2x5x6xi8>) {requant = #tinyattn.requant<shift = 12>, transpose_b}
  return
}

// CHECK-LABEL: @conv_without_padding
func.func @conv_without_padding(%x: memref<1x8x8xi8>, %w: memref<4x2x2x1xi8>,
    %b: memref<4xi32>, %m: memref<4xi32>, %y: memref<4x4x4xi8>) {
  // CHECK-NOT: arith.select
  // CHECK: return
  tinyattn.conv ins(%x, %w, %b, %m
      : memref<1x8x8xi8>, memref<4x2x2x1xi8>, memref<4xi32>, memref<4xi32>)
    outs(%y : memref<4x4x4xi8>)
    {channels_first, input_zero_point = 3 : i32, padding = array<i64: 0, 0, 0, 0>,
     requant = #tinyattn.requant<shift = 12>, strides = array<i64: 2, 2>}
  return
}

// In the padding, a load that is inside stands for the zero point.
// CHECK-LABEL: @conv_with_padding
// CHECK-SAME: %[[X:[^:]*]]: memref<8x8x1xi8>
func.func @conv_with_padding(%x: memref<8x8x1xi8>, %w: memref<4x3x1x1xi8>,
    %b: memref<4xi32>, %m: memref<4xi32>, %y: memref<8x8x4xi8>) {
  // CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[ROW:.*]], %c8
  // CHECK: %[[SAFE:.*]] = arith.select %[[INSIDE]], %[[ROW]], %c0
  // CHECK: memref.load %[[X]][%[[SAFE]],
  // CHECK: arith.select %[[INSIDE]], %{{.*}}, %c3_i32
  tinyattn.conv ins(%x, %w, %b, %m
      : memref<8x8x1xi8>, memref<4x3x1x1xi8>, memref<4xi32>, memref<4xi32>)
    outs(%y : memref<8x8x4xi8>)
    {input_zero_point = 3 : i32, padding = array<i64: 1, 0, 1, 0>,
     requant = #tinyattn.requant<shift = 12>, strides = array<i64: 1, 1>}
  return
}

// CHECK-LABEL: @unnormalised_softmax
// CHECK-SAME: %[[SUMS:[^:]*]]: memref<2xi32>)
func.func @unnormalised_softmax(%x: memref<2x5xi8>, %t: memref<256xi8>, %e: memref<2x5xi8>,
    %sums: memref<2xi32>) {
  // CHECK: arith.maxsi
  // CHECK: %[[SUM:.*]] = scf.for
  // CHECK: arith.extui
  // CHECK-NOT: arith.divui
  // CHECK: memref.store %[[SUM]], %[[SUMS]]
  tinyattn.softmax ins(%x, %t : memref<2x5xi8>, memref<256xi8>)
    outs(%e, %sums : memref<2x5xi8>, memref<2xi32>)
  return
}

// CHECK-LABEL: @whole_softmax
func.func @whole_softmax(%x: memref<2x5xi8>, %t: memref<256xi8>, %y: memref<2x5xi8>) {
  // CHECK: arith.divui %c1073741824_i32
  // CHECK: arith.shrui %{{.*}}, %c22_i32
  // CHECK: arith.minsi %{{.*}}, %c255_i32
  tinyattn.softmax ins(%x, %t : memref<2x5xi8>, memref<256xi8>) outs(%y : memref<2x5xi8>)
  return
}

// CHECK-LABEL: @layernorm
func.func @layernorm(%x: memref<5x8xi8>, %g: memref<8xi16>, %b: memref<8xi32>,
    %y: memref<5x8xi8>) {
  // CHECK-NOT: i64
  // CHECK: arith.divui %{{.*}} : i32
  // CHECK-NOT: i64
  // CHECK: return
  tinyattn.layernorm ins(%x, %g, %b : memref<5x8xi8>, memref<8xi16>, memref<8xi32>)
    outs(%y : memref<5x8xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64}
  return
}

// The variance of long rows needs 64 bits; its shift is a constant and its
// division still one of 32 bits.
// CHECK-LABEL: @layernorm_of_long_rows
func.func @layernorm_of_long_rows(%x: memref<5x1024xi8>, %g: memref<1024xi16>,
    %b: memref<1024xi32>, %y: memref<5x1024xi8>) {
  // CHECK: %[[V:.*]] = arith.shrui %{{.*}}, %c2_i64 : i64
  // CHECK: arith.trunci %[[V]] : i64 to i32
  // CHECK-NOT: i64
  // CHECK: arith.divui %{{.*}} : i32
  tinyattn.layernorm ins(%x, %g, %b : memref<5x1024xi8>, memref<1024xi16>, memref<1024xi32>)
    outs(%y : memref<5x1024xi8>)
    {requant = #tinyattn.requant<shift = 18>, variance_epsilon = 1 : i64}
  return
}

// CHECK-LABEL: @lookup
// CHECK-SAME: %[[X:[^:]*]]: memref<2x3xi8>, %[[T:[^:]*]]: memref<256xi8>
func.func @lookup(%x: memref<2x3xi8>, %t: memref<256xi8>, %y: memref<2x3xi8>) {
  // CHECK: %[[BYTE:.*]] = memref.load %[[X]]
  // CHECK: %[[FLIPPED:.*]] = arith.xori %[[BYTE]], %c-128_i8 : i8
  // CHECK: %[[POSITION:.*]] = arith.index_castui %[[FLIPPED]] : i8 to index
  // CHECK: memref.load %[[T]][%[[POSITION]]]
  tinyattn.lookup ins(%x, %t : memref<2x3xi8>, memref<256xi8>) outs(%y : memref<2x3xi8>)
  return
}

// CHECK-LABEL: @transpose
// CHECK-SAME: %[[X:[^:]*]]: memref<2x3xi8>, %[[Y:[^:]*]]: memref<3x2xi8>
func.func @transpose(%x: memref<2x3xi8>, %y: memref<3x2xi8>) {
  // CHECK: scf.for %[[N:.*]] =
  // CHECK: scf.for %[[M:.*]] =
  // CHECK: %[[BYTE:.*]] = memref.load %[[X]][%[[M]], %[[N]]]
  // CHECK: memref.store %[[BYTE]], %[[Y]][%[[N]], %[[M]]]
  tinyattn.transpose ins(%x : memref<2x3xi8>) outs(%y : memref<3x2xi8>)
  return
}

// CHECK-LABEL: @add
func.func @add(%a: memref<4xi8>, %b: memref<4xi8>, %y: memref<4xi8>) {
  // CHECK: %[[A:.*]] = arith.muli %{{.*}}, %c9000_i32 : i32
  // CHECK: arith.addi %[[A]], %c-7_i32
  // CHECK: arith.muli %{{.*}}, %c12000_i32 : i32
  tinyattn.add ins(%a, %b : memref<4xi8>, memref<4xi8>) outs(%y : memref<4xi8>)
    {multipliers = array<i32: 9000, 12000>, offset = -7 : i32,
     requant = #tinyattn.requant<shift = 14>}
  return
}

// The sum begins with -M·input_zero_point.
// CHECK-LABEL: @mean
func.func @mean(%x: memref<5x8xi8>, %y: memref<1x8xi8>) {
  // CHECK: iter_args(%{{.*}} = %c-20_i32)
  // CHECK: arith.muli %{{.*}}, %c819_i32
  tinyattn.pool ins(%x : memref<5x8xi8>) outs(%y : memref<1x8xi8>)
    {kind = #tinyattn.pool_kind<mean>, input_zero_point = 4 : i32,
     requant = #tinyattn.requant<multiplier = 819, shift = 12>}
  return
}

// CHECK-LABEL: @maximum
func.func @maximum(%x: memref<5x8xi8>, %y: memref<1x8xi8>) {
  // CHECK: iter_args(%{{.*}} = %c-128_i32)
  // CHECK: arith.maxsi
  // CHECK-NOT: arith.muli
  // CHECK: return
  tinyattn.pool ins(%x : memref<5x8xi8>) outs(%y : memref<1x8xi8>)
    {kind = #tinyattn.pool_kind<max>}
  return
}

// CHECK-LABEL: @copy
func.func @copy(%x: memref<5x8xf32>, %y: memref<5x8xf32>) {
  // CHECK-COUNT-2: scf.for
  // CHECK: memref.load
  // CHECK-NEXT: memref.store
  memref.copy %x, %y : memref<5x8xf32> to memref<5x8xf32>
  return
}

// -----

// CHECK-LABEL: @sums_in_pieces
// CHECK-SAME: %[[B:[^:]*]]: memref<8xi32>, %[[X:[^:]*]]: memref<5x4xi8>, %[[W:[^:]*]]: memref<8x4xi8>
// CHECK-SAME: %[[M:[^:]*]]: memref<8xi32>, %[[A:[^:]*]]: memref<5x8xi32>, %[[Y:[^:]*]]: memref<5x8xi8>
// CHECK: %[[BIAS:.*]] = memref.load %[[B]]
// CHECK: memref.store %[[BIAS]], %[[A]]
// The destination is where the sum begins.
// CHECK: %[[OLD:.*]] = memref.load %[[A]]
// CHECK: %[[NEW:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[OLD]])
// CHECK: memref.store %[[NEW]], %[[A]]
// CHECK: memref.load %[[A]]
// CHECK: memref.load %[[M]]
// CHECK: memref.store %{{.*}}, %[[Y]]
func.func @sums_in_pieces(%b: memref<8xi32>, %x: memref<5x4xi8>, %w: memref<8x4xi8>,
    %m: memref<8xi32>, %a: memref<5x8xi32>, %y: memref<5x8xi8>) {
  tinyattn.broadcast ins(%b : memref<8xi32>) outs(%a : memref<5x8xi32>)
  tinyattn.linear_accumulate ins(%x, %w : memref<5x4xi8>, memref<8x4xi8>)
    outs(%a : memref<5x8xi32>)
  tinyattn.requantize ins(%a, %m : memref<5x8xi32>, memref<8xi32>)
    outs(%y : memref<5x8xi8>) {requant = #tinyattn.requant<shift = 16>}
  return
}

// -----

// An id beside the table is taken for the nearest in it.
// CHECK-LABEL: func.func @embedding
// CHECK-SAME: %[[IDS:.*]]: memref<5xi32>, %[[T:.*]]: memref<30x8xi8>, %[[Y:.*]]: memref<5x8xi8>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[LAST:.*]] = arith.constant 29 : i32
// CHECK: scf.for %[[S:.*]] =
// CHECK: scf.for %[[E:.*]] =
// CHECK: %[[ID:.*]] = memref.load %[[IDS]][%[[S]]]
// CHECK: %[[POSITIVE:.*]] = arith.maxsi %[[ID]], %[[ZERO]]
// CHECK: %[[NEAREST:.*]] = arith.minsi %[[POSITIVE]], %[[LAST]]
// CHECK: %[[ROW:.*]] = arith.index_cast %[[NEAREST]]
// CHECK: memref.load %[[T]][%[[ROW]], %[[E]]]
// CHECK: memref.store %{{.*}}, %[[Y]][%[[S]], %[[E]]]
func.func @embedding(%ids: memref<5xi32>, %t: memref<30x8xi8>, %y: memref<5x8xi8>) {
  tinyattn.embedding ins(%ids, %t : memref<5xi32>, memref<30x8xi8>)
    outs(%y : memref<5x8xi8>)
  return
}
