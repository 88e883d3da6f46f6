// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The DSP extension, one op an instruction, and what all instructions share.

#ifndef TINYFORMER_DIALECT_ARMDSP_INSTRUCTIONS_TD
#define TINYFORMER_DIALECT_ARMDSP_INSTRUCTIONS_TD

include "TinyFormer/Dialect/ArmDsp/ArmDspDialect.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

def ArmDsp_InstructionInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::mlir::armdsp";
  let description = "An op that is one instruction.";
  let methods = [
    StaticInterfaceMethod<
      [{Its assembly: @0 is the result, @1 the first operand and so on (the
        operands begin with @0 if there is no result), %name an attribute.}],
      "::llvm::StringRef", "getAssembly">,
    StaticInterfaceMethod<
      [{The operand whose register the result should take, where the operand
        dies here; -1 for none.}],
      "int", "getReusedOperand">,
    StaticInterfaceMethod<
      "Whether the result must have that register: it is written back.",
      "bool", "isWrittenBack">,
  ];
}

class ArmDsp_Instruction<string mnemonic, string assembly, list<Trait> traits,
                         int reused = -1, bit writtenBack = 0>
    : Op<ArmDsp_Dialect, mnemonic,
         traits # [DeclareOpInterfaceMethods<ArmDsp_InstructionInterface>]> {
  let extraClassDefinition = [{
    ::llvm::StringRef $cppClass::getAssembly() { return "}] # assembly # [{"; }
    int $cppClass::getReusedOperand() { return }] # reused # [{; }
    bool $cppClass::isWrittenBack() { return }] # writtenBack # [{; }
  }];
}

defvar binaryFormat = "operands attr-dict";

// r = f(a), with the two lines of its description that differ.
class ArmDsp_Unary<string mnemonic, string assembly, list<Trait> traits = [Pure]>
    : ArmDsp_Instruction<mnemonic, assembly, traits, 0> {
  let arguments = (ins I32:$operand);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

// r = f(a, b)
class ArmDsp_Binary<string mnemonic, string assembly, list<Trait> traits = [Pure]>
    : ArmDsp_Instruction<mnemonic, assembly, traits, 0> {
  let arguments = (ins I32:$lhs, I32:$rhs);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

// r = f(a, b, c)
class ArmDsp_Accumulating<string mnemonic, string assembly>
    : ArmDsp_Instruction<mnemonic, assembly, [Pure], 2> {
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

def ArmDsp_Rotation : ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<24>]>;
def ArmDsp_Shift : ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<31>]>;
def ArmDsp_RightShift : ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<31>]>;
def ArmDsp_Width : ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<31>]>;
def ArmDsp_HalfWidth : ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<15>]>;

//===----------------------------------------------------------------------===//
// The DSP extension: anywhere
//===----------------------------------------------------------------------===//

def ArmDsp_SmladOp : ArmDsp_Accumulating<"smlad", "smlad @0, @1, @2, @3"> {
  let summary = "Two products of halves, added";
  let description = "a.h0·b.h0 + a.h1·b.h1 + c, mod 2^32. A7.7.129.";
}

def ArmDsp_SmuadOp : ArmDsp_Binary<"smuad", "smuad @0, @1, @2"> {
  let summary = "Sum of two products of halves";
  let description = "a.h0·b.h0 + a.h1·b.h1, mod 2^32. A7.7.141.";
}

def ArmDsp_SmmulrOp : ArmDsp_Binary<"smmulr", "smmulr @0, @1, @2"> {
  let summary = "Upper word of a product, rounded";
  let description = "(a·b + 2^31) >> 32, in 64 bits. A7.7.140.";
}

def ArmDsp_SmmlarOp : ArmDsp_Accumulating<"smmlar", "smmlar @0, @1, @2, @3"> {
  let summary = "Upper word of a product and a sum, rounded";
  let description = "((c << 32) + a·b + 2^31) >> 32, in 64 bits. A7.7.138.";
}

def ArmDsp_Sxtb16Op : ArmDsp_Unary<"sxtb16", "sxtb16 @0, @1, ror #%rotation"> {
  let summary = "Two bytes to two halves, signs extended";
  let description = [{
    With r = a rotated right by `rotation` (0, 8, 16 or 24) bits: halves r.b0,
    r.b2. A7.7.184.
  }];
  let arguments = (ins I32:$operand,
                       DefaultValuedAttr<ArmDsp_Rotation, "0">:$rotation);
  let hasVerifier = 1;
}

