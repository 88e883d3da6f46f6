// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All kinds of schedules with all numbers of rows: there are few enough.

#include "TinyFormer/Transforms/AttentionSchedule.h"

#include "TinyFormer/CostModel/CostModel.h"
#include "TinyFormer/Transforms/Panels.h"

#include <algorithm>
#include <tuple>

using namespace tinyformer;
using namespace mlir::tinyattn;

namespace {

/// How much slower a smaller schedule may be than the fastest, or than the
/// untiled program.
constexpr double sizeSlack = 1.04, untiledSlack = 1.05;

/// Estimates that differ by less than this are alike: the smaller schedule is
/// the better one of them. About the error of the estimates.
constexpr double cyclesSlack = 1.01;

/// Cycles an element of `broadcast` and `requantize` together.
constexpr double accumulatorCycles = 12;

const std::pair<ScheduleKind, const char *> names[] = {
    {ScheduleKind::None, "none"},
    {ScheduleKind::HeadsContext, "heads-context"},
    {ScheduleKind::HeadsAccumulate, "heads-accumulate"},
    {ScheduleKind::RowsAll, "rows-all"},
    {ScheduleKind::RowsContext, "rows-context"},
    {ScheduleKind::RowsAccumulate, "rows-accumulate"},
};

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
    leftContext = context = buffer(rows * width);
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
    keys = s.fusedWeights ? 0 : buffer(heads * s.tokens * s.headWidth);
    values = buffer(heads * s.tokens * s.valueWidth);
    queries = buffer(heads * rows * s.headWidth);
    scores = buffer(heads * rows * s.tokens);
    sums = buffer(4 * heads * rows);
  }

  void setPanels(const AttentionShape &s, int64_t heads, int64_t rows) {
    keys = s.fusedWeights ? 0
                          : buffer(getRightBytes(s.tokens, heads * s.headWidth,
                                                 s.packing.jointKeys));
    values = buffer(
        getRightBytes(heads * s.valueWidth, s.tokens, s.packing.jointValues));
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

/// Panels of the input or of slices of it that are made before all loops.
struct InputPanels {
  InputPanels(const AttentionShape &s, int64_t rows, bool headsOutside) {
    if (!s.packing.attention)
      return;
    if (s.fusedWeights)
      columns = buffer(getRightBytes(s.tokens, s.width, s.packing.jointKeys));
    if (isWhole(s.tokens, s.width))
      all = Sizes::getBlockBytes(s.tokens, s.width);
    else
      block = Sizes::getBlockBytes(s.tokens, s.width);
    if (!headsOutside)
      return;
    // A slice at a constant offset is the same for all heads.
    int64_t rest = s.tokens % rows;
    if (rest != 0 && isWhole(rest, s.width))
      slices += Sizes::getBlockBytes(rest, s.width);
    if (rest != 0 && s.tokens / rows == 1 && isWhole(rows, s.width))
      slices += Sizes::getBlockBytes(rows, s.width);
  }

  static bool isWhole(int64_t rows, int64_t width) {
    return getPackRows(rows, width) == rows;
  }

  /// The input as keys, as rows where that is small, and else a block of it.
  uint64_t columns = 0, all = 0, block = 0;
  uint64_t slices = 0;
};

/// Where no loop is left, a tile and the rest share keys and values (common
/// subexpressions), so that these stay.
bool isShared(const AttentionShape &s, int64_t rows) {
  return s.heads == 1 && s.tokens / rows == 1 && s.tokens % rows != 0;
}

/// Keys and then values of one head, for each tile, whose input may be a panel
/// for all heads.
uint64_t getHeadPeak(const AttentionShape &s, int64_t rows, bool withContext) {
  Sizes head(s, 1, rows);
  InputPanels input(s, rows, /*headsOutside=*/false);
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

uint64_t getArenaBytes(const AttentionShape &s, ScheduleKind kind,
                       int64_t rows) {
  Sizes head(s, 1, rows), all(s, s.heads, rows);
  uint64_t wholeContext = buffer(s.tokens * s.heads * s.valueWidth);
  uint64_t wholeSums = buffer(4 * s.tokens * s.outputWidth);
  bool headsOutside = kind == ScheduleKind::HeadsContext ||
                      kind == ScheduleKind::HeadsAccumulate;
  InputPanels input(s, rows, headsOutside);
  uint64_t early = input.columns + input.all + input.slices;
  switch (kind) {
  case ScheduleKind::None: {
    // Here plain exponentials are not in the place of the scores.
    uint64_t copy = s.packing.attention ? 0 : all.scores;
    return std::max({all.queries + all.keys + all.values + all.inputBlock,
                     all.queries + all.queriesBlock + all.keys + all.values +
                         input.columns + all.scores,
                     all.values + all.getSoftmaxPeak(copy),
                     all.values + all.getSoftmaxPeak(all.leftContext),
                     all.leftContext + all.leftContextBlock});
  }
  case ScheduleKind::HeadsContext: {
    uint64_t contextBlock = Sizes(s, s.heads, s.tokens).contextBlock;
    uint64_t tile = std::max({head.inputBlock + head.queries,
                              head.queries + head.queriesBlock + head.scores,
                              head.getSoftmaxPeak(0)});
    return wholeContext + std::max(early + head.keys + head.values +
                                       std::max(input.block, tile),
                                   contextBlock);
  }
  case ScheduleKind::HeadsAccumulate:
    return wholeSums + early + head.keys + head.values +
           std::max(input.block, head.getTilePeak());
  case ScheduleKind::RowsAll:
    return all.keys + all.values +
           std::max(input.all + input.block, input.columns + all.getTilePeak());
  case ScheduleKind::RowsContext:
    if (isShared(s, rows))
      return early + getHeadPeak(s, rows, /*withContext=*/true);
    return early + all.context +
           std::max(getHeadPeak(s, rows, /*withContext=*/false),
                    all.contextBlock);
  case ScheduleKind::RowsAccumulate:
    return early + buffer(4 * rows * s.outputWidth) +
           getHeadPeak(s, rows, /*withContext=*/true);
  }
  return 0;
}

/// Cycles of `heads` heads on some rows, from the queries to the context.
double getRowCycles(const AttentionShape &s, int64_t heads, int64_t rows,
                    const std::string &core) {
  return estimateLinear(core, rows, heads * s.headWidth, s.width) +
         estimateMatmul(core, heads, rows, s.tokens, s.headWidth) +
         estimateSoftmax(core, heads * rows, s.tokens) +
         estimateMatmul(core, heads, rows, s.valueWidth, s.tokens);
}

double getKeyValueCycles(const AttentionShape &s, int64_t heads,
                         const std::string &core) {
  double keys = s.fusedWeights ? 0
                               : estimateLinear(core, s.tokens,
                                                heads * s.headWidth, s.width);
  return keys + estimateLinear(core, s.tokens, heads * s.valueWidth, s.width);
}

/// Cycles of one tile of rows, and of what each head needs once a tile.
double getTileCycles(const AttentionShape &s, ScheduleKind kind, int64_t rows,
                     const std::string &core) {
  double projection =
      estimateLinear(core, rows, s.outputWidth, s.heads * s.valueWidth);
  double perHead = getRowCycles(s, 1, rows, core);
  double piece =
      estimateLinearOnPanels(core, rows, s.outputWidth, s.valueWidth);
  switch (kind) {
  case ScheduleKind::None:
  case ScheduleKind::RowsAll:
    return getRowCycles(s, s.heads, rows, core) + projection;
  case ScheduleKind::HeadsContext:
    return s.heads * perHead;
  case ScheduleKind::HeadsAccumulate:
    return s.heads * (perHead + piece);
  case ScheduleKind::RowsContext:
    return s.heads * (getKeyValueCycles(s, 1, core) + perHead) + projection;
  case ScheduleKind::RowsAccumulate:
    return s.heads * (getKeyValueCycles(s, 1, core) + perHead + piece);
  }
  return 0;
}

double getCycles(const AttentionShape &s, ScheduleKind kind, int64_t rows,
                 const std::string &core) {
  double cycles = (s.tokens / rows) * getTileCycles(s, kind, rows, core);
  if (int64_t rest = s.tokens % rows)
    cycles += getTileCycles(s, kind, rest, core);
  if (kind == ScheduleKind::None || kind == ScheduleKind::RowsAll)
    cycles += getKeyValueCycles(s, s.heads, core);
  if (kind == ScheduleKind::HeadsContext ||
      kind == ScheduleKind::HeadsAccumulate)
    cycles += s.heads * getKeyValueCycles(s, 1, core);
  if (kind == ScheduleKind::HeadsContext)
    cycles +=
        estimateLinear(core, s.tokens, s.outputWidth, s.heads * s.valueWidth);
  if (kind == ScheduleKind::HeadsAccumulate ||
      kind == ScheduleKind::RowsAccumulate)
    cycles += accumulatorCycles * s.tokens * s.outputWidth;
  return cycles;
}

std::vector<Schedule> enumerate(const AttentionShape &shape,
                                const ScheduleQuery &query) {
  std::vector<Schedule> schedules;
  for (auto [kind, name] : names) {
    bool isTiled = kind != ScheduleKind::None;
    if (query.kind ? kind != *query.kind : query.rows && !isTiled)
      continue;
    int64_t first = isTiled ? query.rows.value_or(1) : shape.tokens;
    int64_t last = isTiled ? query.rows.value_or(shape.tokens) : shape.tokens;
    for (int64_t rows = first; rows <= last; ++rows) {
      // Panels are made of pairs of rows.
      bool isHalfEmpty = shape.packing.attention && rows % 2 != 0;
      if (isHalfEmpty && rows != shape.tokens && !query.rows)
        continue;
      schedules.push_back(estimateSchedule(shape, kind, rows, query.core));
    }
  }
  return schedules;
}

bool isFaster(const Schedule &a, const Schedule &b) {
  return std::tuple(a.cycles, a.arenaBytes) <
         std::tuple(b.cycles, b.arenaBytes);
}

bool isSmaller(const Schedule &a, const Schedule &b) {
  return std::tuple(a.arenaBytes, a.cycles) <
         std::tuple(b.arenaBytes, b.cycles);
}

/// The best of `schedules`, and why.
std::pair<Schedule, ChoiceReason> findBest(std::vector<Schedule> schedules,
                                           const ScheduleQuery &query) {
  auto find = [&](auto compare) {
    return *std::min_element(schedules.begin(), schedules.end(), compare);
  };
  auto drop = [&](auto predicate) {
    schedules.erase(
        std::remove_if(schedules.begin(), schedules.end(), predicate),
        schedules.end());
  };
  Schedule smallest = find(isSmaller);
  if (query.goal == ScheduleQuery::SmallestPeak)
    return {smallest, ChoiceReason::Smallest};
  if (smallest.arenaBytes > query.capacity)
    return {smallest, ChoiceReason::NoneFits};
  // The untiled program is a measure even where it does not fit.
  double untiledCycles = 0;
  for (const Schedule &schedule : schedules)
    if (schedule.kind == ScheduleKind::None)
      untiledCycles = schedule.cycles;
  drop([&](const Schedule &s) { return s.arenaBytes > query.capacity; });
  bool isForCycles = query.goal == ScheduleQuery::Cycles;
  double fastest = find(isFaster).cycles;
  double limit =
      isForCycles ? cyclesSlack * fastest
                  : std::max(sizeSlack * fastest, untiledSlack * untiledCycles);
  drop([&](const Schedule &s) { return s.cycles > limit; });
  return {find(isSmaller),
          isForCycles ? ChoiceReason::Fastest : ChoiceReason::SmallestOfFast};
}

} // namespace

const char *tinyformer::getName(ScheduleKind kind) {
  return std::find_if(std::begin(names), std::end(names),
                      [&](const auto &entry) { return entry.first == kind; })
      ->second;
}

std::optional<ScheduleKind>
tinyformer::findScheduleKind(const std::string &name) {
  for (auto [kind, text] : names)
    if (name == text)
      return kind;
  return std::nullopt;
}

Schedule tinyformer::estimateSchedule(const AttentionShape &shape,
                                      ScheduleKind kind, int64_t rows,
                                      const std::string &core) {
  return {kind, rows, getArenaBytes(shape, kind, rows),
          getCycles(shape, kind, rows, core)};
}

const char *tinyformer::getName(ChoiceReason reason) {
  switch (reason) {
  case ChoiceReason::Fastest:
    return "fastest";
  case ChoiceReason::SmallestOfFast:
    return "smallest-of-fast";
  case ChoiceReason::Smallest:
    return "smallest";
  case ChoiceReason::NoneFits:
    return "none-fits";
  case ChoiceReason::Only:
    return "only";
  }
  return "";
}

Choice tinyformer::chooseSchedule(const AttentionShape &shape,
                                  const ScheduleQuery &query) {
  std::vector<Schedule> all = enumerate(shape, query);
  auto [best, reason] = findBest(all, query);
  return {best, all.size() == 1 ? ChoiceReason::Only : reason, std::move(all)};
}
