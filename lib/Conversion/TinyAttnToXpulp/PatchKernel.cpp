// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PatchKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tinyattn::pulp;

std::string PatchKernel::getName() const {
  return llvm::formatv("tf_patch_r{0}_l{1}_{2}", runs, length, stride);
}

/// Pieces of 4, 2 or 1 bytes, all of which are loaded before the first one is
/// stored.
static void copyPieces(XpulpBuilder &b, ArrayRef<int64_t> sizes, Value &source,
                       Value &target) {
  SmallVector<Value> pieces;
  for (int64_t size : sizes)
    pieces.push_back(b.loadBytesAndStep(size, source, {int32_t(size)}));
  for (auto [size, piece] : llvm::zip(sizes, pieces)) {
    Step step{int32_t(size)};
    if (size == 4)
      b.storeAndStep(piece, target, step);
    else if (size == 2)
      b.storeAndStep<xpulp::ShPostOp, xpulp::ShPostRegOp>(piece, target, step);
    else
      b.storeByteAndStep(piece, target, step);
  }
}

void PatchKernel::build(XpulpBuilder &b, ValueRange arguments) const {
  int64_t pairs = length / 8, gap = stride - length;
  SmallVector<int64_t> rest;
  for (int64_t size : {4, 2, 1})
    if (length & size)
      rest.push_back(size);
  // The hardware wants a body of three instructions, and two behind the inner
  // loop.
  int64_t behind = 2 * rest.size() + (gap != 0);
  int64_t missing =
      (pairs != 0 ? xpulp::minBehindInner : xpulp::minBodySize) - behind;
  b.block([&](XpulpBuilder &b) -> XpulpBuilder::Values {
    Step next = b.keep(gap);
    b.loop(int32_t(runs), arguments, [&](XpulpBuilder &b, ValueRange at) {
      XpulpBuilder::Values inside(at);
      if (pairs != 0)
        inside =
            b.loop(int32_t(pairs), inside, [](XpulpBuilder &b, ValueRange at) {
              XpulpBuilder::Values inside(at);
              copyPieces(b, {4, 4}, inside[0], inside[1]);
              return inside;
            });
      copyPieces(b, rest, inside[0], inside[1]);
      inside[0] = b.advance(inside[0], next);
      for (; missing > 0; --missing)
        xpulp::NopOp::create(b);
      return inside;
    });
    return {};
  });
}
