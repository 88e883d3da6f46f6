// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_ATTRS_TD
#define TINYFORMER_DIALECT_TINYATTN_ATTRS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class TinyAttn_Attr<string name, string attrMnemonic>
    : AttrDef<TinyAttn_Dialect, name> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

def TinyAttn_UnaryFunction : I32EnumAttr<"UnaryFunction",
    "Function of one real variable that a lookup tabulates", [
      I32EnumAttrCase<"Identity", 0, "identity">,
      I32EnumAttrCase<"Relu", 1, "relu">,
      I32EnumAttrCase<"Gelu", 2, "gelu">,
      I32EnumAttrCase<"GeluTanh", 3, "gelu_tanh">,
      I32EnumAttrCase<"Tanh", 4, "tanh">,
      I32EnumAttrCase<"Sigmoid", 5, "sigmoid">,
      I32EnumAttrCase<"Silu", 6, "silu">,
      I32EnumAttrCase<"Relu6", 7, "relu6">,
      I32EnumAttrCase<"LeakyRelu", 8, "leaky_relu">,
      I32EnumAttrCase<"Elu", 9, "elu">,
      I32EnumAttrCase<"Selu", 10, "selu">,
      I32EnumAttrCase<"HardSigmoid", 11, "hard_sigmoid">,
      I32EnumAttrCase<"HardSwish", 12, "hard_swish">,
      I32EnumAttrCase<"Softplus", 13, "softplus">,
      I32EnumAttrCase<"Mish", 14, "mish">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}
def TinyAttn_UnaryFunctionAttr
    : EnumAttr<TinyAttn_Dialect, TinyAttn_UnaryFunction, "function"> {
  let assemblyFormat = "`<` $value `>`";
}

def TinyAttn_PoolKind : I32EnumAttr<"PoolKind", "How a pool joins the rows", [
      I32EnumAttrCase<"Mean", 0, "mean">,
      I32EnumAttrCase<"Max", 1, "max">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}
def TinyAttn_PoolKindAttr
    : EnumAttr<TinyAttn_Dialect, TinyAttn_PoolKind, "pool_kind"> {
  let assemblyFormat = "`<` $value `>`";
}

def TinyAttn_IntegerSoftmaxKind : I32EnumAttr<"IntegerSoftmaxKind",
    "How an integer softmax normalises", [
      I32EnumAttrCase<"Divide", 0, "divide">,
      I32EnumAttrCase<"Shift", 1, "shift">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}
def TinyAttn_IntegerSoftmaxKindAttr
    : EnumAttr<TinyAttn_Dialect, TinyAttn_IntegerSoftmaxKind,
               "integer_softmax_kind"> {
  let assemblyFormat = "`<` $value `>`";
}

def TinyAttn_MemoryKind : I32EnumAttr<"MemoryKind", "What a memory is", [
      I32EnumAttrCase<"Flash", 0, "flash">,
      I32EnumAttrCase<"Ram", 1, "ram">
    ]> {
  let cppNamespace = "::mlir::tinyattn";
  let genSpecializedAttr = 0;
}

//===----------------------------------------------------------------------===//
// Requantisation
//===----------------------------------------------------------------------===//

def TinyAttn_RequantAttr : TinyAttn_Attr<"Requant", "requant"> {
  let summary = "How a 32-bit accumulator becomes an int8";
  let description = [{
    One multiply, one rounding shift, one saturation:

        y = clamp(((acc * multiplier + 2^(shift-1)) >> shift) + zero_point)

    `multiplier` is absent where the op has one a channel or a head, as an
    operand. The product and its rounding term fit 32 bits, by the bound on
    |acc| that was proven when the attribute was made; with `wide` they need
    64 bits (ARM: SMMULR; RISC-V: mulh).

    ```mlir
    #tinyattn.requant<shift = 16, zero_point = -3>
    #tinyattn.requant<multiplier = 1311, shift = 20>
    ```
  }];
  let parameters = (ins
    OptionalParameter<"int32_t", "0 if the op has a multipliers operand">:$multiplier,
    "int32_t":$shift,
    DefaultValuedParameter<"int32_t", "0">:$zero_point,
    DefaultValuedParameter<"bool", "false">:$wide
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let builders = [
    AttrBuilderWithInferredContext<(ins "::mlir::MLIRContext *":$context,
                                        "int32_t":$shift,
                                        "int32_t":$zeroPoint,
                                        CArg<"bool", "false">:$wide), [{
      return $_get(context, /*multiplier=*/0, shift, zeroPoint, wide);
    }]>
  ];
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

def TinyAttn_MemoryAttr : TinyAttn_Attr<"Memory", "memory"> {
  let summary = "One memory of a target";
  let description = [{
    `size` and `reserved` are bytes; `reserved` is what the stack takes, or all
    of a memory that may hold no arena, so that an arena may use
    `size - reserved`.

    ```mlir
    #tinyattn.memory<name = "sram1", kind = ram, size = 98304, reserved = 4096>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"name as in the linker script">:$name,
    EnumParameter<TinyAttn_MemoryKind>:$kind,
    "uint64_t":$size,
    DefaultValuedParameter<"uint64_t", "0">:$reserved
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def TinyAttn_DmaAttr : TinyAttn_Attr<"Dma", "dma"> {
  let summary = "What copies between two memories while cores compute";
  let description = [{
    Constants, inputs and outputs lie in the memory `far`; cores read the
    target's first memory much faster. A transfer of n bytes between the two
    takes `setup_cycles + n / bytes_per_cycle` cycles.

    ```mlir
    #tinyattn.dma<far = "l2", setup_cycles = 15, bytes_per_cycle = 8>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"name of a memory of the target">:$far,
    "uint32_t":$setup_cycles,
    "uint32_t":$bytes_per_cycle
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def TinyAttn_TargetAttr : TinyAttn_Attr<"Target", "target"> {
  let summary = "The machine that a module is compiled for";
  let description = [{
    Memories are in the order in which arenas prefer them. `dma` is there where
    constants, inputs and outputs are in a slow memory and can be copied.

    ```mlir
    #tinyattn.target<name = "stm32l4", core = "cortex-m4", isa = "armv7e-m",
      cores = 1, memories = [<name = "sram1", kind = ram, size = 98304>]>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"name of the description">:$name,
    StringRefParameter<"core, as the cost models know it">:$core,
    StringRefParameter<"instruction set">:$isa,
    "int32_t":$cores,
    ArrayRefParameter<"MemoryAttr">:$memories,
    OptionalParameter<"DmaAttr">:$dma
  );
  let assemblyFormat = [{
    `<` `name` `=` $name `,` `core` `=` $core `,` `isa` `=` $isa `,`
        `cores` `=` $cores `,` `memories` `=` `[` $memories `]`
        (`,` `dma` `=` $dma^)? `>`
  }];
  let genVerifyDecl = 1;
}

#endif // TINYFORMER_DIALECT_TINYATTN_ATTRS_TD
