// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_CONVERSION_PASSES_TD
#define TINYFORMER_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTinyAttnToLoops
    : Pass<"convert-tinyattn-to-loops", "::mlir::func::FuncOp"> {
  let summary = "Lower structured ops on memrefs to plain loops";
  let description = [{
    Precondition: structured ops are quantised and work on memrefs of static
    shape.

    Effect: each becomes `scf.for` loops over `memref` and `arith` ops that
    compute exactly the op's integer formula. These loops are the portable
    kernels, for targets or ops without kernels of their own.

    Example: test/Conversion/tinyattn-to-loops.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def ConvertTinyAttnToArmDsp
    : Pass<"convert-tinyattn-to-armdsp", "::mlir::ModuleOp"> {
  let summary = "Lower ops on panels to kernels for ARMv7E-M";
  let description = [{
    Precondition: ops work on memrefs; each function holds one of them
    (`tinyattn-outline-kernels`), so that cycles can be told by layer.

    Effect: an op on panels becomes calls of a kernel for a pair of rows: a
    function around one `armdsp.block`, register-blocked in tiles of two rows by
    four columns, in the order that suits the target's core. Equal kernels are
    one function. Ops without a kernel for their shape are left for
    `convert-tinyattn-to-loops`. `unroll` weighs flash against cycles. On other instruction sets nothing happens.

    Example: test/Conversion/tinyattn-to-armdsp.mlir.
  }];
  let options = [
    Option<"unroll", "unroll", "int64_t", /*default=*/"32",
           "Steps of an inner product that are unrolled, 14 instructions each">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::armdsp::ArmDspDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def ConvertTinyAttnToXpulp
    : Pass<"convert-tinyattn-to-xpulp", "::mlir::ModuleOp"> {
  let summary = "Lower ops on rows of words to kernels for XpulpV2";
  let description = [{
    Precondition: ops work on memrefs; each function holds one of them
    (`tinyattn-outline-kernels`), so that cycles can be told by layer.

    Effect: products of rows become calls of kernels for all tiles of four rows
    and for the rows that are left over: a loop over the tiles around one
    `xpulp.block` of two hardware loops, over tiles of four columns and over the
    words of the depth. Ops on single elements, rows, columns and patches become
    calls for all of them, or for those of each line that lies side by side.
    Kernels take addresses and counts at run time, so that each core of a cluster
    calls them for its share. Equal kernels are one function. Ops without a
    kernel are left for `convert-tinyattn-to-loops`. On other instruction sets
    nothing happens.

    Example: test/Conversion/tinyattn-to-xpulp.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::xpulp::XpulpDialect"
  ];
}

def DispatchCores : Pass<"tinyattn-dispatch-cores", "::mlir::ModuleOp"> {
  let summary = "Let all cores of a cluster run the layers";
  let description = [{
    Precondition: every layer is a function that the public one calls. What its
    cores share is in `scf.forall`, one iteration for each core of the module's
    target, directly in the function; no word is written by two iterations.

    Effect: the public function is what every core runs. The body of an
    `scf.forall` stands in the place of the loop, with the core's number
    (`tf_core_id`), and all cores meet behind it (`tf_barrier`). A layer without
    an `scf.forall` runs on core 0 while the others wait. On one core nothing
    happens.

    Errors: an `scf.forall` in a loop, or not for all cores; a layer that writes
    outside of its `scf.forall`.

    Example: test/Conversion/dispatch-cores.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::scf::SCFDialect"
  ];
}

def ConvertTransfersToCalls
    : Pass<"convert-tinyattn-transfers-to-calls", "::mlir::ModuleOp"> {
  let summary = "Convert transfers to calls of the cluster's runtime";
  let description = [{
    `tinyattn.transfer_start` becomes a call of `tf_dma_to_l1` or `tf_dma_to_l2`,
    `tinyattn.transfer_wait` one of `tf_dma_wait` for each number, on core 0
    while the others wait at a barrier.

    Errors: a target without a DMA.

    Example: test/Conversion/transfers-to-calls.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def ConvertArmDspToLLVM : Pass<"convert-armdsp-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert instructions of ARMv7E-M to the llvm dialect";
  let description = [{
    An `armdsp.block` becomes one `llvm.inline_asm`, its registers allocated
    here by linear scan. Single instructions become calls of LLVM's intrinsics,
    or what LLVM is known to select the instruction for where it has none
    (SMMULR, SMMLAR, PKHBT, PKHTB).

    Errors: a block that needs more registers than there are; a value that a
    loop iterates while its predecessor is still in use.

    Example: test/Conversion/armdsp-to-llvm.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ConvertXpulpToLLVM : Pass<"convert-xpulp-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert instructions of XpulpV2 to the llvm dialect";
  let description = [{
    An instruction becomes one `llvm.inline_asm`, without side effects unless it
    reads or writes memory. An `xpulp.block`, and an `xpulp.hwloop` that stands
    alone, becomes one for all its instructions: values share operands of the
    assembly where their life times do not overlap, and LLVM chooses the
    register of each operand. Loops are aligned to words and not compressed.

    Errors: a block that needs more than 28 registers; a loop whose body copies
    of values make longer than 2047 instructions.

    Example: test/Conversion/xpulp-to-llvm.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ConvertToLLVM : Pass<"tinyattn-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert loops, arithmetic and memrefs to the llvm dialect";
  let description = [{
    Upstream's patterns for `func`, `memref`, `cf` and `arith` in one full
    conversion, so that nothing is left over silently, with memrefs as bare
    pointers (a C interface) and `index` as wide as the module's data layout
    says (`dlti.dl_spec = #dlti.dl_spec<index = 32>`).

    For XpulpV2, private functions become internal and do not recurse, and calls
    of them are not the caller's end: then LLVM's interprocedural allocation of
    registers needs no callee that saves any.

    Precondition: `scf` has become `cf`, shapes are static.

    Example: test/Conversion/convert-to-llvm.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TINYFORMER_CONVERSION_PASSES_TD
