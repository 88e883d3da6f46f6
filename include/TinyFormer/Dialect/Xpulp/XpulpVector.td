// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_VECTOR_TD
#define TINYFORMER_DIALECT_XPULP_VECTOR_TD

include "TinyFormer/Dialect/Xpulp/XpulpInstruction.td"

// The third field of a vector instruction: its lanes, and where b comes from.
class Xpulp_VectorR<int f3, string f7> {
  string assembly = ".insn r 0x57, " # f3 # ", " # f7 # ", @0, @1, @2";
}
class Xpulp_VectorI<int f3, string f7> {
  string assembly = ".insn r 0x57, " # f3 # ", " # f7 # " + %value.low, @0, @1, x%value.high";
}

//===----------------------------------------------------------------------===//
// Lane by lane
//===----------------------------------------------------------------------===//

multiclass Xpulp_Lanes<string name, string f7, string formula> {
  def BOp : Xpulp_Binary<"pv." # name # ".b", Xpulp_VectorR<1, f7>.assembly,
      "Each byte: " # formula>;
  def HOp : Xpulp_Binary<"pv." # name # ".h", Xpulp_VectorR<0, f7>.assembly,
      "Each half: " # formula>;
}

// With an immediate for the second operand as well.
multiclass Xpulp_LanesOrImmediate<string name, string f7, Attr kind, string formula>
    : Xpulp_Lanes<name, f7, formula> {
  def SciBOp : Xpulp_Immediate<"pv." # name # ".sci.b", Xpulp_VectorI<7, f7>.assembly, kind,
      "Each byte, with b = value: " # formula>;
  def SciHOp : Xpulp_Immediate<"pv." # name # ".sci.h", Xpulp_VectorI<6, f7>.assembly, kind,
      "Each half, with b = value: " # formula>;
}

defm Xpulp_PvAdd : Xpulp_LanesOrImmediate<"add", "0x00", Xpulp_Signed6, "a + b.">;
defm Xpulp_PvSub : Xpulp_LanesOrImmediate<"sub", "0x04", Xpulp_Signed6, "a - b.">;
defm Xpulp_PvAvg : Xpulp_LanesOrImmediate<"avg", "0x08", Xpulp_Signed6,
    "(a + b) >> 1, signed; the sum wraps around.">;
defm Xpulp_PvAvgu : Xpulp_LanesOrImmediate<"avgu", "0x0c", Xpulp_Unsigned6,
    "(a + b) >> 1, unsigned; the sum wraps around.">;
defm Xpulp_PvMin : Xpulp_LanesOrImmediate<"min", "0x10", Xpulp_Signed6, "min(a, b), signed.">;
defm Xpulp_PvMinu : Xpulp_LanesOrImmediate<"minu", "0x14", Xpulp_Unsigned6, "min(a, b), unsigned.">;
defm Xpulp_PvMax : Xpulp_LanesOrImmediate<"max", "0x18", Xpulp_Signed6, "max(a, b), signed.">;
defm Xpulp_PvMaxu : Xpulp_LanesOrImmediate<"maxu", "0x1c", Xpulp_Unsigned6, "max(a, b), unsigned.">;
defm Xpulp_PvSrl : Xpulp_LanesOrImmediate<"srl", "0x20", Xpulp_Unsigned6,
    "a >> (b mod the bits of a lane), a unsigned.">;
defm Xpulp_PvSra : Xpulp_LanesOrImmediate<"sra", "0x24", Xpulp_Signed6,
    "a >> (b mod the bits of a lane), a signed.">;
defm Xpulp_PvSll : Xpulp_LanesOrImmediate<"sll", "0x28", Xpulp_Unsigned6,
    "a << (b mod the bits of a lane).">;
defm Xpulp_PvOr : Xpulp_LanesOrImmediate<"or", "0x2c", Xpulp_Signed6, "a | b.">;
defm Xpulp_PvXor : Xpulp_LanesOrImmediate<"xor", "0x30", Xpulp_Signed6, "a ^ b.">;
defm Xpulp_PvAnd : Xpulp_LanesOrImmediate<"and", "0x34", Xpulp_Signed6, "a & b.">;

