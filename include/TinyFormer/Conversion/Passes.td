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
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"
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

def ConvertToLLVM : Pass<"tinyattn-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert loops, arithmetic and memrefs to the llvm dialect";
  let description = [{
    Upstream's patterns for `func`, `memref`, `cf` and `arith` in one full
    conversion, so that nothing is left over silently, with memrefs as bare
    pointers (a C interface) and `index` as wide as the module's data layout
    says (`dlti.dl_spec = #dlti.dl_spec<index = 32>`).

    Precondition: `scf` has become `cf`, shapes are static.

    Example: test/Conversion/convert-to-llvm.mlir.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TINYFORMER_CONVERSION_PASSES_TD
