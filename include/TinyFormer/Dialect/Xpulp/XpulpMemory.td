// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_MEMORY_TD
#define TINYFORMER_DIALECT_XPULP_MEMORY_TD

include "TinyFormer/Dialect/Xpulp/XpulpInstruction.td"

defvar loads = [MemoryEffects<[MemRead, MemWrite<Xpulp_Order>]>];
defvar stores = [MemoryEffects<[MemWrite]>];

// f3 selects the width where an immediate is added, f7 where a register is.
multiclass Xpulp_Load<string name, int f3, string f7, string what> {
  def Op : Xpulp_Instruction<name, name # " @0, %offset(@1)", loads> {
    let summary = "Load " # what;
    let formula = "From base + offset.";
    let arguments = (ins I32:$base, Xpulp_Signed12:$offset);
    let results = (outs I32:$result);
    let assemblyFormat = "$base `,` $offset attr-dict";
  }
  def PostOp : Xpulp_Instruction<"p." # name # "_post",
      ".insn i 0x0b, " # f3 # ", @0, %step(@1)", loads, 0> {
    let summary = "Load " # what # " and go on";
    let formula = "From base; the pointer becomes base + step.";
    let arguments = (ins I32:$base, Xpulp_Signed12:$step);
    let results = (outs I32:$result, I32:$pointer);
    let assemblyFormat = "$base `,` $step attr-dict";
  }
  def PostRegOp : Xpulp_Instruction<"p." # name # "_post_reg",
      ".insn r 0x0b, 7, " # f7 # ", @0, @1, @3", loads, 0> {
    let summary = "Load " # what # " and go on by a register";
    let formula = "From base; the pointer becomes base + step.";
    let arguments = (ins I32:$base, I32:$step);
    let results = (outs I32:$result, I32:$pointer);
    let assemblyFormat = "operands attr-dict";
  }
  def RegOp : Xpulp_Instruction<"p." # name # "_reg",
      ".insn r 0x03, 7, " # f7 # ", @0, @1, @2", loads> {
    let summary = "Load " # what # " of a table";
    let formula = "From base + offset.";
    let arguments = (ins I32:$base, I32:$offset);
    let results = (outs I32:$result);
    let assemblyFormat = "operands attr-dict";
  }
}
defm Xpulp_Lb : Xpulp_Load<"lb", 0, "0x00", "a signed byte">;
defm Xpulp_Lh : Xpulp_Load<"lh", 1, "0x08", "a signed half">;
defm Xpulp_Lw : Xpulp_Load<"lw", 2, "0x10", "a word">;
defm Xpulp_Lbu : Xpulp_Load<"lbu", 4, "0x20", "an unsigned byte">;
defm Xpulp_Lhu : Xpulp_Load<"lhu", 5, "0x28", "an unsigned half">;

// f3 selects the width where an immediate is added, registerF3 where a register is.
multiclass Xpulp_Store<string name, int f3, int registerF3, string what> {
  def Op : Xpulp_Instruction<name, name # " @0, %offset(@1)", stores> {
    let summary = "Store " # what;
    let formula = "To base + offset.";
    let arguments = (ins I32:$value, I32:$base, Xpulp_Signed12:$offset);
    let assemblyFormat = "$value `,` $base `,` $offset attr-dict";
  }
  def PostOp : Xpulp_Instruction<"p." # name # "_post",
      ".insn s 0x2b, " # f3 # ", @1, %step(@0)", stores, 1> {
    let summary = "Store " # what # " and go on";
    let formula = "To base; the pointer becomes base + step.";
    let arguments = (ins I32:$value, I32:$base, Xpulp_Signed12:$step);
    let results = (outs I32:$pointer);
    let assemblyFormat = "$value `,` $base `,` $step attr-dict";
  }
  def PostRegOp : Xpulp_Instruction<"p." # name # "_post_reg",
      ".insn r 0x2b, " # registerF3 # ", 0, @3, @0, @1", stores, 1> {
    let summary = "Store " # what # " and go on by a register";
    let formula = "To base; the pointer becomes base + step.";
    let arguments = (ins I32:$value, I32:$base, I32:$step);
    let results = (outs I32:$pointer);
    let assemblyFormat = "operands attr-dict";
  }
  def RegOp : Xpulp_Instruction<"p." # name # "_reg",
      ".insn r 0x23, " # registerF3 # ", 0, @2, @1, @0", stores> {
    let summary = "Store " # what # " in a table";
    let formula = "To base + offset.";
    let arguments = (ins I32:$value, I32:$base, I32:$offset);
    let assemblyFormat = "operands attr-dict";
  }
}
defm Xpulp_Sb : Xpulp_Store<"sb", 0, 4, "the lowest byte">;
defm Xpulp_Sh : Xpulp_Store<"sh", 1, 5, "the lower half">;
defm Xpulp_Sw : Xpulp_Store<"sw", 2, 6, "a word">;

#endif // TINYFORMER_DIALECT_XPULP_MEMORY_TD
