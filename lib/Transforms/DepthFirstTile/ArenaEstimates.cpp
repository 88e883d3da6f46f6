// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each schedule needs of the arena: bytes as a perfect planner lays them.

#include "ScheduleEstimates.h"

#include "TinyFormer/Transforms/Panels.h"
#include "TinyFormer/Transforms/WordPanels.h"

#include <algorithm>

using namespace tinyformer;

namespace {

/// Bytes of one buffer, as the planner aligns it.
uint64_t buffer(int64_t bytes) { return (bytes + 7) / 8 * 8; }

/// Bytes of the buffers of some heads. What is expanded into panels for a block
/// of rows only is there beside its source; panels are no larger than bytes
/// where nothing is packed.
struct Sizes {
  Sizes(const AttentionShape &s, int64_t heads, int64_t rows) {
    setContext(s, heads, rows);
    if (s.packing.attention)
      setPanels(s, heads, rows);
    else
      setBytes(s, heads, rows);
  }

  void setContext(const AttentionShape &s, int64_t heads, int64_t rows) {
    int64_t width = heads * s.valueWidth;
    context = getPlainRows(s, rows, width);
    leftContext = getRows(s, rows, width);
    if (s.packing.output)
      leftContextBlock = contextBlock = getBlockBytes(rows, width);
    bool isPanel = s.packing.output && s.packing.attention &&
                   getComputeRows(rows, width) == rows;
    if (isPanel) {
      leftContext = buffer(getLeftBytes(rows, width));
      leftContextBlock = 0;
    }
  }

  void setBytes(const AttentionShape &s, int64_t heads, int64_t rows) {
    keys = s.fusedWeights ? 0 : getRows(s, heads * s.tokens, s.headWidth);
    values = s.fusedWeights ? 0 : getRows(s, heads * s.valueWidth, s.tokens);
    queries = getRows(s, heads * rows, s.headWidth);
    scores = getRows(s, heads * rows, s.tokens);
    sums = buffer(4 * heads * rows);
  }

  void setPanels(const AttentionShape &s, int64_t heads, int64_t rows) {
    keys = s.fusedWeights ? 0
                          : buffer(getRightBytes(s.tokens, heads * s.headWidth,
                                                 s.packing.jointKeys));
    values = s.fusedWeights
                 ? 0
                 : buffer(getRightBytes(heads * s.valueWidth, s.tokens,
                                        s.packing.jointValues));
    inputBlock = getBlockBytes(rows, s.width);
    int64_t width = heads * s.headWidth;
    if (getComputeRows(rows, width) == rows) {
      queries = buffer(getLeftBytes(rows, width));
    } else {
      queries = buffer(rows * width);
      queriesBlock = getBlockBytes(rows, width);
    }
    scores = buffer(heads * rows * ((s.tokens + 3) / 4 * 4));
    int64_t depth = heads * ((s.tokens + 1) / 2 * 2);
    int64_t block = (getComputeRows(rows, depth) + 1) / 2 * 2;
    exponentials = buffer(getLeftBytes(block, depth));
    sums = buffer(4 * heads * block);
    // As a whole, the scores are dead when there are exponentials of all rows.
    if (block >= rows)
      deadScores = scores;
  }

  /// A buffer of rows that products read.
  static uint64_t getRows(const AttentionShape &s, int64_t rows,
                          int64_t width) {
    if (s.packing.words && width >= 4)
      return buffer(rows * getWordRowBytes(width));
    return getPlainRows(s, rows, width);
  }

  /// The same without gaps.
  static uint64_t getPlainRows(const AttentionShape &s, int64_t rows,
                               int64_t width) {
    return buffer(rows * width + (s.packing.words ? getReadAhead(width) : 0));
  }

  /// Of rows of int8, at a time.
  static uint64_t getBlockBytes(int64_t rows, int64_t width) {
    return buffer(getLeftBytes(getPackRows(rows, width), width));
  }

  /// From the scores to a context of so many bytes, beside the values.
  uint64_t getSoftmaxPeak(uint64_t contextBytes) const {
    uint64_t softmax = scores + exponentials + sums;
    return std::max(softmax, softmax - deadScores + contextBytes);
  }

  /// The largest sum while keys and values are there as a whole, and the
  /// context goes to the projection.
  uint64_t getTilePeak() const {
    return std::max({inputBlock + queries, queries + queriesBlock + scores,
                     getSoftmaxPeak(leftContext),
                     leftContext + leftContextBlock});
  }

  uint64_t keys, values, queries, scores, sums, context, leftContext;
  uint64_t inputBlock = 0, queriesBlock = 0, exponentials = 0, deadScores = 0;
  uint64_t contextBlock = 0, leftContextBlock = 0;
};

/// What is made of the input or of slices of it before all loops.
struct InputPanels {
  explicit InputPanels(const AttentionShape &s) {
    if (s.packing.copiesInput)
      all = buffer(s.tokens * getWordRowBytes(s.width));
    if (s.fusedWeights) {
      setKeysAndValues(s);
      return;
    }
    if (!s.packing.attention)
      return;
    if (isWhole(s.tokens, s.width))
      all = Sizes::getBlockBytes(s.tokens, s.width);
    else
      block = Sizes::getBlockBytes(s.tokens, s.width);
  }

  /// Keys are the input itself, values the transposed input; panels of both.
  void setKeysAndValues(const AttentionShape &s) {
    values = Sizes::getRows(s, s.width, s.tokens);
    if (!s.packing.attention)
      return;
    transposed = values;
    keys = buffer(getRightBytes(s.tokens, s.width, s.packing.jointKeys));
    values = buffer(getRightBytes(s.width, s.tokens, s.packing.jointValues));
  }

