// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_TRANSFER_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_TRANSFER_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnDialect.td"

// Copies beside the computation. Not upstream's memref.dma_start: that one tells
// memories by their types, and the planner decides on memories later.
def TinyAttn_TransferStartOp : Op<TinyAttn_Dialect, "transfer_start"> {
  let summary = "Begins a copy between two memories";
  let description = [{
    Copies `source` to `destination`, of one shape, both without gaps, while what
    follows computes. One of them is a buffer in the target's first memory: the
    destination, or with `outward` the source. Nothing may write either of them,
    or read the destination, until a `transfer_wait` has had `number`.

    ```mlir
    %n = tinyattn.transfer_start %weights to %near
      : memref<8x4xi32> to memref<8x4xi32>
    ```
  }];
  let arguments = (ins
    Arg<AnyStridedMemRef, "", [MemRead]>:$source,
    Arg<AnyStridedMemRef, "", [MemWrite]>:$destination,
    UnitAttr:$outward
  );
  let results = (outs I32:$number);
  let assemblyFormat = [{
    $source `to` $destination attr-dict
    `:` type($source) `to` type($destination)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The side in the target's first memory.
    ::mlir::TypedValue<::mlir::MemRefType> getNear() {
      return getOutward() ? getSource() : getDestination();
    }
    ::mlir::TypedValue<::mlir::MemRefType> getFar() {
      return getOutward() ? getDestination() : getSource();
    }
  }];
}

def TinyAttn_TransferWaitOp
    : Op<TinyAttn_Dialect, "transfer_wait", [SameVariadicOperandSize]> {
  let summary = "Waits for the end of transfers";
  let description = [{
    After it, the transfers with these numbers are over, and no number may be
    waited for again. `buffers` are their sides in the target's first memory, in
    the same order: they are in use until here.

    ```mlir
    tinyattn.transfer_wait %n, %m of %near, %table
      : memref<8x4xi32>, memref<256xi8>
    ```
  }];
  let arguments = (ins
    Variadic<I32>:$numbers,
    Arg<Variadic<AnyStridedMemRef>, "", [MemRead, MemWrite]>:$buffers
  );
  let assemblyFormat = [{
    $numbers `of` $buffers attr-dict `:` type($buffers)
  }];
}

#endif // TINYFORMER_DIALECT_TINYATTN_TRANSFER_OPS_TD