defm Xpulp_PvCmpeq : Xpulp_Lanes<"cmpeq", "0x02", "-1 if a = b, else 0.">;
defm Xpulp_PvCmpne : Xpulp_Lanes<"cmpne", "0x06", "-1 if a ≠ b, else 0.">;
defm Xpulp_PvCmpgt : Xpulp_Lanes<"cmpgt", "0x0a", "-1 if a > b, else 0; signed.">;
defm Xpulp_PvCmpge : Xpulp_Lanes<"cmpge", "0x0e", "-1 if a >= b, else 0; signed.">;
defm Xpulp_PvCmplt : Xpulp_Lanes<"cmplt", "0x12", "-1 if a < b, else 0; signed.">;
defm Xpulp_PvCmple : Xpulp_Lanes<"cmple", "0x16", "-1 if a <= b, else 0; signed.">;
defm Xpulp_PvCmpgtu : Xpulp_Lanes<"cmpgtu", "0x1a", "-1 if a > b, else 0; unsigned.">;
defm Xpulp_PvCmpgeu : Xpulp_Lanes<"cmpgeu", "0x1e", "-1 if a >= b, else 0; unsigned.">;
defm Xpulp_PvCmpltu : Xpulp_Lanes<"cmpltu", "0x22", "-1 if a < b, else 0; unsigned.">;
defm Xpulp_PvCmpleu : Xpulp_Lanes<"cmpleu", "0x26", "-1 if a <= b, else 0; unsigned.">;

class Xpulp_VectorAbs<string mnemonic, int f3, string lane>
    : Xpulp_Unary<mnemonic, ".insn r 0x57, " # f3 # ", 0x38, @0, @1, x0",
                  "Each " # lane # ": |a|; the lowest number stays.">;
def Xpulp_PvAbsBOp : Xpulp_VectorAbs<"pv.abs.b", 1, "byte">;
def Xpulp_PvAbsHOp : Xpulp_VectorAbs<"pv.abs.h", 0, "half">;

//===----------------------------------------------------------------------===//
// Dot products
//===----------------------------------------------------------------------===//

multiclass Xpulp_Dot<string name, string f7, Attr kind, string signs> {
  defvar sum = "the sum of the products of lanes, " # signs;
  def BOp : Xpulp_Binary<"pv." # name # ".b", Xpulp_VectorR<1, f7>.assembly,
      "Σ a.b·b.b: " # sum>;
  def HOp : Xpulp_Binary<"pv." # name # ".h", Xpulp_VectorR<0, f7>.assembly,
      "Σ a.h·b.h: " # sum>;
  def ScBOp : Xpulp_Binary<"pv." # name # ".sc.b", Xpulp_VectorR<5, f7>.assembly,
      "Σ a.b·b.b0: " # sum>;
  def ScHOp : Xpulp_Binary<"pv." # name # ".sc.h", Xpulp_VectorR<4, f7>.assembly,
      "Σ a.h·b.h0: " # sum>;
  def SciBOp : Xpulp_Immediate<"pv." # name # ".sci.b", Xpulp_VectorI<7, f7>.assembly, kind,
      "Σ a.b·value: " # sum>;
  def SciHOp : Xpulp_Immediate<"pv." # name # ".sci.h", Xpulp_VectorI<6, f7>.assembly, kind,
      "Σ a.h·value: " # sum>;
}

