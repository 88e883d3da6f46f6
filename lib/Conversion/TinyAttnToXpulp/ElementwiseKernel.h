// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that make one element of a result from one of each operand: lookup
// and add, copies and fillings.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_ELEMENTWISEKERNEL_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_ELEMENTWISEKERNEL_H

#include "XpulpBuilder.h"

namespace mlir::tinyattn::pulp {

/// Runs `piece` as often as `count` has 2^log2Size, and `element` for each that
/// is left. Both take pointers and give them moved on.
using PointerBody =
    llvm::function_ref<void(XpulpBuilder &, SmallVector<Value> &)>;
void buildPieces(XpulpBuilder &b, Value count, int32_t log2Size,
                 SmallVector<Value> pointers, PointerBody piece,
                 PointerBody element);

/// y = T[x]. Arguments: x, the middle of the table, y, and how many elements.
struct LookupKernel {
  std::string getName() const { return "tf_lookup"; }
  unsigned getNumArguments() const { return 4; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

/// y = clamp((lhs·m0 + rhs·m1 + offset + 2^(shift-1)) >> shift). Arguments:
/// lhs, rhs, y, how many elements, the multipliers, and the offset; two
/// multipliers, or one word of two where `inHalves`.
struct AddKernel {
  int32_t shift;
  bool inHalves;

  std::string getName() const;
  unsigned getNumArguments() const { return inHalves ? 6 : 7; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

/// y = x. Arguments: x, y, and how many bytes.
struct CopyKernel {
  std::string getName() const { return "tf_copy"; }
  unsigned getNumArguments() const { return 3; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

/// y = a word again and again. Arguments: y, the word, and how many bytes.
struct FillKernel {
  std::string getName() const { return "tf_fill"; }
  unsigned getNumArguments() const { return 3; }
  void build(XpulpBuilder &b, ValueRange arguments) const;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_ELEMENTWISEKERNEL_H
