// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All kinds of schedules with all numbers of rows: there are few enough.

#include "TinyFormer/Transforms/AttentionSchedule.h"

#include "TinyFormer/CostModel/CostModel.h"

#include <algorithm>
#include <tuple>

using namespace tinyformer;
using namespace mlir::tinyattn;

namespace {

/// How much slower than the fastest a smaller schedule may be.
constexpr double sizeSlack = 1.04;

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

/// Bytes of the buffers of some heads.
struct Sizes {
  Sizes(const AttentionShape &s, int64_t heads, int64_t rows)
      : keys(s.fusedWeights ? 0 : buffer(heads * s.tokens * s.headWidth)),
        values(buffer(heads * s.tokens * s.valueWidth)),
        queries(buffer(heads * rows * s.headWidth)),
        scores(buffer(heads * rows * s.tokens)), sums(buffer(4 * heads * rows)),
        context(buffer(heads * rows * s.valueWidth)) {}

  /// The largest sum while keys and values are there as a whole.
  uint64_t getTilePeak() const {
    return std::max(queries + scores, scores + sums + context);
  }

  uint64_t keys, values, queries, scores, sums, context;
};

uint64_t getArenaBytes(const AttentionShape &s, ScheduleKind kind,
                       int64_t rows) {
  Sizes head(s, 1, rows), all(s, s.heads, rows);
  uint64_t wholeContext = buffer(s.tokens * s.heads * s.valueWidth);
  uint64_t wholeSums = buffer(4 * s.tokens * s.outputWidth);
  // Keys are dead before values are computed. But where no loop is left, the
  // tile and the rest share them (common subexpressions), so that they stay.
  bool shared = s.heads == 1 && s.tokens / rows == 1 && s.tokens % rows != 0;
  uint64_t headPeak =
      shared ? head.keys + head.values + head.getTilePeak()
             : std::max(head.keys + head.queries + head.scores,
                        head.values + head.scores + head.sums + head.context);
  switch (kind) {
  case ScheduleKind::None:
    // Here the exponentials are not in the place of the scores.
    return std::max({all.queries + all.keys + all.values + all.scores,
                     all.values + 2 * all.scores + all.sums,
                     all.values + all.scores + all.sums + all.context});
  case ScheduleKind::HeadsContext:
    return wholeContext + head.keys + head.values +
           std::max(head.queries + head.scores, head.scores + head.sums);
  case ScheduleKind::HeadsAccumulate:
    return wholeSums + head.keys + head.values + head.getTilePeak();
  case ScheduleKind::RowsAll:
    return all.keys + all.values + all.getTilePeak();
  case ScheduleKind::RowsContext:
    if (shared)
      return headPeak;
    return all.context + std::max(head.keys + head.queries + head.scores,
                                  head.values + head.scores + head.sums);
  case ScheduleKind::RowsAccumulate:
    return buffer(4 * rows * s.outputWidth) + headPeak;
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
  double piece = estimateLinear(core, rows, s.outputWidth, s.valueWidth);
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
    for (int64_t rows = first; rows <= last; ++rows)
      schedules.push_back(estimateSchedule(shape, kind, rows, query.core));
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
  drop([&](const Schedule &s) { return s.arenaBytes > query.capacity; });
  Schedule fastest = find(isFaster);
  if (query.goal == ScheduleQuery::Cycles)
    return {fastest, ChoiceReason::Fastest};
  drop(
      [&](const Schedule &s) { return s.cycles > sizeSlack * fastest.cycles; });
  return {find(isSmaller), ChoiceReason::SmallestOfFast};
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
