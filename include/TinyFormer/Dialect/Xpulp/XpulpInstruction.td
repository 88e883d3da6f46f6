// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_INSTRUCTION_TD
#define TINYFORMER_DIALECT_XPULP_INSTRUCTION_TD

include "TinyFormer/Dialect/Xpulp/XpulpDialect.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Xpulp_InstructionInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::mlir::xpulp";
  let description = "An op that is one instruction.";
  let methods = [
    StaticInterfaceMethod<
      [{Its assembly: @0 is the first result and so on, operands follow results;
        %name is an attribute, %name.high and %name.low are the upper five bits
        and the lowest bit of six.}],
      "::llvm::StringRef", "getAssembly">,
    StaticInterfaceMethod<
      [{The operand that the last result overwrites in its register; -1 for
        none.}],
      "int", "getTiedOperand">,
  ];
}

class Xpulp_Instruction<string mnemonic, string assembly,
                        list<Trait> traits = [Pure], int tied = -1>
    : Op<Xpulp_Dialect, mnemonic,
         traits # [DeclareOpInterfaceMethods<Xpulp_InstructionInterface>]> {
  string formula = ?;
  let description = formula;
  let extraClassDefinition = [{
    ::llvm::StringRef $cppClass::getAssembly() { return "}] # assembly # [{"; }
    int $cppClass::getTiedOperand() { return }] # tied # [{; }
  }];
}

// r = f(a)
class Xpulp_Unary<string mnemonic, string assembly, string formula_>
    : Xpulp_Instruction<mnemonic, assembly> {
  let formula = formula_;
  let arguments = (ins I32:$operand);
  let results = (outs I32:$result);
  let assemblyFormat = "operands attr-dict";
}

// r = f(a, b)
class Xpulp_Binary<string mnemonic, string assembly, string formula_>
    : Xpulp_Instruction<mnemonic, assembly> {
  let formula = formula_;
  let arguments = (ins I32:$lhs, I32:$rhs);
  let results = (outs I32:$result);
  let assemblyFormat = "operands attr-dict";
}

// r = f(a, b, r before), which is the operand c.
class Xpulp_Accumulating<string mnemonic, string assembly, string formula_>
    : Xpulp_Instruction<mnemonic, assembly, [Pure], 2> {
  let formula = formula_;
  let arguments = (ins I32:$lhs, I32:$rhs, I32:$accumulator);
  let results = (outs I32:$result);
  let assemblyFormat = "operands attr-dict";
}

// r = f(a, value)
class Xpulp_Immediate<string mnemonic, string assembly, Attr kind, string formula_>
    : Xpulp_Instruction<mnemonic, assembly> {
  let formula = formula_;
  let arguments = (ins I32:$operand, kind:$value);
  let results = (outs I32:$result);
  let assemblyFormat = "$operand `,` $value attr-dict";
}

class Xpulp_Range<int low, int high>
    : ConfinedAttr<I32Attr, [IntMinValue<low>, IntMaxValue<high>]>;
def Xpulp_Signed12 : Xpulp_Range<-2048, 2047>;
def Xpulp_Signed6 : Xpulp_Range<-32, 31>;
def Xpulp_Unsigned6 : Xpulp_Range<0, 63>;
def Xpulp_Unsigned5 : Xpulp_Range<0, 31>;
def Xpulp_Width : Xpulp_Range<1, 32>;

// The order of instructions. What is loaded or made twice is not one value (a
// common subexpression), which would keep a register from the first to the last.
def Xpulp_Order : Resource<"::mlir::xpulp::OrderResource">;

#endif // TINYFORMER_DIALECT_XPULP_INSTRUCTION_TD
