// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Requantise.h"

using namespace mlir;
using namespace mlir::tinyattn;

void Requantise::write(Sums &sums, Value right,
                       SmallVector<Value> &destinations) {
  if (kernel.multiplier == Multiplier::None)
    return accumulate(sums, destinations);
  Tile tile = scale(sums, right);
  switch (kernel.layout) {
  case PanelLayout::Rows:
    return tile.channels == 1 ? writeColumn(tile, destinations)
                              : writeRows(tile, destinations);
  case PanelLayout::Left:
    return writeLeft(tile, destinations.front());
  case PanelLayout::Keys:
    return writeKeys(tile, destinations.front());
  case PanelLayout::Values:
    return writeValues(tile, destinations.front());
  }
}

/// Joint pairs: the sums of the second column alone.
void Requantise::subtract(Sums &sums) {
  if (!isJoint)
    return;
  for (int64_t column = 1; column < sums.columns; column += 2)
    for (int64_t row = 0; row < sums.rows; ++row)
      sums.at(row, column) =
          b.sub(sums.at(row, column), sums.at(row, column - 1));
}

//===----------------------------------------------------------------------===//
// Sums in memory
//===----------------------------------------------------------------------===//

void Requantise::accumulate(Sums &sums, SmallVector<Value> &destinations) {
  subtract(sums);
  SmallVector<Value> pointers;
  for (Value destination : destinations)
    pointers.push_back(b.unpark(destination));
  for (int64_t column = 0; column < sums.columns; ++column) {
    SmallVector<Value> words;
    for (Value pointer : pointers)
      words.push_back(b.load(pointer, 4 * column));
    for (auto [row, word] : llvm::enumerate(words))
      word = addSum(word, sums, row, column);
    for (auto [word, pointer] : llvm::zip(words, pointers))
      b.store(word, pointer, 4 * column);
  }
  for (auto [destination, pointer] : llvm::zip(destinations, pointers))
    destination = b.park(b.addImm(pointer, 4 * sums.columns));
}

Value Requantise::addSum(Value word, Sums &sums, int64_t row, int64_t channel) {
  Value sum = sums.at(row, channel);
  bool isHigh = isJoint && channel % 2 != 0;
  return isHigh ? b.addAsr(word, sum, 8) : b.add(word, sum);
}

//===----------------------------------------------------------------------===//
// Multiplication
//===----------------------------------------------------------------------===//

Requantise::Tile Requantise::scale(Sums &sums, Value right) {
  Tile tile{sums.rows, sums.columns, {}};
  // What comes from the floating-point unit first: it takes time on the M7.
  Value first;
  if (kernel.multiplier != Multiplier::OfColumns)
    first = b.unpark(multipliers.front());
  Value zero = kernel.zeroPoint ? b.constant(kernel.zeroPoint) : Value();
  subtract(sums);
  if (kernel.multiplier == Multiplier::OfColumns)
    scaleByColumns(sums, right, zero, tile);
  else if (kernel.multiplier == Multiplier::Uniform)
    scaleUniformly(sums, first, zero, tile);
  else
    scaleByRows(sums, first, zero, tile);
  return tile;
}

void Requantise::scaleSum(Sums &sums, int64_t row, int64_t channel,
                          Value multiplier, Value zero, Tile &tile) {
  tile.q[row][channel] =
      b.multiplyHigh(sums.at(row, channel), multiplier, zero);
}

void Requantise::scaleByColumns(Sums &sums, Value right, Value zero,
                                Tile &tile) {
  // Loads stand together as far as there are registers.
  int64_t together = zero && sums.rows == 2 ? 2 : 4;
  for (int64_t first = 0; first < sums.columns; first += together) {
    int64_t end = std::min(first + together, sums.columns);
    SmallVector<Value> loaded;
    for (int64_t column = first; column < end; ++column)
      loaded.push_back(
          b.load(right, column / 2 * kernel.pairStride + 8 + 4 * (column % 2)));
    for (int64_t column = first; column < end; ++column)
      for (int64_t row = 0; row < sums.rows; ++row)
        scaleSum(sums, row, column, loaded[column - first], zero, tile);
  }
}

void Requantise::scaleUniformly(Sums &sums, Value multiplier, Value zero,
                                Tile &tile) {
  Value high = sums.columns > 1 ? forHigh(multiplier) : Value();
  for (int64_t column = 0; column < sums.columns; ++column)
    for (int64_t row = 0; row < sums.rows; ++row)
      scaleSum(sums, row, column, column % 2 != 0 ? high : multiplier, zero,
               tile);
}

