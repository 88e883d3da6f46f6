// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_ARMDSP_OPS_TD
#define TINYFORMER_DIALECT_ARMDSP_OPS_TD

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

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

def ArmDsp_BlockOp : Op<ArmDsp_Dialect, "block", [
    IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Instructions in exactly this order";
  let description = [{
    Becomes one piece of inline assembly that reads and writes memory. There are
    14 core registers (r0 to r12, lr) and 16 of the floating-point unit; a block
    that needs more is an error. LLVM would move loads away from each other,
    which ends their pipelining on the Cortex-M4, and spill.

    ```mlir
    armdsp.block %pointer {
    ^bb0(%p: i32):
      %a = armdsp.ldr %p
      %b = armdsp.sxtb16 %a {rotation = 8 : i32}
      armdsp.str %b, %p {offset = 4 : i32}
    }
    ```
  }];
  let arguments = (ins Variadic<I32>:$inputs);
  let results = (outs Variadic<I32>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$inputs $body attr-dict (`->` type($results)^)?";
  let hasVerifier = 1;
}

def ArmDsp_YieldOp : Op<ArmDsp_Dialect, "yield", [
    Terminator, ReturnLike, Pure, HasParent<"BlockOp">]> {
  let summary = "End of a block";
  let description = "The block's results stay in their registers.";
  let arguments = (ins Variadic<I32>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ /* of a block without results */ }]>];
}

def ArmDsp_Register : AnyTypeOf<[I32, F32]>;

def ArmDsp_LoopOp : Op<ArmDsp_Dialect, "loop", [
    SingleBlock, ArmDsp_InBlock]> {
  let summary = "Repeat until two registers are equal";
  let description = [{
    Runs its body at least once. The body's arguments are `inits` the first
    time, then what `next` gave; the results are the last of them. An iterated
    value stays in its register: it must be dead where its successor comes to
    be. Loops may be nested.

    ```mlir
    %q = armdsp.loop(%pointer) : (i32) -> i32 {
    ^bb0(%p: i32):
      %v = armdsp.ldr %p
      armdsp.str %v, %p {offset = 4 : i32}
      %n = armdsp.add_imm %p, 4
      armdsp.next %n : i32 until %n, %end
    }
    ```
  }];
  let arguments = (ins Variadic<ArmDsp_Register>:$inits);
  let results = (outs Variadic<ArmDsp_Register>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat =
      "`(` $inits `)` `:` functional-type($inits, $results) $body attr-dict";
  let hasVerifier = 1;
}

def ArmDsp_NextOp : Op<ArmDsp_Dialect, "next", [
    AttrSizedOperandSegments, Terminator, HasParent<"LoopOp">]> {
  let summary = "End of a loop's body";
  let description = [{
    CMP of two registers, or of one and 0, and a branch back if they differ.
  }];
  let arguments = (ins Variadic<ArmDsp_Register>:$values, I32:$current,
                       Optional<I32>:$end);
  let assemblyFormat = [{
    ($values^ `:` type($values))? `until` $current (`,` $end^)? attr-dict
  }];
}

#endif // TINYFORMER_DIALECT_ARMDSP_OPS_TD
