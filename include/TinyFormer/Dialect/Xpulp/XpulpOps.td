// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_XPULP_OPS_TD
#define TINYFORMER_DIALECT_XPULP_OPS_TD

include "TinyFormer/Dialect/Xpulp/XpulpArithmetic.td"
include "TinyFormer/Dialect/Xpulp/XpulpLoop.td"
include "TinyFormer/Dialect/Xpulp/XpulpMemory.td"
include "TinyFormer/Dialect/Xpulp/XpulpVector.td"

#endif // TINYFORMER_DIALECT_XPULP_OPS_TD
