// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

//===----------------------------------------------------------------------===//
// Immediates, one op of each kind
//===----------------------------------------------------------------------===//

func.func @twelve_bits(%a: i32) {
  // These are OK.
  %0 = xpulp.addi %a, -2048
  %1 = xpulp.addi %a, 2047
  // expected-error @+1 {{whose minimum value is -2048 whose maximum value is 2047}}
  %2 = xpulp.addi %a, 2048
  return
}

// -----

func.func @twelve_bits_too_low(%a: i32) {
  // expected-error @+1 {{whose minimum value is -2048 whose maximum value is 2047}}
  %0 = xpulp.addi %a, -2049
  return
}

// -----

func.func @six_bits(%a: i32) {
  // These are OK.
  %0 = xpulp.pv.add.sci.b %a, -32
  %1 = xpulp.pv.add.sci.b %a, 31
  // expected-error @+1 {{whose minimum value is -32 whose maximum value is 31}}
  %2 = xpulp.pv.add.sci.b %a, 32
  return
}

// -----

func.func @six_bits_unsigned(%a: i32) {
  // These are OK.
  %0 = xpulp.pv.avgu.sci.b %a, 0
  %1 = xpulp.pv.avgu.sci.b %a, 63
  // expected-error @+1 {{whose minimum value is 0 whose maximum value is 63}}
  %2 = xpulp.pv.avgu.sci.b %a, 64
  return
}

// -----

func.func @five_bits(%a: i32) {
  // These are OK.
  %0 = xpulp.p.clip %a, 0
  %1 = xpulp.p.clip %a, 31
  // expected-error @+1 {{whose minimum value is 0 whose maximum value is 31}}
  %2 = xpulp.p.clip %a, 32
  return
}

// -----

func.func @width(%a: i32) {
  // These are OK.
  %0 = xpulp.p.extract %a, 1 at 0
  %1 = xpulp.p.extract %a, 32 at 0
  // expected-error @+1 {{whose minimum value is 1 whose maximum value is 32}}
  %2 = xpulp.p.extract %a, 33 at 0
  return
}

// -----

func.func @width_too_low(%a: i32) {
  // expected-error @+1 {{whose minimum value is 1 whose maximum value is 32}}
  %0 = xpulp.p.extract %a, 0 at 0
  return
}

// -----

func.func @byte_lane(%a: i32) {
  // These are OK.
  %0 = xpulp.pv.extract.b %a, 0
  %1 = xpulp.pv.extract.b %a, 3
  // expected-error @+1 {{whose minimum value is 0 whose maximum value is 3}}
  %2 = xpulp.pv.extract.b %a, 4
  return
}

// -----

func.func @half_lane(%a: i32) {
  // These are OK.
  %0 = xpulp.pv.extract.h %a, 0
  %1 = xpulp.pv.extract.h %a, 1
  // expected-error @+1 {{whose minimum value is 0 whose maximum value is 1}}
  %2 = xpulp.pv.extract.h %a, 2
  return
}

// -----

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

func.func @others(%a: i32) {
  xpulp.block {
    // This one is OK.
    %0 = xpulp.add %a, %a
    // expected-error @+1 {{is not an instruction of 'xpulp.block'}}
    %1 = arith.addi %a, %a : i32
  }
  return
}

// -----

func.func @nested_block() {
  xpulp.block {
    // expected-error @+1 {{is not an instruction of 'xpulp.block'}}
    xpulp.block {
      xpulp.nop
    }
  }
  return
}

// -----

func.func @arguments(%a: i32) {
  // expected-error @+1 {{has no arguments, but uses values from outside}}
  "xpulp.block"() ({
  ^bb0(%x: i32):
    xpulp.nop
    xpulp.yield
  }) : () -> ()
  return
}

// -----

func.func @block_results(%a: i32) {
  // expected-error @+1 {{has 2 results, but yields 1 values}}
  %0:2 = "xpulp.block"() ({
    xpulp.yield %a
  }) : () -> (i32, i32)
  return
}

// -----

//===----------------------------------------------------------------------===//
// Hardware loops
//===----------------------------------------------------------------------===//

func.func @short() {
  // This one is OK: a constant of two instructions.
  xpulp.hwloop 5 {
    xpulp.nop
    %0 = xpulp.li 4097
  }
  // expected-error @+1 {{expects a body of 3 to 2047 instructions, got 2}}
  xpulp.hwloop 5 {
    xpulp.nop
    xpulp.nop
  }
  return
}

// -----

func.func @no_round() {
  // This one is OK.
  xpulp.hwloop 1 {
    xpulp.nop
    xpulp.nop
    xpulp.nop
  }
  // expected-error @+1 {{runs at least once, got count 0}}
  xpulp.hwloop 0 {
    xpulp.nop
    xpulp.nop
    xpulp.nop
  }
  return
}

// -----

func.func @no_count() {
  // expected-error @+1 {{expects either a value or a number as count}}
  "xpulp.hwloop"() <{operandSegmentSizes = array<i32: 0, 0>}> ({
    xpulp.nop
    xpulp.nop
    xpulp.nop
    xpulp.yield
  }) : () -> ()
  return
}

// -----

func.func @loop_arguments(%a: i32) {
  // expected-error @+1 {{has 1 inits, but 0 arguments and 1 results}}
  %0 = "xpulp.hwloop"(%a) <{constantCount = 2 : i32, operandSegmentSizes = array<i32: 0, 1>}> ({
    xpulp.nop
    xpulp.nop
    xpulp.nop
    xpulp.yield %a
  }) : (i32) -> i32
  return
}

// -----

func.func @loop_results(%a: i32) {
  // expected-error @+1 {{has 1 results, but yields 0 values}}
  %0 = xpulp.hwloop 2 iter_args(%x = %a) {
    xpulp.nop
    xpulp.nop
    xpulp.nop
  }
  return
}

// -----

func.func @others_in_a_loop(%a: i32) {
  xpulp.hwloop 2 {
    xpulp.nop
    xpulp.nop
    xpulp.nop
    // expected-error @+1 {{is not an instruction of 'xpulp.hwloop'}}
    %0 = arith.addi %a, %a : i32
  }
  return
}

// -----

func.func @three_deep() {
  // Two are OK.
  xpulp.hwloop 2 {
    xpulp.hwloop 2 {
      // expected-error @+1 {{is nested three deep, but the hardware has two loops}}
      xpulp.hwloop 2 {
        xpulp.nop
        xpulp.nop
        xpulp.nop
      }
      xpulp.nop
      xpulp.nop
    }
    xpulp.nop
    xpulp.nop
  }
  return
}

// -----

// The ends of the first loop inside and of the outer one are far apart.
func.func @two_in_a_row() {
  // This one is OK.
  xpulp.hwloop 2 {
    xpulp.hwloop 2 {
      xpulp.nop
      xpulp.nop
      xpulp.nop
    }
    xpulp.hwloop 2 {
      xpulp.nop
      xpulp.nop
      xpulp.nop
    }
    %0 = xpulp.li 4097
  }
  // expected-error @+1 {{needs at least 2 instructions behind the loop inside, got 1}}
  xpulp.hwloop 2 {
    xpulp.hwloop 2 {
      xpulp.nop
      xpulp.nop
      xpulp.nop
    }
    xpulp.nop
    xpulp.nop
    xpulp.hwloop 2 {
      xpulp.nop
      xpulp.nop
      xpulp.nop
    }
    xpulp.nop
  }
  return
}
