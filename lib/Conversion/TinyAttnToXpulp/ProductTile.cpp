// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductTile.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

/// Before the weights of a row: multiplier and addend.
static constexpr int64_t kHead = 8;

ProductTile::ProductTile(XpulpBuilder &b, const ProductKernel &kernel,
                         int64_t columns)
    : kernel(kernel), columns(columns), words((kernel.depth + 3) / 4),
      rest(kernel.depth % 4) {
  int64_t lastWord = getLastWord(kernel.depth);
  int64_t rowsBack = (kernel.rows - 1) * kernel.leftStride;
  int64_t columnsBack = (columns - 1) * kernel.rightStride;
  // Those of the loop over the words are kept.
  nextRow = b.keep(kernel.leftStride);
  lastRow = b.keep(4 - rowsBack);
  lastRowOfFirst = {int32_t(-rowsBack - lastWord)};
  nextColumn = b.keep(kernel.rightStride);
  lastColumn = b.keep(4 - columnsBack);
  lastColumnOfFirst = {int32_t(-columnsBack - lastWord)};
  nextTile = {int32_t(columns * kernel.rightStride)};

  // A line of the result is what lies side by side in a tile.
  int64_t lines = kernel.transposed ? columns : kernel.rows;
  int64_t size = kernel.transposed ? kernel.rows : columns;
  int64_t bytes = kernel.scaling == Scaling::None ? 4 : 1;
  bool isWord = size == kTile && bytes == 1;
  int64_t inLine = isWord ? 0 : (size - 1) * bytes;
  int64_t tile =
      kernel.transposed ? columns * kernel.resultStride : columns * bytes;
  byteOfLine = {int32_t(bytes)};
  lineForward = {int32_t(kernel.resultStride - inLine)};
  int64_t start = (lines - 1) * kernel.resultStride + inLine;
  lineBack = {int32_t(-start)};
  tileForward = {int32_t(tile - start)};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

SmallVector<Value> ProductTile::loadLeftOnce(XpulpBuilder &b,
                                             Value left) const {
  SmallVector<Value> loaded;
  if (words > 1)
    return loaded;
  int64_t bytes = rest == 0 ? 4 : rest;
  for (int64_t row = 0; row < kernel.rows; ++row)
    loaded.push_back(b.loadBytesAndStep(bytes, left, nextRow));
  return loaded;
}

/// Whether the third row of a tile lies in the first one's bank of memory.
bool ProductTile::meetInBanks() const {
  constexpr int64_t bankBytes = 16 * 4; // from a word to the next of its bank
  return kernel.rows == kTile && 2 * kernel.leftStride % bankBytes == 0;
}

/// Sums of products with all columns. A column is loaded two ahead of its use:
/// the word that a load gives is not there for the next instruction. In halves:
/// cores run one instruction behind each other, so that loads of one bank are
/// to be as far apart as cores are many.
void ProductTile::multiply(XpulpBuilder &b, Load loadLeft, Load loadRight,
                           bool inHalves, Sums &sums) const {
  SmallVector<Value> left, right;
  auto addRows = [&](int64_t first, int64_t column) {
    for (int64_t row = first, end = left.size(); row < end; ++row)
      sums[row][column] = b.dot(left[row], right[column], sums[row][column],
                                kernel.unsignedLeft);
  };
  int64_t half = inHalves ? kernel.rows / 2 : 0;
  int64_t ahead = std::min<int64_t>(2, columns);
  while (int64_t(left.size()) < (inHalves ? half : kernel.rows))
    left.push_back(loadLeft(left.size()));
  for (int64_t column = 0; column < ahead; ++column)
    right.push_back(loadRight(column));
  for (int64_t column = 0; inHalves && column < ahead; ++column)
    addRows(0, column);
  while (int64_t(left.size()) < kernel.rows)
    left.push_back(loadLeft(left.size()));
  for (int64_t column = 0; column < columns; ++column) {
    addRows(column < ahead ? half : 0, column);
    if (column + 2 < columns)
      right.push_back(loadRight(column + 2));
  }
}

void ProductTile::addLastWord(XpulpBuilder &b, TilePointers &pointers,
                              ArrayRef<Value> left, Sums &sums) const {
  int64_t bytes = rest == 0 || kernel.paddedRight ? 4 : rest;
  multiply(
      b,
      [&](int64_t row) {
        // What the left rows have behind their end meets zeros.
        Step step = row + 1 < kernel.rows ? nextRow : lastRowOfFirst;
        return left.empty() ? b.loadAndStep(pointers.left, step) : left[row];
      },
      [&](int64_t column) {
        Step step = column + 1 < columns ? nextColumn : lastColumnOfFirst;
        Value word = b.loadBytesAndStep(bytes, pointers.right, step);
        return bytes == 3 ? b.make<xpulp::PExtractuOp>(word, 24, 0) : word;
      },
      left.empty() && meetInBanks(), sums);
}

void ProductTile::addWord(XpulpBuilder &b, TilePointers &pointers,
                          Sums &sums) const {
  multiply(
      b,
      [&](int64_t row) {
        return b.loadAndStep(pointers.left,
                             row + 1 < kernel.rows ? nextRow : lastRow);
      },
      [&](int64_t column) {
        return b.loadAndStep(pointers.right,
                             column + 1 < columns ? nextColumn : lastColumn);
      },
      meetInBanks(), sums);
}

/// All words but the last one.
void ProductTile::addWords(XpulpBuilder &b, TilePointers &pointers,
                           Sums &sums) const {
  if (words == 1)
    return;
  if (words == 2)
    return addWord(b, pointers, sums);
  SmallVector<Value> inits{pointers.left, pointers.right};
  for (auto &row : sums)
    inits.append(row.begin(), row.end());
  auto spread = [&](ValueRange values, TilePointers &pointers, Sums &sums) {
    pointers.left = values[0];
    pointers.right = values[1];
    for (auto [i, value] : llvm::enumerate(values.drop_front(2)))
      sums[i / columns][i % columns] = value;
  };
  auto results = b.loop(
      int32_t(words - 1), inits, [&](XpulpBuilder &b, ValueRange arguments) {
        TilePointers inside;
        Sums next(kernel.rows, SmallVector<Value, kTile>(columns));
        spread(arguments, inside, next);
        addWord(b, inside, next);
        XpulpBuilder::Values values{inside.left, inside.right};
        for (auto &row : next)
          values.append(row.begin(), row.end());
        return values;
      });
  spread(results, pointers, sums);
}

ProductTile::Sums ProductTile::loadSums(XpulpBuilder &b, Value &result) const {
  Sums sums(kernel.rows);
  for (int64_t row = 0; row < kernel.rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      bool isLast = column + 1 == columns;
      Step step = !isLast                  ? byteOfLine
                  : row + 1 == kernel.rows ? lineBack
                                           : lineForward;
      sums[row].push_back(b.loadAndStep(result, step));
    }
  return sums;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void ProductTile::storeSums(XpulpBuilder &b, Value &result,
                            const Sums &sums) const {
  for (int64_t row = 0; row < kernel.rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      bool isLast = column + 1 == columns;
      Step step = !isLast                  ? byteOfLine
                  : row + 1 == kernel.rows ? tileForward
                                           : lineForward;
      b.storeAndStep(sums[row][column], result, step);
    }
}

void ProductTile::scaleColumns(XpulpBuilder &b, Value right, Sums &sums) const {
  // The pointer is at the last words of the first row.
  int64_t head = -getLastWord(kernel.depth) - kHead;
  int64_t farthest = head + (columns - 1) * kernel.rightStride + 4;
  Value base = right;
  if (!llvm::isInt<12>(head) || !llvm::isInt<12>(farthest)) {
    base = b.add(right, head);
    head = 0;
  }
  SmallVector<std::pair<Value, Value>> loaded;
  auto load = [&] {
    loaded.emplace_back(b.load(base, head), b.load(base, head + 4));
    head += kernel.rightStride;
    if (llvm::isInt<12>(head + 4))
      return;
    base = b.add(base, head);
    head = 0;
  };
  load();
  for (int64_t column = 0; column < columns; ++column) {
    if (column + 1 < columns)
      load();
    auto [multiplier, addend] = loaded[column];
    for (auto &row : sums)
      row[column] = b.make<xpulp::MulOp>(row[column], multiplier);
    for (auto &row : sums)
      row[column] = b.addAndRound(row[column], addend, kernel.shift);
    for (auto &row : sums)
      row[column] = b.saturate(row[column]);
  }
}

void ProductTile::scaleUniformly(XpulpBuilder &b, const Scales &scales,
                                 Sums &sums) const {
  for (auto &row : sums) {
    for (Value &sum : row)
      sum = b.make<xpulp::MulOp>(sum, scales[0]);
    for (Value &sum : row)
      sum = b.addAndRound(sum, scales[1], kernel.shift);
    for (Value &sum : row)
      sum = b.saturate(sum);
  }
}

void ProductTile::scaleRows(XpulpBuilder &b, const Scales &scales,
                            Sums &sums) const {
  SmallVector<Value> multipliers;
  auto load = [&](int64_t row) {
    multipliers.push_back(b.load(scales[0], 4 * row));
  };
  load(0);
  for (auto [index, row] : llvm::enumerate(sums)) {
    if (int64_t(index) + 1 < kernel.rows)
      load(index + 1);
    for (Value &sum : row)
      sum = b.make<xpulp::MulOp>(sum, multipliers[index]);
    for (Value &sum : row)
      sum = b.addAndRound(sum, scales[1], kernel.shift);
    for (Value &sum : row)
      sum = b.saturate(sum);
  }
}

void ProductTile::store(XpulpBuilder &b, Value &result,
                        const Sums &sums) const {
  int64_t lines = kernel.transposed ? columns : kernel.rows;
  int64_t size = kernel.transposed ? kernel.rows : columns;
  auto get = [&](int64_t line, int64_t place) {
    return kernel.transposed ? sums[place][line] : sums[line][place];
  };
  SmallVector<Value> packed;
  for (int64_t line = 0; size == kTile && line < lines; ++line)
    packed.push_back(
        b.packBytes({get(line, 0), get(line, 1), get(line, 2), get(line, 3)}));
  for (int64_t line = 0; line < lines; ++line) {
    Step last = line + 1 < lines ? lineForward : tileForward;
    if (size == kTile) {
      b.storeAndStep(packed[line], result, last);
      continue;
    }
    for (int64_t place = 0; place < size; ++place)
      b.storeByteAndStep(get(line, place), result,
                         place + 1 < size ? byteOfLine : last);
  }
}

void ProductTile::build(XpulpBuilder &b, TilePointers &pointers,
                        ArrayRef<Value> left, const Scales &scales) const {
  Sums sums(kernel.rows, SmallVector<Value, kTile>(columns));
  if (kernel.scaling == Scaling::None)
    sums = loadSums(b, pointers.result);
  addLastWord(b, pointers, left, sums);
  addWords(b, pointers, sums);
  switch (kernel.scaling) {
  case Scaling::None:
    storeSums(b, pointers.result, sums);
    break;
  case Scaling::OfColumns:
    scaleColumns(b, pointers.right, sums);
    break;
  case Scaling::Uniform:
    scaleUniformly(b, scales, sums);
    break;
  case Scaling::OfRows:
    scaleRows(b, scales, sums);
    break;
  }
  if (kernel.scaling != Scaling::None)
    store(b, pointers.result, sums);
  pointers.right = b.advance(pointers.right, nextTile);
}
