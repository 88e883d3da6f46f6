// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What keeps instructions in order: blocks, and loops in them.

#ifndef TINYFORMER_DIALECT_ARMDSP_OPS_TD
#define TINYFORMER_DIALECT_ARMDSP_OPS_TD

include "TinyFormer/Dialect/ArmDsp/ArmDspBlockInstructions.td"

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
