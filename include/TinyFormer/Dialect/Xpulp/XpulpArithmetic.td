// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_ARITHMETIC_TD
#define TINYFORMER_DIALECT_XPULP_ARITHMETIC_TD

include "TinyFormer/Dialect/Xpulp/XpulpInstruction.td"

//===----------------------------------------------------------------------===//
// RV32IM
//===----------------------------------------------------------------------===//

class Xpulp_Base<string mnemonic, string formula>
    : Xpulp_Binary<mnemonic, mnemonic # " @0, @1, @2", formula>;
def Xpulp_AddOp : Xpulp_Base<"add", "a + b.">;
def Xpulp_SubOp : Xpulp_Base<"sub", "a - b.">;
def Xpulp_AndOp : Xpulp_Base<"and", "a & b.">;
def Xpulp_OrOp : Xpulp_Base<"or", "a | b.">;
def Xpulp_XorOp : Xpulp_Base<"xor", "a ^ b.">;
def Xpulp_SllOp : Xpulp_Base<"sll", "a << (b mod 32).">;
def Xpulp_SrlOp : Xpulp_Base<"srl", "a >> (b mod 32), a unsigned.">;
def Xpulp_SraOp : Xpulp_Base<"sra", "a >> (b mod 32), a signed.">;
def Xpulp_MulOp : Xpulp_Base<"mul", "a·b.">;
def Xpulp_MulhOp : Xpulp_Base<"mulh", "(a·b) >> 32 of 64 bits, both signed. 5 cycles.">;
def Xpulp_MulhuOp : Xpulp_Base<"mulhu", "(a·b) >> 32 of 64 bits, both unsigned. 5 cycles.">;
def Xpulp_DivuOp : Xpulp_Base<"divu", [{
  ⌊a / b⌋, both unsigned; 2^32 - 1 if b is 0. 3 to 35 cycles.
}]>;

class Xpulp_BaseImmediate<string mnemonic, Attr kind, string formula>
    : Xpulp_Immediate<mnemonic, mnemonic # " @0, @1, %value", kind, formula>;
def Xpulp_AddiOp : Xpulp_BaseImmediate<"addi", Xpulp_Signed12, "a + value.">;
def Xpulp_AndiOp : Xpulp_BaseImmediate<"andi", Xpulp_Signed12, "a & value.">;
def Xpulp_OriOp : Xpulp_BaseImmediate<"ori", Xpulp_Signed12, "a | value.">;
def Xpulp_XoriOp : Xpulp_BaseImmediate<"xori", Xpulp_Signed12, "a ^ value.">;
def Xpulp_SlliOp : Xpulp_BaseImmediate<"slli", Xpulp_Unsigned5, "a << value.">;
def Xpulp_SrliOp : Xpulp_BaseImmediate<"srli", Xpulp_Unsigned5, "a >> value, a unsigned.">;
def Xpulp_SraiOp : Xpulp_BaseImmediate<"srai", Xpulp_Unsigned5, "a >> value, a signed.">;

