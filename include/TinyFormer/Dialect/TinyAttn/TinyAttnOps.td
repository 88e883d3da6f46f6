// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_DIALECT_TINYATTN_OPS_TD
#define TINYFORMER_DIALECT_TINYATTN_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnAccumulationOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnAttentionOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnIntegerOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnPackedOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnStructuredOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnTransferOps.td"
include "TinyFormer/Dialect/TinyAttn/TinyAttnWordOps.td"

#endif // TINYFORMER_DIALECT_TINYATTN_OPS_TD
