// RUN: tinyformer-opt %s -split-input-file -tinyattn-plan-memory | FileCheck %s

// The third buffer may lie where the first was.
// CHECK-LABEL: @chain
// CHECK-SAME: %[[ARENA:[^:]*]]: memref<192xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 192 : i64}
func.func @chain(%x: memref<64xi8>, %t: memref<256xi8>, %y: memref<64xi8>) {
  // CHECK: %[[C0:.*]] = arith.constant 0 : index
  // CHECK: memref.view %[[ARENA]][%[[C0]]][] : memref<192xi8> to memref<64xi8>
  // CHECK: %[[C64:.*]] = arith.constant 64 : index
  // CHECK: memref.view %[[ARENA]][%[[C64]]][] : memref<192xi8> to memref<128xi8>
  // CHECK: %[[D0:.*]] = arith.constant 0 : index
  // CHECK: memref.view %[[ARENA]][%[[D0]]][] : memref<192xi8> to memref<64xi8>
  // CHECK-NOT: memref.dealloc
  %a = memref.alloc() : memref<64xi8>
  %b = memref.alloc() : memref<128xi8>
  %c = memref.alloc() : memref<64xi8>
  tinyattn.lookup ins(%x, %t : memref<64xi8>, memref<256xi8>) outs(%a : memref<64xi8>)
  func.call @widen(%a, %b) : (memref<64xi8>, memref<128xi8>) -> ()
  func.call @narrow(%b, %c) : (memref<128xi8>, memref<64xi8>) -> ()
  tinyattn.lookup ins(%c, %t : memref<64xi8>, memref<256xi8>) outs(%y : memref<64xi8>)
  memref.dealloc %a : memref<64xi8>
  return
}
func.func private @widen(memref<64xi8>, memref<128xi8>)
func.func private @narrow(memref<128xi8>, memref<64xi8>)

// -----

// A view keeps its buffer alive, and so does a view of a view.
// CHECK-LABEL: @views
// CHECK-SAME: memref<48xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 48 : i64}
func.func @views(%x: memref<16xi8>) {
  %a = memref.alloc() : memref<4x4xi8>
  %b = memref.alloc() : memref<16xi8>
  %c = memref.alloc() : memref<16xi8>
  %flat = memref.collapse_shape %a [[0, 1]] : memref<4x4xi8> into memref<16xi8>
  %tail = memref.subview %flat[8] [8] [1] : memref<16xi8> to memref<8xi8, strided<[1], offset: 8>>
  memref.copy %x, %flat : memref<16xi8> to memref<16xi8>
  memref.copy %x, %b : memref<16xi8> to memref<16xi8>
  memref.copy %b, %c : memref<16xi8> to memref<16xi8>
  func.call @use(%tail, %c) : (memref<8xi8, strided<[1], offset: 8>>, memref<16xi8>) -> ()
  return
}
func.func private @use(memref<8xi8, strided<[1], offset: 8>>, memref<16xi8>)

// -----

// What a loop reads is alive until the loop ends: %a may be read again after
// %b is written.
// CHECK-LABEL: @loop
// CHECK-SAME: memref<32xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 32 : i64}
func.func @loop(%x: memref<16xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<16xi8>
  %b = memref.alloc() : memref<16xi8>
  memref.copy %x, %a : memref<16xi8> to memref<16xi8>
  scf.for %i = %c0 to %c4 step %c1 {
    memref.copy %a, %x : memref<16xi8> to memref<16xi8>
    memref.copy %x, %b : memref<16xi8> to memref<16xi8>
  }
  return
}

// -----

// Buffers of one iteration share memory, but not with those that are alive
// around the loop.
// CHECK-LABEL: @inside_of_loop
// CHECK-SAME: memref<48xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 48 : i64}
func.func @inside_of_loop(%x: memref<16xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<16xi8>
  memref.copy %x, %a : memref<16xi8> to memref<16xi8>
  scf.for %i = %c0 to %c4 step %c1 {
    // CHECK: scf.for
    // CHECK-COUNT-3: memref.view
    %b = memref.alloc() : memref<16xi8>
    %c = memref.alloc() : memref<16xi8>
    %d = memref.alloc() : memref<16xi8>
    memref.copy %x, %b : memref<16xi8> to memref<16xi8>
    memref.copy %b, %c : memref<16xi8> to memref<16xi8>
    memref.copy %c, %d : memref<16xi8> to memref<16xi8>
  }
  memref.copy %a, %x : memref<16xi8> to memref<16xi8>
  return
}

// -----

// A buffer that a loop carries lives as long as what comes out of the loop.
// CHECK-LABEL: @carried
// CHECK-SAME: memref<48xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 48 : i64}
func.func @carried(%x: memref<16xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<16xi8>
  %b = memref.alloc() : memref<16xi8>
  %c = memref.alloc() : memref<16xi8>
  %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%p = %a, %q = %b)
      -> (memref<16xi8>, memref<16xi8>) {
    memref.copy %p, %q : memref<16xi8> to memref<16xi8>
    scf.yield %q, %p : memref<16xi8>, memref<16xi8>
  }
  memref.copy %x, %c : memref<16xi8> to memref<16xi8>
  memref.copy %r#0, %c : memref<16xi8> to memref<16xi8>
  memref.copy %r#1, %c : memref<16xi8> to memref<16xi8>
  return
}

// -----

// CHECK-LABEL: @nothing_to_plan
// CHECK-SAME: memref<8xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 0 : i64}
func.func @nothing_to_plan(%x: memref<16xi8>) {
  return
}

// -----

// Sizes are rounded up to the alignment, and the allocation may ask for more.
// CHECK-LABEL: @alignment
// CHECK-SAME: memref<80xi8> {tinyattn.arena = "ram", tinyattn.arena_lower_bound = 80 : i64}
func.func @alignment(%x: memref<3xi32>, %z: memref<61xi8>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: memref.view %{{.*}}[%[[C0]]][] : memref<80xi8> to memref<61xi8>
  %a = memref.alloc() : memref<3xi32>
  %b = memref.alloc() {alignment = 64 : i64} : memref<61xi8>
  memref.copy %x, %a : memref<3xi32> to memref<3xi32>
  memref.copy %z, %b : memref<61xi8> to memref<61xi8>
  memref.copy %a, %x : memref<3xi32> to memref<3xi32>
  return
}

// -----

#target = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
  <name = "flash", kind = flash, size = 4096>,
  <name = "small", kind = ram, size = 64, reserved = 16>,
  <name = "large", kind = ram, size = 128, reserved = 64>]>

// The first RAM does not hold it; flash is no place for an arena.
// CHECK-LABEL: @second_memory
// CHECK-SAME: memref<64xi8> {tinyattn.arena = "large", tinyattn.arena_lower_bound = 64 : i64}
module attributes {tinyattn.target = #target} {
  func.func @second_memory(%x: memref<64xi8>) {
    %a = memref.alloc() : memref<64xi8>
    memref.copy %x, %a : memref<64xi8> to memref<64xi8>
    return
  }
}
