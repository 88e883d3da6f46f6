// RUN: tinyformer-opt %s | tinyformer-opt | FileCheck %s
// RUN: tinyformer-opt %s --cse --canonicalize | FileCheck %s --check-prefix=CSE

// CHECK-LABEL: func @instructions
func.func @instructions(%a: i32, %b: i32, %c: i32) -> (i32, i32) {
  // CHECK: xpulp.addi %{{.*}}, -2048
  %0 = xpulp.addi %a, -2048
  // CHECK: xpulp.pv.sdotusp.b %{{.*}}, %{{.*}}, %{{.*}}
  %1 = xpulp.pv.sdotusp.b %0, %b, %c
  // CHECK: xpulp.pv.sdotsp.sci.h %{{.*}}, %{{.*}}, -32
  %2 = xpulp.pv.sdotsp.sci.h %1, %b, -32
  // CHECK: xpulp.p.addrn %{{.*}}, %{{.*}}, 31
  %3 = xpulp.p.addrn %2, %b, 31
  // CHECK: xpulp.p.insert %{{.*}}, %{{.*}}, 32 at 0
  %4 = xpulp.p.insert %3, %b, 32 at 0
  // CHECK: %{{.*}}, %{{.*}} = xpulp.p.lhu_post %{{.*}}, 2
  %5, %p = xpulp.p.lhu_post %4, 2
  // CHECK: xpulp.p.sb_post_reg %{{.*}}, %{{.*}}, %{{.*}}
  %q = xpulp.p.sb_post_reg %5, %p, %b
  return %5, %q : i32, i32
}

// CHECK-LABEL: func @regions
func.func @regions(%a: i32, %n: i32) -> i32 {
  // CHECK: xpulp.block {
  %r = xpulp.block {
    // CHECK: xpulp.hwloop %{{.*}} iter_args(%{{.*}} = %{{.*}}) {
    %l = xpulp.hwloop %n iter_args(%x = %a) {
      %y = xpulp.addi %x, 1
      // CHECK: xpulp.hwloop 4 {
      // CHECK-NEXT: xpulp.nop
      // CHECK-NEXT: xpulp.nop
      // CHECK-NEXT: xpulp.nop
      // CHECK-NEXT: }
      xpulp.hwloop 4 {
        xpulp.nop
        xpulp.nop
        xpulp.nop
      }
      xpulp.nop
      xpulp.nop
      xpulp.yield %y
    }
    // CHECK: xpulp.yield
    // CHECK: xpulp.yield
    xpulp.yield %l
  }
  return %r : i32
}

// Outside of regions equal constants and sums are one; loads never are, and in
// a region each constant is made where it stands.
// CSE-LABEL: func @merged
func.func @merged(%p: i32) -> (i32, i32, i32, i32) {
  // CSE-COUNT-1: xpulp.li 7
  // CSE-NOT: xpulp.li 7
  %0 = xpulp.li 7
  %1 = xpulp.li 7
  // CSE-COUNT-1: xpulp.add
  // CSE-NOT: xpulp.add
  %2 = xpulp.add %p, %0
  %3 = xpulp.add %p, %1
  // CSE-COUNT-2: xpulp.lw
  %4 = xpulp.lw %p, 0
  %5 = xpulp.lw %p, 0
  %6 = xpulp.mul %2, %3
  // CSE: xpulp.block
  // CSE-COUNT-2: xpulp.li 9
  %7 = xpulp.block {
    %8 = xpulp.li 9
    %9 = xpulp.li 9
    %10 = xpulp.xor %8, %9
    xpulp.yield %10
  }
  return %4, %5, %6, %7 : i32, i32, i32, i32
}