def Xpulp_LiOp : Xpulp_Instruction<"li", "li @0, %value", [
    AlwaysSpeculatable, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A constant in a register";
  let formula = [{
    One instruction, or LUI and ADDI where one does not do. Outside of
    `xpulp.block` and `xpulp.hwloop` equal constants are one value; inside each
    is made where it stands.
  }];
  let arguments = (ins I32Attr:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict";
}

def Xpulp_NopOp : Xpulp_Instruction<"nop", "nop", [MemoryEffects<[MemWrite<Xpulp_Order>]>]> {
  let summary = "An instruction that does nothing";
  let formula = "For loops that would be too short, and between loads and their uses.";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Comparisons, extensions, bits
//===----------------------------------------------------------------------===//

class Xpulp_Scalar<string mnemonic, int f3, string f7, string formula>
    : Xpulp_Binary<mnemonic, ".insn r 0x33, " # f3 # ", " # f7 # ", @0, @1, @2", formula>;
def Xpulp_PSletOp : Xpulp_Scalar<"p.slet", 2, "0x02", "1 if a <= b, else 0; both signed.">;
def Xpulp_PSletuOp : Xpulp_Scalar<"p.sletu", 3, "0x02", "1 if a <= b, else 0; both unsigned.">;
def Xpulp_PMinOp : Xpulp_Scalar<"p.min", 4, "0x02", "min(a, b), both signed.">;
def Xpulp_PMinuOp : Xpulp_Scalar<"p.minu", 5, "0x02", "min(a, b), both unsigned.">;
def Xpulp_PMaxOp : Xpulp_Scalar<"p.max", 6, "0x02", "max(a, b), both signed.">;
def Xpulp_PMaxuOp : Xpulp_Scalar<"p.maxu", 7, "0x02", "max(a, b), both unsigned.">;
def Xpulp_PRorOp : Xpulp_Scalar<"p.ror", 5, "0x04", "a rotated to the right by b mod 32 bits.">;

class Xpulp_ScalarUnary<string mnemonic, int f3, string f7, string formula>
    : Xpulp_Unary<mnemonic, ".insn r 0x33, " # f3 # ", " # f7 # ", @0, @1, x0", formula>;
def Xpulp_PAbsOp : Xpulp_ScalarUnary<"p.abs", 0, "0x02", "|a|; -2^31 stays.">;
def Xpulp_PExthsOp : Xpulp_ScalarUnary<"p.exths", 4, "0x08", "a.h0, signed.">;
def Xpulp_PExthzOp : Xpulp_ScalarUnary<"p.exthz", 5, "0x08", "a.h0, unsigned.">;
def Xpulp_PExtbsOp : Xpulp_ScalarUnary<"p.extbs", 6, "0x08", "a.b0, signed.">;
def Xpulp_PExtbzOp : Xpulp_ScalarUnary<"p.extbz", 7, "0x08", "a.b0, unsigned.">;
def Xpulp_PFf1Op : Xpulp_ScalarUnary<"p.ff1", 0, "0x08", "Number of the lowest bit of a that is set; 32 if none is.">;
def Xpulp_PFl1Op : Xpulp_ScalarUnary<"p.fl1", 1, "0x08", "Number of the highest bit of a that is set; 32 if none is.">;
def Xpulp_PClbOp : Xpulp_ScalarUnary<"p.clb", 2, "0x08", "How many bits follow the sign of a and equal it; 0 for a = 0.">;
def Xpulp_PCntOp : Xpulp_ScalarUnary<"p.cnt", 3, "0x08", "How many bits of a are set.">;

class Xpulp_Clip<string mnemonic, int f3, string formula>
    : Xpulp_Immediate<mnemonic, ".insn r 0x33, " # f3 # ", 0x0a, @0, @1, x%value",
                      Xpulp_Unsigned5, formula>;
def Xpulp_PClipOp : Xpulp_Clip<"p.clip", 1, [{
  clamp(a, -2^(value-1), 2^(value-1) - 1); clamp(a, -1, 0) for value = 0. 8 is int8.
}]>;
def Xpulp_PClipuOp : Xpulp_Clip<"p.clipu", 2, [{
  clamp(a, 0, 2^(value-1) - 1), a signed; 0 for value = 0. 9 is uint8.
}]>;
def Xpulp_PCliprOp : Xpulp_Scalar<"p.clipr", 5, "0x0a", [{
  b if a > b, else -(b+1) if a < -(b+1), else a.
}]>;
def Xpulp_PClipurOp : Xpulp_Scalar<"p.clipur", 6, "0x0a", [{
  b if a > b, else 0 if a < 0, else a; all signed.
}]>;

class Xpulp_BitField<string mnemonic, int f3, string formula_>
    : Xpulp_Instruction<mnemonic,
          ".insn r 0x33, " # f3 # ", 0x60 + %width - 1, @0, @1, x%offset"> {
  let formula = formula_;
  let arguments = (ins I32:$operand, Xpulp_Width:$width, Xpulp_Unsigned5:$offset);
  let results = (outs I32:$result);
  let assemblyFormat = "$operand `,` $width `at` $offset attr-dict";
}
def Xpulp_PExtractOp : Xpulp_BitField<"p.extract", 0, "`width` bits of a from `offset` on, signed.">;
def Xpulp_PExtractuOp : Xpulp_BitField<"p.extractu", 1, "`width` bits of a from `offset` on, unsigned.">;
def Xpulp_PBclrOp : Xpulp_BitField<"p.bclr", 3, "a, of which `width` bits from `offset` on are 0.">;
def Xpulp_PBsetOp : Xpulp_BitField<"p.bset", 4, "a, of which `width` bits from `offset` on are 1.">;

def Xpulp_PInsertOp : Xpulp_Instruction<"p.insert",
    ".insn r 0x33, 2, 0x60 + %width - 1, @0, @1, x%offset", [Pure], 1> {
  let formula = "b, of which `width` bits from `offset` on are the lowest of a.";
  let arguments = (ins I32:$operand, I32:$target, Xpulp_Width:$width, Xpulp_Unsigned5:$offset);
  let results = (outs I32:$result);
  let assemblyFormat = "$operand `,` $target `,` $width `at` $offset attr-dict";
}

//===----------------------------------------------------------------------===//
// Multiplication, sums that are shifted
//===----------------------------------------------------------------------===//

def Xpulp_PMacOp : Xpulp_Accumulating<"p.mac", ".insn r 0x33, 0, 0x21, @0, @1, @2", "c + a·b.">;
def Xpulp_PMsuOp : Xpulp_Accumulating<"p.msu", ".insn r 0x33, 1, 0x21, @0, @1, @2", "c - a·b.">;

defvar rounded = "; the rounding term is 0 for shift = 0.";

// r = f(a, b) >> shift
class Xpulp_Shifted<string mnemonic, int f3, string f7, string formula_>
    : Xpulp_Instruction<mnemonic, ".insn r 0x5b, " # f3 # ", " # f7 # " + %shift, @0, @1, @2"> {
  let formula = formula_;
  let arguments = (ins I32:$lhs, I32:$rhs, Xpulp_Unsigned5:$shift);
  let results = (outs I32:$result);
  let assemblyFormat = "$lhs `,` $rhs `,` $shift attr-dict";
}

