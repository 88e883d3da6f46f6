// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "XpulpCosts.h"

using namespace mlir::tinyattn::pulp;

namespace {

constexpr int64_t tileSize = 4;

/// A call of a kernel, much of whose code is not in the instruction cache, and
/// one round of its loop over tiles of rows.
constexpr double callCycles = 150, rowTileCycles = 14;
/// Loop set-up and pointers of a tile.
constexpr double tileCycles = 4;
/// A division for a row's multiplier, with its load and store.
constexpr double divisionCycles = 30;

double estimateTile(int64_t rows, int64_t columns, int64_t words,
                    SumsBecome result) {
  int64_t sums = rows * columns;
  // One word of each row is loaded once for all columns.
  int64_t leftLoads = words == 1 ? 0 : rows * words;
  double cycles = leftLoads + words * (columns + sums) + tileCycles;
  if (result == SumsBecome::Words)
    return cycles + 2 * sums;
  int64_t parameters = result == SumsBecome::Bytes ? 2 * columns : rows;
  // Multiply, add and shift, saturate; four bytes are packed in two steps.
  int64_t stores = columns == tileSize ? 3 * rows : sums;
  return cycles + parameters + 3 * sums + stores;
}

double estimateRows(int64_t rows, int64_t columns, int64_t words,
                    SumsBecome result) {
  double cycles =
      (columns / tileSize) * estimateTile(rows, tileSize, words, result) +
      rowTileCycles;
  if (int64_t rest = columns % tileSize)
    cycles += estimateTile(rows, rest, words, result);
  return cycles;
}

} // namespace

double mlir::tinyattn::pulp::estimateProduct(int64_t rows, int64_t columns,
                                             int64_t depth, SumsBecome result) {
  int64_t words = (depth + 3) / 4;
  double cycles = 0;
  if (int64_t tiles = rows / tileSize)
    cycles +=
        callCycles + tiles * estimateRows(tileSize, columns, words, result);
  if (int64_t rest = rows % tileSize)
    cycles += callCycles + estimateRows(rest, columns, words, result);
  return cycles;
}

double mlir::tinyattn::pulp::estimateSoftmax(int64_t rows, int64_t columns) {
  // A quarter of an instruction of four for the maximum, 13 of four for the
  // exponentials; bytes that are left over take four each.
  constexpr double elementCycles = 3.75, restCycles = 4, rowCycles = 22;
  return callCycles +
         rows * (elementCycles * (columns / 4 * 4) +
                 restCycles * (columns % 4) + rowCycles + divisionCycles);
}
