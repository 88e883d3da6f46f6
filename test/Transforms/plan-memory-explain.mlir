// RUN: tinyformer-opt %s -split-input-file -tinyattn-plan-memory=explain | FileCheck %s
// RUN: tinyformer-opt %s -split-input-file -tinyattn-plan-memory | FileCheck %s --check-prefix=QUIET

// QUIET-NOT: tinyattn.plan

// Constants and loops are no steps: a step is an op that touches a buffer. What
// is alive around the loop is alive at all steps inside.
// CHECK-LABEL: @steps
// CHECK-SAME: tinyattn.plan = {
// CHECK-SAME: buffers = [
// CHECK-SAME: {first = 0 : i64, last = 3 : i64, memory = "ram", name = "first", offset = 0 : i64, size = 16 : i64}
// CHECK-SAME: {first = 1 : i64, last = 2 : i64, memory = "ram", name = "inner", offset = 16 : i64, size = 8 : i64}
// CHECK-SAME: steps = ["first", "inner", "use", "last"]
func.func @steps(%x: memref<16xi8>, %y: memref<8xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<16xi8> loc("alloc")
  memref.copy %x, %a : memref<16xi8> to memref<16xi8> loc("first")
  scf.for %i = %c0 to %c4 step %c1 {
    %b = memref.alloc() : memref<8xi8> loc("alloc")
    memref.copy %y, %b : memref<8xi8> to memref<8xi8> loc("inner")
    memref.copy %b, %y : memref<8xi8> to memref<8xi8> loc("use")
  }
  memref.copy %a, %x : memref<16xi8> to memref<16xi8> loc("last")
  return
}

// -----

// CHECK-LABEL: @nothing
// CHECK-SAME: tinyattn.plan = {buffers = [], steps = []}
func.func @nothing(%x: memref<16xi8>) {
  return
}
