// RUN: tinyformer-opt %s -tinyattn-verify-phase=phase=lunch -verify-diagnostics

// expected-error @below {{unknown phase 'lunch', expected import, fuse, quantize, tile, bufferize, kernels or llvm}}
module {}
