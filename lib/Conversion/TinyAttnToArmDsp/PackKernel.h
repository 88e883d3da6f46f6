// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pair of rows of bytes as a panel.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKKERNEL_H

#include "KernelBuilder.h"

namespace mlir::tinyattn {

struct PackKernel {
  enum Kind {
    /// A left panel, or two columns of a right one in the separate form.
    Signed,
    Unsigned,
    /// A left panel in the order in which bytes are extended.
    Interleaved,
    /// Two columns of a right panel in the joint form.
    Joint,
  };
  Kind kind;
  int64_t width; // bytes of a row

  std::string getName() const;

  /// Arguments: two rows and the panel.
  SmallVector<Value> build(KernelBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOARMDSP_PACKKERNEL_H