class Xpulp_AccumulatingImmediate<string mnemonic, string assembly, Attr kind, string formula_>
    : Xpulp_Instruction<mnemonic, assembly, [Pure], 1> {
  let formula = formula_;
  let arguments = (ins I32:$operand, I32:$accumulator, kind:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$operand `,` $accumulator `,` $value attr-dict";
}

multiclass Xpulp_Sdot<string name, string f7, Attr kind, string signs> {
  defvar sum = "the accumulator and the sum of the products of lanes, " # signs;
  def BOp : Xpulp_Accumulating<"pv." # name # ".b", Xpulp_VectorR<1, f7>.assembly,
      "c + Σ a.b·b.b: " # sum>;
  def HOp : Xpulp_Accumulating<"pv." # name # ".h", Xpulp_VectorR<0, f7>.assembly,
      "c + Σ a.h·b.h: " # sum>;
  def ScBOp : Xpulp_Accumulating<"pv." # name # ".sc.b", Xpulp_VectorR<5, f7>.assembly,
      "c + Σ a.b·b.b0: " # sum>;
  def ScHOp : Xpulp_Accumulating<"pv." # name # ".sc.h", Xpulp_VectorR<4, f7>.assembly,
      "c + Σ a.h·b.h0: " # sum>;
  def SciBOp : Xpulp_AccumulatingImmediate<"pv." # name # ".sci.b",
      Xpulp_VectorI<7, f7>.assembly, kind, "c + Σ a.b·value: " # sum>;
  def SciHOp : Xpulp_AccumulatingImmediate<"pv." # name # ".sci.h",
      Xpulp_VectorI<6, f7>.assembly, kind, "c + Σ a.h·value: " # sum>;
}

defm Xpulp_PvDotsp : Xpulp_Dot<"dotsp", "0x4c", Xpulp_Signed6, "all signed.">;
defm Xpulp_PvDotup : Xpulp_Dot<"dotup", "0x40", Xpulp_Unsigned6, "all unsigned.">;
defm Xpulp_PvDotusp : Xpulp_Dot<"dotusp", "0x44", Xpulp_Signed6, "a unsigned, b signed.">;
defm Xpulp_PvSdotsp : Xpulp_Sdot<"sdotsp", "0x5c", Xpulp_Signed6, "all signed.">;
defm Xpulp_PvSdotup : Xpulp_Sdot<"sdotup", "0x50", Xpulp_Unsigned6, "all unsigned.">;
defm Xpulp_PvSdotusp : Xpulp_Sdot<"sdotusp", "0x54", Xpulp_Signed6, "a unsigned, b signed.">;

//===----------------------------------------------------------------------===//
// Lanes to other places
//===----------------------------------------------------------------------===//

def Xpulp_ByteLane : Xpulp_Range<0, 3>;
def Xpulp_HalfLane : Xpulp_Range<0, 1>;

multiclass Xpulp_ExtractLane<string name, string f7, string sign> {
  def BOp : Xpulp_Immediate<"pv." # name # ".b", Xpulp_VectorI<7, f7>.assembly, Xpulp_ByteLane,
      "Byte number `value` of a, " # sign>;
  def HOp : Xpulp_Immediate<"pv." # name # ".h", Xpulp_VectorI<6, f7>.assembly, Xpulp_HalfLane,
      "Half number `value` of a, " # sign>;
}
defm Xpulp_PvExtract : Xpulp_ExtractLane<"extract", "0x3c", "signed.">;
defm Xpulp_PvExtractu : Xpulp_ExtractLane<"extractu", "0x48", "unsigned.">;

def Xpulp_PvInsertBOp : Xpulp_AccumulatingImmediate<"pv.insert.b",
    Xpulp_VectorI<7, "0x58">.assembly, Xpulp_ByteLane, "c, of which byte `value` is a.b0.">;
def Xpulp_PvInsertHOp : Xpulp_AccumulatingImmediate<"pv.insert.h",
    Xpulp_VectorI<6, "0x58">.assembly, Xpulp_HalfLane, "c, of which half `value` is a.h0.">;

def Xpulp_PvShuffleBOp : Xpulp_Binary<"pv.shuffle.b", Xpulp_VectorR<1, "0x60">.assembly,
    "Each byte: that one of a whose number is the lowest two bits of b.">;
def Xpulp_PvShuffleHOp : Xpulp_Binary<"pv.shuffle.h", Xpulp_VectorR<0, "0x60">.assembly,
    "Each half: that one of a whose number is the lowest bit of b.">;
def Xpulp_PvShuffle2BOp : Xpulp_Accumulating<"pv.shuffle2.b", Xpulp_VectorR<1, "0x64">.assembly,
    "Each byte: of a where bit 2 of b is set, else of c, the one that the lowest two bits of b number.">;
def Xpulp_PvShuffle2HOp : Xpulp_Accumulating<"pv.shuffle2.h", Xpulp_VectorR<0, "0x64">.assembly,
    "Each half: of a where bit 1 of b is set, else of c, the one that the lowest bit of b numbers.">;

def Xpulp_PvPackHOp : Xpulp_Binary<"pv.pack.h", Xpulp_VectorR<0, "0x68">.assembly,
    "h1 = a.h0, h0 = b.h0.">;
def Xpulp_PvPackhiBOp : Xpulp_Accumulating<"pv.packhi.b", Xpulp_VectorR<1, "0x6c">.assembly,
    "b3 = a.b0, b2 = b.b0, the lower half is that of c.">;
def Xpulp_PvPackloBOp : Xpulp_Accumulating<"pv.packlo.b", Xpulp_VectorR<1, "0x70">.assembly,
    "b1 = a.b0, b0 = b.b0, the upper half is that of c.">;

#endif // TINYFORMER_DIALECT_XPULP_VECTOR_TD
