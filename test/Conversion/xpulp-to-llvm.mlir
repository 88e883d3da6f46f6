// RUN: tinyformer-opt %s -split-input-file -convert-xpulp-to-llvm | FileCheck %s

// A block is one piece of assembly. The pointer, which is advanced, is tied;
// what dies at an instruction hands its operand on to the result.
// CHECK-LABEL: func @block
func.func @block(%pointer: i32) -> i32 {
  // CHECK: llvm.inline_asm has_side_effects
  // CHECK-SAME: ".insn i 0x0b, 2, $1, 4($0)\0A
  // CHECK-SAME: lw $0, 0($0)\0A
  // CHECK-SAME: .insn r 0x57, 1, 0x4c, $0, $1, $0\0A"
  // CHECK-SAME: "=&r,=&r,0,~{memory}" %arg0
  %sum = xpulp.block {
    %a, %p = xpulp.p.lw_post %pointer, 4
    %b = xpulp.lw %p, 0
    %s = xpulp.pv.dotsp.b %a, %b
    xpulp.yield %s
  }
  return %sum : i32
}

// -----

// Instructions on their own have no side effects, unless they access memory.
// CHECK-LABEL: func @alone
func.func @alone(%pointer: i32, %a: i32, %b: i32) -> (i32, i32) {
  // CHECK: llvm.inline_asm ".insn r 0x57, 1, 0x5c, $0, $1, $2", "=r,r,r,0" %arg1, %arg2, %arg1
  %0 = xpulp.pv.sdotsp.b %a, %b, %a
  // CHECK: llvm.inline_asm ".insn r 0x33, 1, 0x0a, $0, $1, x8", "=r,r"
  %1 = xpulp.p.clip %0, 8
  // CHECK: llvm.inline_asm ".insn r 0x57, 7, 0x4c + 1, $0, $1, x31", "=r,r"
  %2 = xpulp.pv.dotsp.sci.b %1, -1
  // CHECK: llvm.mlir.constant(5 : i32)
  %3 = xpulp.li 5
  // CHECK: llvm.inline_asm has_side_effects ".insn i 0x0b, 2, $0, 4($1)", "=&r,=r,1,~{memory}" %arg0
  %4, %p = xpulp.p.lw_post %pointer, 4
  // CHECK: llvm.inline_asm has_side_effects "sw $0, 8($1)", "r,r,~{memory}"
  xpulp.sw %2, %p, 8
  %5 = xpulp.add %4, %3
  return %4, %5 : i32, i32
}

// -----

// A short loop of a known number of rounds has an immediate set-up. Iterated
// values stay in their operands; the last instruction is 4 times 4 bytes behind.
// CHECK-LABEL: func @sum
func.func @sum(%pointer: i32, %zero: i32) -> i32 {
  // CHECK: ".p2align 2\0A.option push\0A.option norvc\0A
  // CHECK-SAME: .insn i 0x7b, 5, x0, x6, 16\0A
  // CHECK-SAME: .insn i 0x0b, 2, $2, 4($0)\0A
  // CHECK-SAME: .insn i 0x0b, 2, $3, 4($0)\0A
  // CHECK-SAME: .insn r 0x57, 1, 0x5c, $1, $2, $3\0A
  // CHECK-SAME: .option pop\0A"
  // CHECK-SAME: "=&r,=&r,=&r,=&r,0,1,~{memory}" %arg0, %arg1
  %r:2 = xpulp.hwloop 16 iter_args(%p = %pointer, %s = %zero) {
    %a, %q = xpulp.p.lw_post %p, 4
    %b, %n = xpulp.p.lw_post %q, 4
    %t = xpulp.pv.sdotsp.b %a, %b, %s
    xpulp.yield %n, %t
  }
  return %r#1 : i32
}

// -----

// The count is a value, or a number that is made in a register that is free.
// The inner one of two loops is the hardware's loop 0.
// CHECK-LABEL: func @nested
func.func @nested(%a: i32, %rounds: i32) -> i32 {
  // CHECK: llvm.inline_asm "
  // CHECK-SAME: .insn i 0x7b, 4, x1, $[[ROUNDS:[0-9]+]], 14\0A
  // CHECK-SAME: addi $[[T:[0-9]+]], $[[X:[0-9]+]], 1\0A
  // CHECK-SAME: .insn i 0x7b, 5, x0, x6, 4\0A
  // CHECK-SAME: addi $[[X]], $[[X]], 3\0Anop\0Anop\0A
  // CHECK-SAME: xor $[[X]], $[[X]], $[[T]]\0A
  // CHECK-SAME: nop\0A
  %r = xpulp.hwloop %rounds iter_args(%x = %a) {
    %t = xpulp.addi %x, 1
    %i = xpulp.hwloop 4 iter_args(%y = %x) {
      %z = xpulp.addi %y, 3
      xpulp.nop
      xpulp.nop
      xpulp.yield %z
    }
    %n = xpulp.xor %i, %t
    xpulp.nop
    xpulp.yield %n
  }
  return %r : i32
}

