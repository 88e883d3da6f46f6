// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Requantise.h"

using namespace mlir;
using namespace mlir::tinyattn;

void Requantise::write(Sums &sums, Value right,
                       SmallVector<Value> &destinations, int64_t channels) {
  if (kernel.multiplier == Multiplier::None)
    return accumulate(sums, destinations, channels);
  Tile tile = scale(sums, right);
  switch (kernel.layout) {
  case PanelLayout::Rows:
    return writeRows(tile, destinations, channels);
  case PanelLayout::Left:
    return writeLeft(tile, destinations.front());
  case PanelLayout::Keys:
    return writeKeys(tile, destinations.front());
  case PanelLayout::Values:
    return writeValues(tile, destinations.front());
  }
}

//===----------------------------------------------------------------------===//
// Sums in memory
//===----------------------------------------------------------------------===//

void Requantise::accumulate(Sums &sums, SmallVector<Value> &destinations,
                            int64_t channels) {
  if (isJoint)
    for (int64_t pair = 0; pair < sums.getPairs(); ++pair)
      for (int64_t row : {0, 1})
        sums.getHigh(row, pair) =
            b.sub(sums.getHigh(row, pair), sums.getLow(row, pair));
  // Where both rows are one (the last of an odd number), both write the same,
  // because both read before.
  Value pointers[] = {b.unpark(destinations[0]), b.unpark(destinations[1])};
  for (int64_t channel = 0; channel < channels; ++channel) {
    Value words[2];
    for (int64_t row : {0, 1})
      words[row] = b.load(pointers[row], 4 * channel);
    for (int64_t row : {0, 1})
      words[row] = addSum(words[row], sums, row, channel);
    for (int64_t row : {0, 1})
      b.store(words[row], pointers[row], 4 * channel);
  }
  for (int64_t row : {0, 1})
    destinations[row] = b.park(b.addImm(pointers[row], 4 * channels));
}

Value Requantise::addSum(Value word, Sums &sums, int64_t row, int64_t channel) {
  if (channel % 2 == 0)
    return b.add(word, sums.getLow(row, channel / 2));
  Value high = sums.getHigh(row, channel / 2);
  return isJoint ? b.addAsr(word, high, 8) : b.add(word, high);
}

//===----------------------------------------------------------------------===//
// Multiplication
//===----------------------------------------------------------------------===//

Requantise::Tile Requantise::scale(Sums &sums, Value right) {
  Tile tile;
  tile.channels = 2 * sums.getPairs();
  auto subtract = [&] {
    if (isJoint)
      for (int64_t i = 0; i < 2 * sums.getPairs(); ++i)
        sums.high[i] = b.sub(sums.high[i], sums.low[i]);
  };
  // What comes from the floating-point unit first: it takes time on the M7.
  Value first;
  if (kernel.multiplier != Multiplier::OfColumns)
    first = b.unpark(multipliers.front());
  Value zero = kernel.zeroPoint ? b.constant(kernel.zeroPoint) : Value();
  subtract();
  if (kernel.multiplier == Multiplier::OfColumns)
    scaleByColumns(sums, right, zero, tile);
  else if (kernel.multiplier == Multiplier::Uniform)
    scaleUniformly(sums, first, zero, tile);
  else
    scaleByRows(sums, first, zero, tile);
  return tile;
}

void Requantise::scaleByColumns(Sums &sums, Value right, Value zero,
                                Tile &tile) {
  // Loads stand together as far as there are registers.
  int64_t together = zero ? 1 : 2;
  for (int64_t first = 0; first < sums.getPairs(); first += together) {
    int64_t end = std::min(first + together, sums.getPairs());
    SmallVector<Value> loaded;
    for (int64_t pair = first; pair < end; ++pair)
      for (int64_t offset : {8, 12})
        loaded.push_back(b.load(right, pair * kernel.pairStride + offset));
    for (int64_t pair = first; pair < end; ++pair)
      for (int64_t row : {0, 1}) {
        Value *multiplier = &loaded[2 * (pair - first)];
        tile.q[row][2 * pair] =
            b.multiplyHigh(sums.getLow(row, pair), multiplier[0], zero);
        tile.q[row][2 * pair + 1] =
            b.multiplyHigh(sums.getHigh(row, pair), multiplier[1], zero);
      }
  }
}

void Requantise::scaleUniformly(Sums &sums, Value multiplier, Value zero,
                                Tile &tile) {
  Value high = forHigh(multiplier);
  for (int64_t pair = 0; pair < sums.getPairs(); ++pair)
    for (int64_t row : {0, 1}) {
      tile.q[row][2 * pair] =
          b.multiplyHigh(sums.getLow(row, pair), multiplier, zero);
      tile.q[row][2 * pair + 1] =
          b.multiplyHigh(sums.getHigh(row, pair), high, zero);
    }
}

void Requantise::scaleByRows(Sums &sums, Value first, Value zero, Tile &tile) {
  for (int64_t row : {0, 1}) {
    Value multiplier = row == 0 ? first : b.unpark(multipliers[row]);
    Value high = forHigh(multiplier);
    for (int64_t pair = 0; pair < sums.getPairs(); ++pair) {
      tile.q[row][2 * pair] =
          b.multiplyHigh(sums.getLow(row, pair), multiplier, zero);
      tile.q[row][2 * pair + 1] =
          b.multiplyHigh(sums.getHigh(row, pair), high, zero);
    }
  }
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

void Requantise::writeRows(const Tile &tile, SmallVector<Value> &destinations,
                           int64_t channels) {
  bool isWhole = tile.channels == 4;
  SmallVector<std::pair<Value, Value>> pairs;
  for (const auto &q : tile.q) {
    pairs.push_back({q[0], isWhole ? q[2] : q[1]});
    if (isWhole)
      pairs.push_back({q[1], q[3]});
  }
  SmallVector<Value> halves = b.saturatedHalves(pairs), words;
  // On the M7 what is unparked arrives late.
  Value pointers[] = {b.unpark(destinations[0]), b.unpark(destinations[1])};
  for (Value &half : halves)
    half = b.unsignedBytes(half);
  for (int64_t row : {0, 1})
    words.push_back(isWhole ? b.orr(halves[2 * row], halves[2 * row + 1], 8)
                            : halves[row]);
  for (int64_t row : {0, 1}) {
    Value next = writeBytes(words[row], pointers[row], tile.channels, channels);
    destinations[row] = b.park(next);
  }
}

Value Requantise::writeBytes(Value word, Value pointer, int64_t tileChannels,
                             int64_t channels) {
  if (channels == 4)
    return b.storeAndStep(word, pointer, 4);
  // In tiles of two channels, the second one is in the upper half.
  int64_t distance = tileChannels == 4 ? 8 : 16;
  for (int64_t i = 0; i < channels; ++i) {
    if (i > 0)
      word = b.asr(word, distance);
    pointer = b.storeAndStep<armdsp::StrbPostOp>(word, pointer, 1);
  }
  return pointer;
}

/// The channels of a row two by two, both rows in turn.
SmallVector<Value> Requantise::joinChannels(const Tile &tile) {
  SmallVector<std::pair<Value, Value>> pairs;
  for (int64_t i = 0; i < tile.channels; i += 2)
    for (int64_t row : {0, 1})
      pairs.push_back({tile.q[row][i], tile.q[row][i + 1]});
  return b.saturatedHalves(pairs);
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
    pairs.push_back({tile.q[0][i], tile.q[1][i]});
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