def ArmDsp_Uxtb16Op : ArmDsp_Unary<"uxtb16", "uxtb16 @0, @1, ror #%rotation"> {
  let summary = "Two bytes to two halves, zeros in front";
  let description = [{
    With r = a rotated right by `rotation` (0, 8, 16 or 24) bits: halves r.b0,
    r.b2, unsigned. A7.7.223.
  }];
  let arguments = (ins I32:$operand,
                       DefaultValuedAttr<ArmDsp_Rotation, "0">:$rotation);
  let hasVerifier = 1;
}

def ArmDsp_PkhbtOp : ArmDsp_Binary<"pkhbt", "pkhbt @0, @1, @2, lsl #%shift"> {
  let summary = "Lower half of one, upper half of the other";
  let description = "h0 = a.h0, h1 = (b << shift).h1. A7.7.93.";
  let arguments = (ins I32:$lhs, I32:$rhs,
                       DefaultValuedAttr<ArmDsp_Shift, "16">:$shift);
}

def ArmDsp_PkhtbOp : ArmDsp_Binary<"pkhtb", "pkhtb @0, @1, @2, asr #%shift"> {
  let summary = "Upper half of one, lower half of the other";
  let description = "h1 = a.h1, h0 = (b >> shift).h0, signed. A7.7.93.";
  let arguments = (ins I32:$lhs, I32:$rhs,
                       DefaultValuedAttr<ArmDsp_RightShift, "16">:$shift);
}

def ArmDsp_SsatOp : ArmDsp_Unary<"ssat", "ssat @0, #%width, @1, asr #%shift"> {
  let summary = "Saturate to some bits, signed";
  let description = [{
    clamp(a >> shift, -2^(width-1), 2^(width-1) - 1). A7.7.152.
  }];
  let arguments = (ins I32:$operand, ArmDsp_Width:$width,
                       DefaultValuedAttr<ArmDsp_Shift, "0">:$shift);
}

def ArmDsp_UsatOp : ArmDsp_Unary<"usat", "usat @0, #%width, @1, asr #%shift"> {
  let summary = "Saturate to some bits, unsigned";
  let description = "clamp(a >> shift, 0, 2^width - 1), a signed. A7.7.213.";
  let arguments = (ins I32:$operand, ArmDsp_Width:$width,
                       DefaultValuedAttr<ArmDsp_Shift, "0">:$shift);
}

def ArmDsp_Ssat16Op : ArmDsp_Unary<"ssat16", "ssat16 @0, #%width, @1"> {
  let summary = "Saturate both halves, signed";
  let description = [{
    Each half: clamp(a.h, -2^(width-1), 2^(width-1) - 1). A7.7.153.
  }];
  let arguments = (ins I32:$operand, ArmDsp_HalfWidth:$width);
}

def ArmDsp_Usat16Op : ArmDsp_Unary<"usat16", "usat16 @0, #%width, @1"> {
  let summary = "Saturate both halves, unsigned";
  let description = "Each half: clamp(a.h, 0, 2^width - 1). A7.7.214.";
  let arguments = (ins I32:$operand, ArmDsp_HalfWidth:$width);
}

// The four flags GE are state beside the registers.
def ArmDsp_Flags : Resource<"::mlir::armdsp::FlagsResource">;

def ArmDsp_Ssub8Op : ArmDsp_Binary<"ssub8", "ssub8 @0, @1, @2",
    [MemoryEffects<[MemWrite<ArmDsp_Flags>]>]> {
  let summary = "Differences of four bytes, and their signs";
  let description = [{
    Each byte: a.b - b.b mod 2^8, signed; the flag GE of the byte says whether
    a.b >= b.b. A7.7.155.
  }];
}

def ArmDsp_SelOp : ArmDsp_Binary<"sel", "sel @0, @1, @2",
    [MemoryEffects<[MemRead<ArmDsp_Flags>]>]> {
  let summary = "Bytes of one or the other";
  let description = [{
    Each byte: a.b where the flag GE of the byte is set, else b.b. Behind
    `ssub8` of a and b: the larger one of each pair of bytes. A7.7.127.
  }];
}

#endif // TINYFORMER_DIALECT_ARMDSP_INSTRUCTIONS_TD