// -----

// CHECK-LABEL: func @many_rounds
func.func @many_rounds(%a: i32) -> i32 {
  // CHECK: "lui $1, 2\0Aaddi $1, $1, -192\0A.p2align 2
  // CHECK-SAME: .insn i 0x7b, 4, x0, $1, 6\0A
  %r = xpulp.hwloop 8000 iter_args(%x = %a) {
    %t = xpulp.addi %x, 1
    %u = xpulp.slli %t, 1
    %v = xpulp.xori %u, 5
    xpulp.yield %v
  }
  return %r : i32
}

// -----

// What the dataflow cannot do in place is copied: an accumulator that is still
// needed, and values that change places in a circle.
// CHECK-LABEL: func @copies
func.func @copies(%a: i32, %b: i32) -> (i32, i32) {
  // CHECK: .insn i 0x7b, 5, x0, x14, 3\0A
  // CHECK-SAME: mv $2, $0\0A
  // CHECK-SAME: .insn r 0x33, 0, 0x21, $2, $1, $1\0A
  // CHECK-SAME: xor $0, $2, $0\0A
  // CHECK-SAME: nop\0A
  // CHECK-SAME: mv $2, $1\0Amv $1, $0\0Amv $0, $2\0A
  %r:2 = xpulp.hwloop 3 iter_args(%x = %a, %y = %b) {
    %m = xpulp.p.mac %y, %y, %x
    %n = xpulp.xor %m, %x
    xpulp.nop
    xpulp.yield %y, %n
  }
  return %r#0, %r#1 : i32, i32
}

// -----

// An input that is needed behind the block keeps its register to itself; one
// that is only read is no output.
// CHECK-LABEL: func @kept
func.func @kept(%a: i32, %b: i32) -> (i32, i32) {
  // CHECK: "add $0, $1, $2\0Aslli $0, $0, 3\0A", "=&r,r,r" %arg0, %arg1 {{.*}} -> i32
  %r = xpulp.block {
    %s = xpulp.add %a, %b
    %t = xpulp.slli %s, 3
    xpulp.yield %t
  }
  %u = arith.addi %a, %b : i32
  return %r, %u : i32, i32
}

// -----

// A pointer that is still needed is copied, and the copy is advanced.
// CHECK-LABEL: func @pointers
func.func @pointers(%pointer: i32, %step: i32) -> i32 {
  // CHECK: mv $[[P:[0-9]+]], $[[POINTER:[0-9]+]]\0A
  // CHECK-SAME: .insn i 0x0b, 2, $[[A:[0-9]+]], 4($[[P]])\0A
  // CHECK-SAME: .insn r 0x0b, 7, 0x10, $[[B:[0-9]+]], $[[P]], $[[STEP:[0-9]+]]\0A
  // CHECK-SAME: mv $[[Q:[0-9]+]], $[[POINTER]]\0A
  // CHECK-SAME: .insn s 0x2b, 2, $[[A]], 8($[[Q]])\0A
  // CHECK-SAME: .insn r 0x2b, 6, 0, $[[STEP]], $[[Q]], $[[B]]\0A
  // CHECK-SAME: sub ${{[0-9]+}}, $[[Q]], $[[POINTER]]\0A
  %distance = xpulp.block {
    %a, %p = xpulp.p.lw_post %pointer, 4
    %b, %p1 = xpulp.p.lw_post_reg %p, %step
    %q = xpulp.p.sw_post %a, %pointer, 8
    %q1 = xpulp.p.sw_post_reg %b, %q, %step
    %d = xpulp.sub %q1, %pointer
    xpulp.yield %d
  }
  return %distance : i32
}

// -----

// Two loops inside of one: the last instruction of the outer one lies two
// behind that of the second.
// CHECK-LABEL: func @two_inside
func.func @two_inside(%a: i32) -> i32 {
  // CHECK: .insn i 0x7b, 5, x1, x20, 6\0A
  // CHECK-SAME: .insn i 0x7b, 5, x0, x6, 4\0Aaddi $0, $0, 3\0Anop\0Anop\0A
  // CHECK-SAME: .insn i 0x7b, 5, x0, x6, 5\0Aaddi $0, $0, 7\0Anop\0Anop\0A
  // CHECK-SAME: nop\0Anop\0A.option pop
  %r = xpulp.hwloop 6 iter_args(%x = %a) {
    %i = xpulp.hwloop 4 iter_args(%y = %x) {
      %z = xpulp.addi %y, 3
      xpulp.nop
      xpulp.nop
      xpulp.yield %z
    }
    %j = xpulp.hwloop 5 iter_args(%y = %i) {
      %z = xpulp.addi %y, 7
      xpulp.nop
      xpulp.nop
      xpulp.yield %z
    }
    xpulp.nop
    xpulp.nop
    xpulp.yield %j
  }
  return %r : i32
}