class Xpulp_ShiftedSum<string mnemonic, int f3, string f7, string formula_>
    : Xpulp_Instruction<mnemonic, ".insn r 0x5b, " # f3 # ", " # f7 # " + %shift, @0, @1, @2",
                        [Pure], 2> {
  let formula = formula_;
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator, Xpulp_Unsigned5:$shift);
  let results = (outs I32:$result);
  let assemblyFormat = "$lhs `,` $rhs `,` $accumulator `,` $shift attr-dict";
}

// Products of halves of 16 bits.
multiclass Xpulp_Halves<string ending, string f7, string product> {
  def MulOp : Xpulp_Binary<"p.mul" # ending, ".insn r 0x5b, 0, " # f7 # ", @0, @1, @2",
      product # ".">;
  def MulnOp : Xpulp_Shifted<"p.mul" # ending # "n", 0, f7, product # " >> shift.">;
  def MulrnOp : Xpulp_Shifted<"p.mul" # ending # "rn", 4, f7,
      "(" # product # " + 2^(shift-1)) >> shift" # rounded>;
  def MacOp : Xpulp_Accumulating<"p.mac" # ending, ".insn r 0x5b, 1, " # f7 # ", @0, @1, @2",
      "c + " # product # ".">;
  def MacnOp : Xpulp_ShiftedSum<"p.mac" # ending # "n", 1, f7, "(c + " # product # ") >> shift.">;
  def MacrnOp : Xpulp_ShiftedSum<"p.mac" # ending # "rn", 5, f7,
      "(c + " # product # " + 2^(shift-1)) >> shift" # rounded>;
}
defm Xpulp_PS : Xpulp_Halves<"s", "0x40", "a.h0·b.h0 (signed)">;
defm Xpulp_PHhs : Xpulp_Halves<"hhs", "0x60", "a.h1·b.h1 (signed)">;
defm Xpulp_PU : Xpulp_Halves<"u", "0x00", "a.h0·b.h0 (unsigned)">;
defm Xpulp_PHhu : Xpulp_Halves<"hhu", "0x20", "a.h1·b.h1 (unsigned)">;

multiclass Xpulp_Normalised<string name, int plain, int rounding, string sum> {
  def nOp : Xpulp_Shifted<name # "n", plain, "0x00", "(" # sum # ") >> shift, signed.">;
  def unOp : Xpulp_Shifted<name # "un", plain, "0x40", "(" # sum # ") >> shift, unsigned.">;
  def rnOp : Xpulp_Shifted<name # "rn", rounding, "0x00",
      "(" # sum # " + 2^(shift-1)) >> shift, signed" # rounded>;
  def urnOp : Xpulp_Shifted<name # "urn", rounding, "0x40",
      "(" # sum # " + 2^(shift-1)) >> shift, unsigned" # rounded>;
}
defm Xpulp_PAdd : Xpulp_Normalised<"p.add", 2, 6, "a + b">;
defm Xpulp_PSub : Xpulp_Normalised<"p.sub", 3, 7, "a - b">;

#endif // TINYFORMER_DIALECT_XPULP_ARITHMETIC_TD
