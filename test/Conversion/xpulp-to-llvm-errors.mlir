// RUN: tinyformer-opt %s -split-input-file -convert-xpulp-to-llvm -verify-diagnostics

// The pointer and 27 words: this one is OK.
func.func @twenty_eight(%p: i32) -> (i32, i32) {
  %r:2 = xpulp.block {
    %0 = xpulp.lw %p, 0
    %1 = xpulp.lw %p, 4
    %2 = xpulp.lw %p, 8
    %3 = xpulp.lw %p, 12
    %4 = xpulp.lw %p, 16
    %5 = xpulp.lw %p, 20
    %6 = xpulp.lw %p, 24
    %7 = xpulp.lw %p, 28
    %8 = xpulp.lw %p, 32
    %9 = xpulp.lw %p, 36
    %10 = xpulp.lw %p, 40
    %11 = xpulp.lw %p, 44
    %12 = xpulp.lw %p, 48
    %13 = xpulp.lw %p, 52
    %14 = xpulp.lw %p, 56
    %15 = xpulp.lw %p, 60
    %16 = xpulp.lw %p, 64
    %17 = xpulp.lw %p, 68
    %18 = xpulp.lw %p, 72
    %19 = xpulp.lw %p, 76
    %20 = xpulp.lw %p, 80
    %21 = xpulp.lw %p, 84
    %22 = xpulp.lw %p, 88
    %23 = xpulp.lw %p, 92
    %24 = xpulp.lw %p, 96
    %25 = xpulp.lw %p, 100
    %26 = xpulp.lw %p, 104
    %s0 = xpulp.add %0, %1
    %s1 = xpulp.add %s0, %2
    %s2 = xpulp.add %s1, %3
    %s3 = xpulp.add %s2, %4
    %s4 = xpulp.add %s3, %5
    %s5 = xpulp.add %s4, %6
    %s6 = xpulp.add %s5, %7
    %s7 = xpulp.add %s6, %8
    %s8 = xpulp.add %s7, %9
    %s9 = xpulp.add %s8, %10
    %s10 = xpulp.add %s9, %11
    %s11 = xpulp.add %s10, %12
    %s12 = xpulp.add %s11, %13
    %s13 = xpulp.add %s12, %14
    %s14 = xpulp.add %s13, %15
    %s15 = xpulp.add %s14, %16
    %s16 = xpulp.add %s15, %17
    %s17 = xpulp.add %s16, %18
    %s18 = xpulp.add %s17, %19
    %s19 = xpulp.add %s18, %20
    %s20 = xpulp.add %s19, %21
    %s21 = xpulp.add %s20, %22
    %s22 = xpulp.add %s21, %23
    %s23 = xpulp.add %s22, %24
    %s24 = xpulp.add %s23, %25
    %s25 = xpulp.add %s24, %26
    xpulp.yield %s25, %p
  }
  return %r#0, %r#1 : i32, i32
}

// -----

func.func @twenty_nine(%p: i32) -> (i32, i32) {
  // expected-error @+1 {{needs 29 registers at once, but there are 28}}
  %r:2 = xpulp.block {
    %0 = xpulp.lw %p, 0
    %1 = xpulp.lw %p, 4
    %2 = xpulp.lw %p, 8
    %3 = xpulp.lw %p, 12
    %4 = xpulp.lw %p, 16
    %5 = xpulp.lw %p, 20
    %6 = xpulp.lw %p, 24
    %7 = xpulp.lw %p, 28
    %8 = xpulp.lw %p, 32
    %9 = xpulp.lw %p, 36
    %10 = xpulp.lw %p, 40
    %11 = xpulp.lw %p, 44
    %12 = xpulp.lw %p, 48
    %13 = xpulp.lw %p, 52
    %14 = xpulp.lw %p, 56
    %15 = xpulp.lw %p, 60
    %16 = xpulp.lw %p, 64
    %17 = xpulp.lw %p, 68
    %18 = xpulp.lw %p, 72
    %19 = xpulp.lw %p, 76
    %20 = xpulp.lw %p, 80
    %21 = xpulp.lw %p, 84
    %22 = xpulp.lw %p, 88
    %23 = xpulp.lw %p, 92
    %24 = xpulp.lw %p, 96
    %25 = xpulp.lw %p, 100
    %26 = xpulp.lw %p, 104
    // expected-note @+1 {{this many are needed here}}
    %27 = xpulp.lw %p, 108
    %s0 = xpulp.add %0, %1
    %s1 = xpulp.add %s0, %2
    %s2 = xpulp.add %s1, %3
    %s3 = xpulp.add %s2, %4
    %s4 = xpulp.add %s3, %5
    %s5 = xpulp.add %s4, %6
    %s6 = xpulp.add %s5, %7
    %s7 = xpulp.add %s6, %8
    %s8 = xpulp.add %s7, %9
    %s9 = xpulp.add %s8, %10
    %s10 = xpulp.add %s9, %11
    %s11 = xpulp.add %s10, %12
    %s12 = xpulp.add %s11, %13
    %s13 = xpulp.add %s12, %14
    %s14 = xpulp.add %s13, %15
    %s15 = xpulp.add %s14, %16
    %s16 = xpulp.add %s15, %17
    %s17 = xpulp.add %s16, %18
    %s18 = xpulp.add %s17, %19
    %s19 = xpulp.add %s18, %20
    %s20 = xpulp.add %s19, %21
    %s21 = xpulp.add %s20, %22
    %s22 = xpulp.add %s21, %23
    %s23 = xpulp.add %s22, %24
    %s24 = xpulp.add %s23, %25
    %s25 = xpulp.add %s24, %26
    %s26 = xpulp.add %s25, %27
    xpulp.yield %s26, %p
  }
  return %r#0, %r#1 : i32, i32
}