void Requantise::scaleByRows(Sums &sums, Value first, Value zero, Tile &tile) {
  for (int64_t row = 0; row < sums.rows; ++row) {
    Value multiplier = row == 0 ? first : b.unpark(multipliers[row]);
    Value high = sums.columns > 1 ? forHigh(multiplier) : Value();
    for (int64_t column = 0; column < sums.columns; ++column)
      scaleSum(sums, row, column, column % 2 != 0 ? high : multiplier, zero,
               tile);
  }
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

void Requantise::writeRows(const Tile &tile, SmallVector<Value> &destinations) {
  // Of four channels, the halves are those of 0 and 2, and of 1 and 3; without
  // the last one, anything is in its place.
  bool isWide = tile.channels > 2;
  SmallVector<std::pair<Value, Value>> pairs;
  for (int64_t row = 0; row < tile.rows; ++row) {
    const auto &q = tile.q[row];
    pairs.push_back({q[0], isWide ? q[2] : q[1]});
    if (isWide)
      pairs.push_back({q[1], tile.channels == 4 ? q[3] : q[1]});
  }
  SmallVector<Value> halves = b.saturatedHalves(pairs), words;
  // On the M7 what is unparked arrives late.
  SmallVector<Value> pointers;
  for (Value destination : destinations)
    pointers.push_back(b.unpark(destination));
  for (Value &half : halves)
    half = b.unsignedBytes(half);
  for (int64_t row = 0; row < tile.rows; ++row)
    words.push_back(isWide ? b.orr(halves[2 * row], halves[2 * row + 1], 8)
                           : halves[row]);
  for (int64_t row = 0; row < tile.rows; ++row)
    destinations[row] =
        b.park(writeBytes(words[row], pointers[row], tile.channels));
}

Value Requantise::writeBytes(Value word, Value pointer, int64_t channels) {
  if (channels == 4)
    return b.storeAndStep(word, pointer, 4);
  // In tiles of two channels, the second one is in the upper half.
  int64_t distance = channels == 3 ? 8 : 16;
  for (int64_t i = 0; i < channels; ++i) {
    if (i > 0)
      word = b.asr(word, distance);
    pointer = b.storeAndStep<armdsp::StrbPostOp>(word, pointer, 1);
  }
  return pointer;
}

/// A single channel is saturated by itself.
void Requantise::writeColumn(const Tile &tile,
                             SmallVector<Value> &destinations) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    Value byte = b.saturate(tile.q[row][0], 8);
    Value pointer = b.unpark(destinations[row]);
    destinations[row] =
        b.park(b.storeAndStep<armdsp::StrbPostOp>(byte, pointer, 1));
  }
}

/// The channels of a row two by two, both rows in turn. A single row is both
/// rows of its pair.
SmallVector<Value> Requantise::joinChannels(const Tile &tile) {
  SmallVector<std::pair<Value, Value>> pairs;
  for (int64_t i = 0; i < tile.channels; i += 2)
    for (int64_t row = 0; row < tile.rows; ++row)
      pairs.push_back({tile.q[row][i], tile.q[row][i + 1]});
  SmallVector<Value> words;
  for (Value word : b.saturatedHalves(pairs))
    words.append(3 - tile.rows, word);
  return words;
}

void Requantise::writeLeft(const Tile &tile, Value &destination) {
  writeWords(joinChannels(tile), destination);
}

void Requantise::writeKeys(const Tile &tile, Value &destination) {
  // In the separate form, columns are the rows of the tile: a left panel.
  if (kernel.resultForm == PanelForm::Separate)
    return writeLeft(tile, destination);
  writeWords(join(joinChannels(tile)), destination);
}

void Requantise::writeValues(const Tile &tile, Value &destination) {
  bool separate = kernel.resultForm == PanelForm::Separate;
  SmallVector<std::pair<Value, Value>> pairs;
  for (int64_t i = 0; i < tile.channels; ++i)
    pairs.push_back({tile.q[0][i], tile.q[tile.rows - 1][i]});
  SmallVector<Value> words = b.saturatedHalves(pairs);
  if (!separate)
    words = join(words);
  Value pointer = b.unpark(destination);
  int64_t perPair = separate ? 2 : 1;
  for (auto [i, word] : llvm::enumerate(words))
    b.store(word, pointer,
            i / perPair * kernel.resultStride + 4 * (i % perPair));
  int64_t columnPairs = tile.channels / 2;
  destination = b.park(b.addImm(pointer, columnPairs * kernel.resultStride));
}

void Requantise::writeWords(ArrayRef<Value> words, Value &destination) {
  Value pointer = b.unpark(destination);
  for (Value word : words)
    pointer = b.storeAndStep(word, pointer, 4);
  destination = b.park(pointer);
}

SmallVector<Value> Requantise::join(ArrayRef<Value> words) {
  SmallVector<Value> bytes, joined;
  for (Value word : words)
    bytes.push_back(b.unsignedBytes(word));
  for (size_t i = 0; i < bytes.size(); i += 2)
    joined.push_back(b.eorImm(bytes[i], 0x00800080));
  for (auto [i, word] : llvm::enumerate(joined))
    word = b.orr(word, bytes[2 * i + 1], 8);
  return joined;
}
