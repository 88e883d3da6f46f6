// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_LOOP_TD
#define TINYFORMER_DIALECT_XPULP_LOOP_TD

include "TinyFormer/Dialect/Xpulp/XpulpInstruction.td"

def Xpulp_BlockOp : Op<Xpulp_Dialect, "block", [
    RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Instructions in exactly this order";
  let description = [{
    Becomes one piece of inline assembly, whose operands are as many registers as
    values are alive at once. There are 28 of them (all but x0, sp, gp and tp); a
    block that needs more is an error. The body may use values from outside.

    ```mlir
    %sum = xpulp.block {
      %a, %p = xpulp.p.lw_post %pointer, 4
      %b = xpulp.lw %p, 0
      %s = xpulp.pv.dotsp.b %a, %b
      xpulp.yield %s
    }
    ```
  }];
  let results = (outs Variadic<I32>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::llvm::function_ref<::llvm::SmallVector<::mlir::Value>("
                   "::mlir::OpBuilder &, ::mlir::Location)>":$body)>,
  ];
}

def Xpulp_HwloopOp : Op<Xpulp_Dialect, "hwloop", [
    AttrSizedOperandSegments, RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "A hardware loop";
  let description = [{
    Runs its body `count` times, at least once: the hardware takes 0 for 1. The
    count is a value, or a number from 1 to 2^31 - 1. The body's arguments are the
    inits the first time, then what `xpulp.yield` gave; the results are the last
    of them. Setting up takes one or two cycles, going back none.

    A body has at least 3 instructions and at most 2047 (none compressed). Loops
    are at most two deep; behind the last inner one the outer one has at least 2
    more instructions.

    ```mlir
    %r:2 = xpulp.hwloop 16 iter_args(%p = %pointer, %sum = %zero) {
      %a, %q = xpulp.p.lw_post %p, 4
      %b, %n = xpulp.p.lw_post %q, 4
      %s = xpulp.pv.sdotsp.b %a, %b, %sum
      xpulp.yield %n, %s
    }
    ```

    Where an iterated value dies at the instruction that defines its successor,
    both are in one register; elsewhere the assembly copies.
  }];
  let arguments = (ins Optional<I32>:$count, Variadic<I32>:$inits,
                       OptionalAttr<I32Attr>:$constantCount);
  let results = (outs Variadic<I32>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  defvar bodyBuilder = "::llvm::function_ref<::llvm::SmallVector<::mlir::Value>("
                       "::mlir::OpBuilder &, ::mlir::Location, ::mlir::ValueRange)>";
  let builders = [
    OpBuilder<(ins "::mlir::Value":$count, "::mlir::ValueRange":$inits, bodyBuilder:$body)>,
    OpBuilder<(ins "int32_t":$count, "::mlir::ValueRange":$inits, bodyBuilder:$body)>,
  ];
  let extraClassDeclaration = [{
    ::mlir::Block::BlockArgListType getIterArgs() { return getBody().front().getArguments(); }
    YieldOp getYield();
  }];
}

def Xpulp_YieldOp : Op<Xpulp_Dialect, "yield", [
    Terminator, ReturnLike, Pure, ParentOneOf<["BlockOp", "HwloopOp"]>]> {
  let summary = "End of a block or of a loop's body";
  let description = "The results of the block, or what the loop iterates.";
  let arguments = (ins Variadic<I32>:$values);
  let assemblyFormat = "($values^)? attr-dict";
  let builders = [OpBuilder<(ins), [{ /* of a block without results */ }]>];
}

#endif // TINYFORMER_DIALECT_XPULP_LOOP_TD
