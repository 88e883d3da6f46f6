// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One tile of a matrix product: its sums, and what becomes of them.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTTILE_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTTILE_H

#include "ProductKernel.h"

namespace mlir::tinyattn::pulp {

/// Where a tile works. The sums begin with the last word of the rows, which may
/// be a part of one, go back and end at that word again: the pointers of the
/// operands are there before a tile and behind it.
struct TilePointers {
  Value left, right, result;
};

class ProductTile {
public:
  /// `columns` of them. Distances are made here, outside of all loops.
  ProductTile(XpulpBuilder &b, const ProductKernel &kernel, int64_t columns);

  /// Bytes before the last word of a row.
  static int64_t getLastWord(int64_t depth) { return (depth - 1) / 4 * 4; }

  /// What a tile needs besides: Uniform m and a; OfRows the address of the
  /// rows' multipliers, and a.
  using Scales = std::array<Value, 2>;

  /// The left words, where they are the same for all columns: rows of one word.
  SmallVector<Value> loadLeftOnce(XpulpBuilder &b, Value left) const;

  /// The tile at `pointers`, which move on to the next columns.
  void build(XpulpBuilder &b, TilePointers &pointers, ArrayRef<Value> left,
             const Scales &scales) const;

private:
  using Sums = SmallVector<SmallVector<Value, kTile>, kTile>;

  void addLastWord(XpulpBuilder &b, TilePointers &pointers,
                   ArrayRef<Value> left, Sums &sums) const;
  void addWords(XpulpBuilder &b, TilePointers &pointers, Sums &sums) const;
  void addWord(XpulpBuilder &b, TilePointers &pointers, Sums &sums) const;
  bool meetInBanks() const;
  using Load = llvm::function_ref<Value(int64_t)>;
  void multiply(XpulpBuilder &b, Load loadLeft, Load loadRight, bool inHalves,
                Sums &sums) const;

  Sums loadSums(XpulpBuilder &b, Value &result) const;
  void storeSums(XpulpBuilder &b, Value &result, const Sums &sums) const;

  void scaleColumns(XpulpBuilder &b, Value right, Sums &sums) const;
  void scaleUniformly(XpulpBuilder &b, const Scales &scales, Sums &sums) const;
  void scaleRows(XpulpBuilder &b, const Scales &scales, Sums &sums) const;
  void store(XpulpBuilder &b, Value &result, const Sums &sums) const;

  const ProductKernel &kernel;
  int64_t columns;
  int64_t words, rest; // of a row; bytes of its last word
  Step nextRow, lastRow, lastRowOfFirst;
  Step nextColumn, lastColumn, lastColumnOfFirst, nextTile;
  Step byteOfLine, lineBack, lineForward, tileForward;
};

} // namespace mlir::tinyattn::pulp

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOXPULP_PRODUCTTILE_H