  /// A slice at an offset that no loop over the tiles of a block changes is the
  /// same for all heads. All rows are no slice.
  static uint64_t getSlices(const AttentionShape &s, int64_t block,
                            int64_t rows) {
    // Only projections of keys and values need all rows for themselves.
    if (!s.packing.attention || (rows == s.tokens && !s.fusedWeights))
      return 0;
    int64_t rest = block % rows;
    uint64_t slices = 0;
    if (rest != 0 && isWhole(rest, s.width))
      slices += Sizes::getBlockBytes(rest, s.width);
    if (block / rows == 1 && isWhole(rows, s.width))
      slices += Sizes::getBlockBytes(rows, s.width);
    return slices;
  }

  static bool isWhole(int64_t rows, int64_t width) {
    return getPackRows(rows, width) == rows;
  }

  uint64_t getColumns() const { return keys + values; }

  /// The input as keys and as values, and transposed until there is a panel of
  /// that; as rows where these are small, and else a block of them.
  uint64_t keys = 0, values = 0, transposed = 0, all = 0, block = 0;
};

/// Where no loop is left, a tile and the rest share keys and values (common
/// subexpressions), so that these stay.
bool isShared(const AttentionShape &s, int64_t rows) {
  return s.heads == 1 && s.queries / rows == 1 && s.queries % rows != 0;
}

/// Keys and then values of one head, for each tile, whose input may be a panel
/// for all heads.
uint64_t getHeadPeak(const AttentionShape &s, int64_t rows, bool withContext) {
  Sizes head(s, 1, rows);
  InputPanels input(s);
  uint64_t keys = isShared(s, rows) ? head.keys : 0;
  uint64_t values = isShared(s, rows) ? head.values : 0;
  uint64_t context = withContext ? head.leftContext : 0;
  uint64_t contextBlock = withContext ? head.leftContextBlock : 0;
  uint64_t tileInput =
      InputPanels::isWhole(rows, s.width) ? head.inputBlock : 0;
  return tileInput +
         std::max({keys + values + head.queries + head.inputBlock - tileInput,
                   head.keys + values + head.queries + input.block,
                   head.keys + values + head.queries + head.queriesBlock +
                       head.scores,
                   head.values + keys + head.scores + input.block,
                   head.values + keys + head.getSoftmaxPeak(context),
                   keys + values + context + contextBlock});
}

} // namespace

uint64_t tinyformer::getArenaBytes(const AttentionShape &s, ScheduleKind kind,
                                   int64_t rows) {
  Sizes head(s, 1, rows), all(s, s.heads, rows);
  uint64_t wholeContext =
      Sizes::getPlainRows(s, s.queries, s.heads * s.valueWidth);
  InputPanels input(s);
  uint64_t early = input.getColumns() + input.all;
  switch (kind) {
  case ScheduleKind::None: {
    // Here plain exponentials are not in the place of the scores.
    uint64_t copy = s.packing.attention ? 0 : all.scores;
    uint64_t values = all.values + input.values;
    // Keys, values and queries may each be made of panels of their own.
    uint64_t blocks = all.inputBlock;
    if (s.queries != s.tokens)
      blocks += Sizes::getBlockBytes(s.tokens, s.width);
    return std::max({all.queries + all.keys + all.values + blocks,
                     all.queries + all.queriesBlock + all.keys + all.values +
                         input.keys + all.scores,
                     all.scores + input.values + input.transposed,
                     values + all.getSoftmaxPeak(copy),
                     values + all.getSoftmaxPeak(all.leftContext),
                     all.leftContext + all.leftContextBlock});
  }
  case ScheduleKind::HeadsContext: {
    uint64_t contextBlock = Sizes(s, s.heads, s.queries).contextBlock;
    uint64_t tile = std::max({head.inputBlock + head.queries,
                              head.queries + head.queriesBlock + head.scores,
                              head.getSoftmaxPeak(0)});
    early += InputPanels::getSlices(s, s.queries, rows);
    uint64_t loops = wholeContext + std::max(early + head.keys + head.values +
                                                 std::max(input.block, tile),
                                             contextBlock);
    return std::max(early + input.transposed, loops);
  }
  case ScheduleKind::HeadsAccumulate:
  case ScheduleKind::HalvesAccumulate:
  case ScheduleKind::QuartersAccumulate: {
    uint64_t peak = 0;
    forParts(s.queries, getBlockRows(kind, s.queries), [&](int64_t block) {
      Sizes tile(s, 1, std::min(rows, block));
      uint64_t bytes =
          buffer(4 * block * s.outputWidth) +
          InputPanels::getSlices(s, block, std::min(rows, block)) +
          std::max({input.block, input.transposed, tile.getTilePeak()});
      peak = std::max(peak, bytes);
    });
    return early + head.keys + head.values + peak;
  }
  case ScheduleKind::RowsAll:
    return all.keys + all.values +
           std::max({input.all + input.block,
                     input.getColumns() + input.transposed,
                     input.getColumns() + all.getTilePeak()});
  case ScheduleKind::RowsContext:
    if (isShared(s, rows))
      return early + std::max(input.transposed,
                              getHeadPeak(s, rows, /*withContext=*/true));
    return early +
           std::max(input.transposed,
                    all.context +
                        std::max(getHeadPeak(s, rows, /*withContext=*/false),
                                 all.contextBlock));
  case ScheduleKind::RowsAccumulate:
    return early + std::max(input.transposed,
                            buffer(4 * rows * s.outputWidth) +
                                getHeadPeak(s, rows, /*withContext=*/true));
  }
  return 0;
}
