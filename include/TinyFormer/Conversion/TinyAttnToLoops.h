// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The portable kernels, one function for each family of ops. They expect
// quantised ops on memrefs of static shape.

#ifndef TINYFORMER_CONVERSION_TINYATTNTOLOOPS_H
#define TINYFORMER_CONVERSION_TINYATTNTOLOOPS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {

/// `linear`.
void populateLinearToLoopsPatterns(RewritePatternSet &patterns);
/// `matmul`.
void populateMatmulToLoopsPatterns(RewritePatternSet &patterns);
/// `conv`.
void populateConvToLoopsPatterns(RewritePatternSet &patterns);
/// `pack_patches` and `pad`.
void populatePatchesToLoopsPatterns(RewritePatternSet &patterns);
/// `softmax`, whole or unnormalised.
void populateSoftmaxToLoopsPatterns(RewritePatternSet &patterns);
/// `integer_softmax` and `integer_layernorm`.
void populateIntegerToLoopsPatterns(RewritePatternSet &patterns);
/// `layernorm`.
void populateLayernormToLoopsPatterns(RewritePatternSet &patterns);
/// What works element by element: `lookup`, `transpose`, `add` and
/// `memref.copy`.
void populateElementwiseToLoopsPatterns(RewritePatternSet &patterns);
/// The ops on panels.
void populatePackedToLoopsPatterns(RewritePatternSet &patterns);
/// `word_linear`.
void populateWordsToLoopsPatterns(RewritePatternSet &patterns);
/// `embedding`.
void populateEmbeddingToLoopsPatterns(RewritePatternSet &patterns);
/// `pool`.
void populatePoolToLoopsPatterns(RewritePatternSet &patterns);

} // namespace mlir::tinyattn

#endif // TINYFORMER_CONVERSION_TINYATTNTOLOOPS_H
