// RUN: tinyformer-opt %s -split-input-file -convert-armdsp-to-llvm | FileCheck %s

// A block is one piece of assembly. Its inputs are outputs too, because their
// registers are overwritten.
// CHECK-LABEL: func @straight
func.func @straight(%pointer: i32) {
  // CHECK: llvm.inline_asm has_side_effects
  // CHECK-SAME: "ldr r1, [r0, #0]\0Asxtb16 r2, r1, ror #8\0Asxtb16 r1, r1\0A
  // CHECK-SAME: pkhbt r1, r1, r2, lsl #16\0Astr r1, [r0, #4]\0A"
  // CHECK-SAME: "={r0},0,~{r1},~{r2},~{cc},~{memory}" %arg0
  armdsp.block %pointer {
  ^bb0(%p: i32):
    %a = armdsp.ldr %p
    %odd = armdsp.sxtb16 %a {rotation = 8 : i32}
    %even = armdsp.sxtb16 %a
    %low = armdsp.pkhbt %even, %odd
    armdsp.str %low, %p {offset = 4 : i32}
  }
  return
}

// -----

// An iterated value stays in its register, through all instructions that it
// passes. What is needed behind the loop is not overwritten in it.
// CHECK-LABEL: func @loop
func.func @loop(%pointer: i32, %end: i32) {
  // CHECK: "movw r2, #0\0A
  // CHECK-SAME: mov r3, r0\0A
  // CHECK-SAME: 1:\0A
  // CHECK-SAME: ldr r4, [r3, #0]\0A
  // CHECK-SAME: smlad r2, r4, r4, r2\0A
  // CHECK-SAME: smlad r2, r4, r4, r2\0A
  // CHECK-SAME: add r3, r3, #4\0A
  // CHECK-SAME: cmp r3, r1\0Abne 1b\0A
  // CHECK-SAME: str r2, [r0, #0]\0A"
  armdsp.block %pointer, %end {
  ^bb0(%p: i32, %e: i32):
    %zero = armdsp.constant 0
    %r:2 = armdsp.loop(%p, %zero) : (i32, i32) -> (i32, i32) {
    ^bb1(%q: i32, %sum: i32):
      %v = armdsp.ldr %q
      %s = armdsp.smlad %v, %v, %sum
      %t = armdsp.smlad %v, %v, %s
      %n = armdsp.add_imm %q, 4
      armdsp.next %n, %t : i32, i32 until %n, %e
    }
    armdsp.str %r#1, %p
  }
  return
}

// -----

// What is parked lives in the registers of the floating-point unit, also while
// it is iterated.
// CHECK-LABEL: func @park
func.func @park(%pointer: i32, %count: i32) {
  // CHECK: "vmov s0, r0\0A
  // CHECK-SAME: 1:\0Avmov r0, s0\0Astr r1, [r0], #4\0Avmov s0, r0\0A
  // CHECK-SAME: add r1, r1, #-1\0Acmp r1, #0\0Abne 1b\0A"
  // CHECK-SAME: ~{s0}
  armdsp.block %pointer, %count {
  ^bb0(%p: i32, %c: i32):
    %y = armdsp.park %p
    %r:2 = armdsp.loop(%y, %c) : (f32, i32) -> (f32, i32) {
    ^bb1(%parked: f32, %i: i32):
      %q = armdsp.unpark %parked
      %n = armdsp.str_post %i, %q {step = 4 : i32}
      %next = armdsp.park %n
      %j = armdsp.add_imm %i, -1
      armdsp.next %next, %j : f32, i32 until %j
    }
  }
  return
}

// -----

// Outside blocks LLVM schedules: intrinsics, and patterns that it knows.
// CHECK-LABEL: func @anywhere
func.func @anywhere(%a: i32, %b: i32) -> i32 {
  // CHECK: llvm.call_intrinsic "llvm.arm.smlad"(%arg0, %arg1, %arg0)
  %0 = armdsp.smlad %a, %b, %a
  // CHECK: llvm.mul {{.*}} : i64
  // CHECK: llvm.trunc {{.*}} : i64 to i32
  %1 = armdsp.smmulr %0, %b
  // CHECK: llvm.call_intrinsic "llvm.arm.ssat"
  %2 = armdsp.ssat %1 {width = 8 : i32}
  return %2 : i32
}
