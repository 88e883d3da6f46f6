// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How lowerings divide a layer among the cores of a cluster. No two cores write
// to the same word.

#ifndef TINYFORMER_LIB_CONVERSION_CORES_H
#define TINYFORMER_LIB_CONVERSION_CORES_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tinyattn {

/// How many cores run the layers of the module around `op`.
int64_t getCores(Operation *op);

/// Whether a memref's first element begins a word.
bool startsAtWord(Value memRef);

/// `body` on each core, which receives the core's number.
void forEachCore(ImplicitLocOpBuilder &b, int64_t cores,
                 llvm::function_ref<void(Value core)> body);

/// The first of `count` pieces of work that are for `core`, in equal shares.
Value getEvenShare(ImplicitLocOpBuilder &b, Value core, int64_t cores,
                   int64_t count);

/// core + 1.
Value getNextCore(ImplicitLocOpBuilder &b, Value core);

/// The fewest rows, `stride` bytes each, that begin and end with a word; 0 if
/// the memref does not begin with one.
int64_t getRowsOfWords(Value memRef, int64_t stride);

/// `call` with the first of `rows` rows and their number: once, or on each core
/// for a share of them, `together` or a multiple of that. Alone if that is 0.
void shareRows(ImplicitLocOpBuilder &b, int64_t cores, int64_t rows,
               int64_t together,
               llvm::function_ref<void(Value first, Value count)> call);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_CORES_H
