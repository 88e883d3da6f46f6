// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Other instructions that kernels are made of, within blocks.

#ifndef TINYFORMER_DIALECT_ARMDSP_BLOCKINSTRUCTIONS_TD
#define TINYFORMER_DIALECT_ARMDSP_BLOCKINSTRUCTIONS_TD

include "TinyFormer/Dialect/ArmDsp/ArmDspInstructions.td"

//===----------------------------------------------------------------------===//
// What else kernels are made of: within blocks
//===----------------------------------------------------------------------===//

def ArmDsp_InBlock : ParentOneOf<["::mlir::armdsp::BlockOp", "::mlir::armdsp::LoopOp"]>;
defvar blockOnly = [ArmDsp_InBlock];
defvar blockPure = [Pure, ArmDsp_InBlock];

// The order of a block. What is loaded, made or unparked twice is not one value
// (a common subexpression), which would keep a register from the first to the
// last.
def ArmDsp_Order : Resource<"::mlir::armdsp::OrderResource">;
defvar blockOrdered = [MemoryEffects<[MemWrite<ArmDsp_Order>]>, ArmDsp_InBlock];

def ArmDsp_ConstantOp : ArmDsp_Instruction<"constant", "mov32 @0, #%value", blockOrdered> {
  let summary = "A constant in a register";
  let description = "One instruction, or MOVW and MOVT where one does not do.";
  let arguments = (ins I32Attr:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$value attr-dict";
}

class ArmDsp_Shifted<string mnemonic, string summary_, string sign>
    : ArmDsp_Binary<mnemonic, mnemonic # " @0, @1, @2, lsl #%shift", blockPure> {
  let summary = summary_;
  let description = "a " # sign # " (b << shift), mod 2^32.";
  let arguments = (ins I32:$lhs, I32:$rhs,
                       DefaultValuedAttr<ArmDsp_Shift, "0">:$shift);
}
def ArmDsp_AddOp : ArmDsp_Shifted<"add", "Sum", "+">;
def ArmDsp_SubOp : ArmDsp_Shifted<"sub", "Difference", "-">;
def ArmDsp_OrrOp : ArmDsp_Shifted<"orr", "Bits of both", "|">;

def ArmDsp_AddAsrOp : ArmDsp_Binary<"add_asr", "add @0, @1, @2, asr #%shift", blockPure> {
  let summary = "Sum with a shifted one";
  let description = "a + (b >> shift), b signed, mod 2^32.";
  let arguments = (ins I32:$lhs, I32:$rhs, ArmDsp_RightShift:$shift);
}

class ArmDsp_Immediate<string mnemonic, string instruction, string summary_, string formula>
    : ArmDsp_Unary<mnemonic, instruction # " @0, @1, #%value", blockPure> {
  let summary = summary_;
  let description = formula;
  let arguments = (ins I32:$operand, I32Attr:$value);
  let assemblyFormat = "$operand `,` $value attr-dict";
}
def ArmDsp_AddImmOp : ArmDsp_Immediate<"add_imm", "add", "Sum with a constant", "a + value.">;
def ArmDsp_AndImmOp : ArmDsp_Immediate<"and_imm", "and", "Bits under a mask", "a & value.">;
def ArmDsp_EorImmOp : ArmDsp_Immediate<"eor_imm", "eor", "Bits turned over", "a ^ value.">;
def ArmDsp_AsrOp : ArmDsp_Immediate<"asr", "asr", "Shift to the right, signed", "a >> value.">;
def ArmDsp_LsrOp : ArmDsp_Immediate<"lsr", "lsr", "Shift to the right, unsigned", "a >> value, a unsigned.">;
def ArmDsp_LslOp : ArmDsp_Immediate<"lsl", "lsl", "Shift to the left", "a << value.">;

