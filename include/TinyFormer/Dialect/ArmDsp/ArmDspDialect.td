// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_ARMDSP_DIALECT_TD
#define TINYFORMER_DIALECT_ARMDSP_DIALECT_TD

include "mlir/IR/OpBase.td"

def ArmDsp_Dialect : Dialect {
  let name = "armdsp";
  let cppNamespace = "::mlir::armdsp";
  let summary = "Instructions of ARMv7E-M, one op each";
  let description = [{
    Values are registers: `i32` is one of r0 to r12 and lr, addresses included,
    `f32` one of s0 to s15, where kernels keep what they seldom need.

    The instructions of the DSP extension may stand anywhere; LLVM schedules
    them and allocates their registers. Within `armdsp.block` an instruction is
    executed exactly where it stands, and registers are allocated by us: the
    whole block becomes one piece of inline assembly.

    Source of all formulas: ARM DDI 0403E, ARMv7-M Architecture Reference
    Manual, chapter A7. Lanes: x.h0 and x.h1 are the lower and upper half of x,
    signed; x.b0 to x.b3 are its bytes.
  }];
}

#endif // TINYFORMER_DIALECT_ARMDSP_DIALECT_TD
