// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_DIALECT_TD
#define TINYFORMER_DIALECT_XPULP_DIALECT_TD

include "mlir/IR/OpBase.td"

def Xpulp_Dialect : Dialect {
  let name = "xpulp";
  let cppNamespace = "::mlir::xpulp";
  let summary = "Instructions of RV32IM and XpulpV2, one op each";
  let description = [{
    Values are `i32`, addresses included. Ops are called as in the assembler of
    PULP; forms of one name have an ending: `_post` adds an immediate to the
    pointer afterwards, `_post_reg` a register, `_reg` addresses base + register.

    An instruction may stand anywhere: it becomes one piece of inline assembly,
    which LLVM schedules. Within `xpulp.block` and `xpulp.hwloop` it is executed
    exactly where it stands: the whole region becomes one piece of assembly. In
    either case LLVM chooses the registers. There are no branches: `p.beqimm` and
    `p.bneimm` need labels that LLVM does not know of.

    Source of all formulas: RI5CY User Manual (PULP platform), chapters 3
    (post-increment loads and stores), 4 (hardware loops), 12 and 13 (arithmetic,
    bits, multiplication, vectors), and the RISC-V ISA manual, volume I. Lanes of x
    are its bytes x.b0 to x.b3 (ending `.b`) or halves x.h0, x.h1 (`.h`), of either
    sign; the ending `.sc` takes the lowest lane of the second operand for all
    lanes, `.sci` an immediate. All sums and products are mod 2^32, those within
    lanes mod 2^8 or 2^16; `>>` is the arithmetic shift of signed values.
  }];
  let extraClassDeclaration = [{
    void addArithmetic();
    void addLoops();
    void addMemory();
    void addVectors();
  }];
}

#endif // TINYFORMER_DIALECT_XPULP_DIALECT_TD
