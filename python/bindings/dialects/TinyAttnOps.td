// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_BINDINGS_TINYATTN_OPS_TD
#define TINYFORMER_BINDINGS_TINYATTN_OPS_TD

include "TinyFormer/Dialect/TinyAttn/TinyAttnOps.td"

#endif // TINYFORMER_BINDINGS_TINYATTN_OPS_TD
