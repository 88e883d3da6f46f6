// RUN: tinyformer-opt %s -split-input-file -convert-armdsp-to-llvm -verify-diagnostics

func.func @seventeen_floats(%pointer: i32) {
  armdsp.block %pointer {
  ^bb0(%p: i32):
    %0 = armdsp.park %p
    %1 = armdsp.park %p
    %2 = armdsp.park %p
    %3 = armdsp.park %p
    %4 = armdsp.park %p
    %5 = armdsp.park %p
    %6 = armdsp.park %p
    %7 = armdsp.park %p
    %8 = armdsp.park %p
    %9 = armdsp.park %p
    %10 = armdsp.park %p
    %11 = armdsp.park %p
    %12 = armdsp.park %p
    %13 = armdsp.park %p
    %14 = armdsp.park %p
    %15 = armdsp.park %p
    // expected-error @+1 {{needs a register more than the 16 there are}}
    %16 = armdsp.park %p
    %a:17 = armdsp.loop(%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16)
        : (f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32)
       -> (f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32) {
    ^bb1(%b0: f32, %b1: f32, %b2: f32, %b3: f32, %b4: f32, %b5: f32, %b6: f32, %b7: f32, %b8: f32, %b9: f32, %b10: f32, %b11: f32, %b12: f32, %b13: f32, %b14: f32, %b15: f32, %b16: f32):
      armdsp.next %b0, %b1, %b2, %b3, %b4, %b5, %b6, %b7, %b8, %b9, %b10, %b11, %b12, %b13, %b14, %b15, %b16
          : f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32 until %p
    }
  }
  return
}

// -----

func.func @still_in_use(%pointer: i32) {
  armdsp.block %pointer {
  ^bb0(%p: i32):
    %r = armdsp.loop(%p) : (i32) -> i32 {
    ^bb1(%q: i32):
      %n = armdsp.ldr %q
      armdsp.str %n, %q
      // expected-error @+1 {{iterates a value (number 0) whose predecessor is still in use where it is made}}
      armdsp.next %n : i32 until %n
    }
  }
  return
}

// -----

func.func @outside(%pointer: i32) -> i32 {
  // expected-error @+1 {{'armdsp.ldr' op expects parent op to be one of 'armdsp.block, armdsp.loop'}}
  %0 = armdsp.ldr %pointer
  return %0 : i32
}

// -----

func.func @rotation(%a: i32) -> i32 {
  // This one is OK.
  %0 = armdsp.sxtb16 %a {rotation = 8 : i32}
  // expected-error @+1 {{rotates by 0, 8, 16 or 24 bits, got 4}}
  %1 = armdsp.sxtb16 %a {rotation = 4 : i32}
  return %1 : i32
}
