// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_REGISTERALL_H
#define TINYFORMER_REGISTERALL_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::tinyattn {

/// Our dialects, the upstream ones that the pipelines use, and the interfaces
/// that they need.
void registerAllDialects(DialectRegistry &registry);

/// Our passes and phases, and the upstream passes that go with them.
void registerAllPasses();

} // namespace mlir::tinyattn

#endif // TINYFORMER_REGISTERALL_H
