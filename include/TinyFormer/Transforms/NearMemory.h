// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory that cores are close to, on targets with a DMA.

#ifndef TINYFORMER_TRANSFORMS_NEARMEMORY_H
#define TINYFORMER_TRANSFORMS_NEARMEMORY_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

namespace mlir::tinyattn {

/// How the first memory of a target is divided. All are bytes.
struct NearMemory {
  explicit NearMemory(TargetAttr target)
      : capacity(target.getMemories().front().getSize() -
                 target.getMemories().front().getReserved()),
        staging(target.getDma() ? std::min<uint64_t>(16384, capacity / 4) : 0),
        margin(target.getDma() ? capacity / 16 : 0) {}

  /// What arenas may have.
  uint64_t capacity;
  /// Kept for what is copied in while cores compute: two parts of weights.
  uint64_t staging;
  /// Left to gaps between buffers.
  uint64_t margin;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_TRANSFORMS_NEARMEMORY_H
