// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers beside linear ones and attention that get their operands in another
// form.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKLAYERS_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKLAYERS_H

#include "PanelConstants.h"

namespace mlir::tinyattn {

/// Convolutions become matrix products of patches.
void packConvolutions(FunctionOpInterface function, PanelConstants &constants);

/// Whole softmaxes that tables read become `normalized_softmax`.
void packSoftmaxes(FunctionOpInterface function, PanelConstants &constants);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKLAYERS_H
