// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PatchKernel.h"

using namespace mlir;
using namespace mlir::tinyattn;

bool PatchKernel::isPossible() const {
  constexpr int64_t mostBytes = 96, farthest = 4095;
  return groups * runs * length <= mostBytes &&
         (groups - 1) * groupStride + (runs - 1) * runStride + length <=
             farthest;
}

std::string PatchKernel::getName() const {
  return ("tf_patches_g" + Twine(groups) + "x" + Twine(groupStride) + "_r" +
          Twine(runs) + "x" + Twine(runStride) + "_n" + Twine(length))
      .str();
}

/// Elements of both patches that are loaded together: pairs that are a word of
/// the panel each, from byte `offset` of the patches on.
static void packPairs(KernelBuilder &b, ValueRange arguments, int64_t offset,
                      int64_t count, Value &zero, int64_t &word) {
  SmallVector<Value> bytes[2];
  for (int64_t which : {0, 1})
    for (int64_t i = 0; i < count; ++i)
      bytes[which].push_back(
          b.load<armdsp::LdrsbOp>(arguments[which], offset + i));
  for (int64_t i = 0; i < count; i += 2) {
    for (int64_t which : {0, 1}) {
      if (i + 1 == count && !zero)
        zero = b.constant(0);
      Value high = i + 1 < count ? bytes[which][i + 1] : zero;
      b.store(b.lowHalves(bytes[which][i], high), arguments[2], word);
      word += 4;
    }
  }
}

SmallVector<Value> PatchKernel::build(KernelBuilder &b,
                                      ValueRange arguments) const {
  constexpr int64_t together = 4;
  Value zero;
  int64_t word = 0;
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t run = 0; run < runs; ++run)
      for (int64_t i = 0; i < length; i += together)
        packPairs(b, arguments, group * groupStride + run * runStride + i,
                  std::min(together, length - i), zero, word);
  return {};
}