def ArmDsp_MlaOp : ArmDsp_Instruction<"mla", "mla @0, @1, @2, @3", blockPure, 0> {
  let summary = "Product and sum";
  let description = "a·b + c, mod 2^32.";
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

class ArmDsp_TopHalf<string mnemonic, string half>
    : ArmDsp_Instruction<mnemonic, mnemonic # " @0, @1, @2, @3", blockPure, 2> {
  let summary = "Product of two halves and a sum";
  let description = "a.h1·b." # half # " + c, mod 2^32. A7.7.126.";
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_SmlatbOp : ArmDsp_TopHalf<"smlatb", "h0">;
def ArmDsp_SmlattOp : ArmDsp_TopHalf<"smlatt", "h1">;

class ArmDsp_WordByHalf<string mnemonic, string half>
    : ArmDsp_Instruction<mnemonic, mnemonic # " @0, @1, @2, @3", blockPure, 2> {
  let summary = "Upper part of a product of a word and a half, and a sum";
  let description = "((a·b." # half # ") >> 16) + c, the product in 48 bits. A7.7.134.";
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_SmlawbOp : ArmDsp_WordByHalf<"smlawb", "h0">;
def ArmDsp_SmlawtOp : ArmDsp_WordByHalf<"smlawt", "h1">;

def ArmDsp_Sxtab16Op
    : ArmDsp_Instruction<"sxtab16", "sxtab16 @0, @2, @1, ror #%rotation", blockPure, 1> {
  let summary = "Two bytes, signs extended, added to two halves";
  let description = [{
    With r = a rotated right by `rotation` (0, 8, 16 or 24) bits: the halves of b
    plus r.b0, r.b2, each mod 2^16. A7.7.181.
  }];
  let arguments = (ins I32:$operand, I32:$accumulator,
                       DefaultValuedAttr<ArmDsp_Rotation, "0">:$rotation);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
  let hasVerifier = 1;
}

def ArmDsp_SxthOp : ArmDsp_Instruction<"sxth", "sxth @0, @1", blockPure, 0> {
  let summary = "The lower half, its sign extended";
  let description = "a.h0. A7.7.185.";
  let arguments = (ins I32:$operand);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

def ArmDsp_Usada8Op : ArmDsp_Instruction<"usada8", "usada8 @0, @1, @2, @3", blockPure, 2> {
  let summary = "Sum of four differences of bytes";
  let description = "Σ |a.b - b.b| of unsigned bytes, + c, mod 2^32. A7.7.211.";
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

def ArmDsp_UdivOp : ArmDsp_Binary<"udiv", "udiv @0, @1, @2", blockPure> {
  let summary = "Quotient, unsigned";
  let description = "a / b, rounded down; 0 if b is 0. A7.7.195.";
}

def ArmDsp_BfiOp : ArmDsp_Instruction<"bfi", "bfi @0, @2, #%position, #8", blockPure, 0, 1> {
  let summary = "Insert a byte";
  let description = [{
    The lowest byte of b in the place of the bits of a from `position` on.
    A7.7.14.
  }];
  let arguments = (ins I32:$lhs, I32:$rhs,
                       ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<24>]>:$position);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

// Loads and stores: the address is base + offset bytes.
def ArmDsp_Offset : ConfinedAttr<I32Attr, [IntMinValue<-255>, IntMaxValue<4095>]>;
def ArmDsp_Step : ConfinedAttr<I32Attr, [IntMinValue<-255>, IntMaxValue<255>]>;
def ArmDsp_IndexShift : ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<3>]>;

class ArmDsp_Load<string instruction, string what>
    : ArmDsp_Instruction<instruction, instruction # " @0, [@1, #%offset]",
                         [MemoryEffects<[MemRead, MemWrite<ArmDsp_Order>]>, ArmDsp_InBlock]> {
  let summary = "Load " # what;
  let description = "From base + offset.";
  let arguments = (ins I32:$base, DefaultValuedAttr<ArmDsp_Offset, "0">:$offset);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_LdrOp : ArmDsp_Load<"ldr", "a word">;
def ArmDsp_LdrbOp : ArmDsp_Load<"ldrb", "an unsigned byte">;
def ArmDsp_LdrsbOp : ArmDsp_Load<"ldrsb", "a signed byte">;
def ArmDsp_LdrhOp : ArmDsp_Load<"ldrh", "an unsigned half">;
def ArmDsp_LdrshOp : ArmDsp_Load<"ldrsh", "a signed half">;

class ArmDsp_IndexedLoad<string mnemonic, string instruction, string what>
    : ArmDsp_Instruction<mnemonic, instruction # " @0, [@1, @2, lsl #%shift]",
                         [MemoryEffects<[MemRead, MemWrite<ArmDsp_Order>]>, ArmDsp_InBlock], 1> {
  let summary = "Load " # what # " of a table";
  let description = "From base + (index << shift).";
  let arguments = (ins I32:$base, I32:$index,
                       DefaultValuedAttr<ArmDsp_IndexShift, "0">:$shift);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_LdrbIndexedOp : ArmDsp_IndexedLoad<"ldrb_indexed", "ldrb", "an unsigned byte">;
def ArmDsp_LdrsbIndexedOp : ArmDsp_IndexedLoad<"ldrsb_indexed", "ldrsb", "a signed byte">;
def ArmDsp_LdrhIndexedOp : ArmDsp_IndexedLoad<"ldrh_indexed", "ldrh", "an unsigned half">;

class ArmDsp_Store<string instruction, string what>
    : ArmDsp_Instruction<instruction, instruction # " @0, [@1, #%offset]",
                         [MemoryEffects<[MemWrite]>, ArmDsp_InBlock]> {
  let summary = "Store " # what;
  let description = "To base + offset.";
  let arguments = (ins I32:$value, I32:$base,
                       DefaultValuedAttr<ArmDsp_Offset, "0">:$offset);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_StrOp : ArmDsp_Store<"str", "a word">;
def ArmDsp_StrbOp : ArmDsp_Store<"strb", "the lowest byte">;
def ArmDsp_StrhOp : ArmDsp_Store<"strh", "the lower half">;

class ArmDsp_StorePost<string mnemonic, string instruction, string what>
    : ArmDsp_Instruction<mnemonic, instruction # " @1, [@0], #%step",
                         [MemoryEffects<[MemWrite]>, ArmDsp_InBlock], 1, 1> {
  let summary = "Store " # what # " and go on";
  let description = "To base; the result is base + step.";
  let arguments = (ins I32:$value, I32:$base, ArmDsp_Step:$step);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}
def ArmDsp_StrPostOp : ArmDsp_StorePost<"str_post", "str", "a word">;
def ArmDsp_StrbPostOp : ArmDsp_StorePost<"strb_post", "strb", "the lowest byte">;

def ArmDsp_ParkOp : ArmDsp_Instruction<"park", "vmov @0, @1", blockOrdered> {
  let summary = "To a register of the floating-point unit";
  let description = [{
    One cycle there and one back (`unpark`), against two for a load from the
    stack.
  }];
  let arguments = (ins I32:$operand);
  let results = (outs F32:$result);
  let assemblyFormat = binaryFormat;
}

def ArmDsp_UnparkOp : ArmDsp_Instruction<"unpark", "vmov @0, @1", blockOrdered> {
  let summary = "From a register of the floating-point unit";
  let description = "The opposite of `park`.";
  let arguments = (ins F32:$operand);
  let results = (outs I32:$result);
  let assemblyFormat = binaryFormat;
}

#endif // TINYFORMER_DIALECT_ARMDSP_BLOCKINSTRUCTIONS_TD
