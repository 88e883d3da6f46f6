// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All kinds of schedules with all numbers of rows: there are few enough.

#include "TinyFormer/Transforms/AttentionSchedule.h"

#include "TinyFormer/CostModel/CostModel.h"

#include <algorithm>
#include <tuple>

using namespace tinyformer;
using mlir::tinyattn::getEstimateError;

namespace {

/// How much slower a smaller schedule may be than the fastest, or than the
/// untiled program, be its weights fused or not.
constexpr double sizeSlack = 1.04, untiledSlack = 1.05;
/// What computing keys and values again may cost before rows rather stream.
constexpr double fitSlack = 2;

const std::pair<ScheduleKind, const char *> names[] = {
    {ScheduleKind::None, "none"},
    {ScheduleKind::HeadsContext, "heads-context"},
    {ScheduleKind::HeadsAccumulate, "heads-accumulate"},
    {ScheduleKind::RowsAll, "rows-all"},
    {ScheduleKind::RowsContext, "rows-context"},
    {ScheduleKind::RowsAccumulate, "rows-accumulate"},
    {ScheduleKind::HalvesAccumulate, "halves-accumulate"},
    {ScheduleKind::QuartersAccumulate, "quarters-accumulate"},
};

std::vector<Schedule> enumerate(const AttentionShape &shape,
                                const ScheduleQuery &query) {
  std::vector<Schedule> schedules;
  for (auto [kind, name] : names) {
    bool isTiled = kind != ScheduleKind::None;
    if (query.kind ? kind != *query.kind : query.rows && !isTiled)
      continue;
    int64_t all = getBlockRows(kind, shape.queries);
    int64_t first = isTiled ? std::min(query.rows.value_or(1), all) : all;
    int64_t last = isTiled ? std::min(query.rows.value_or(all), all) : all;
    for (int64_t rows = first; rows <= last; ++rows) {
      // Panels are made of pairs of rows.
      bool isHalfEmpty = shape.packing.attention && rows % 2 != 0;
      if (isHalfEmpty && rows != all && !query.rows)
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

/// The untiled program where it streams from another memory, if that beats
/// what fits and computes keys and values again. Rows in loops do not stream.
std::optional<Schedule> findStreamed(const std::vector<Schedule> &schedules,
                                     const ScheduleQuery &query) {
  auto isUntiled = [](const Schedule &s) {
    return s.kind == ScheduleKind::None;
  };
  auto untiled = std::find_if(schedules.begin(), schedules.end(), isUntiled);
  if (untiled == schedules.end() || untiled->arenaBytes > query.farCapacity)
    return std::nullopt;
  auto isBetter = [&](const Schedule &s) {
    return s.arenaBytes <= query.capacity &&
           s.cycles <= fitSlack * untiled->cycles;
  };
  if (std::any_of(schedules.begin(), schedules.end(), isBetter))
    return std::nullopt;
  return *untiled;
}

/// The best of `schedules`, and why.
std::pair<Schedule, ChoiceReason> findBest(std::vector<Schedule> schedules,
                                           const ScheduleQuery &query,
                                           double untiledCycles) {
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
  if (std::optional<Schedule> streamed = findStreamed(schedules, query))
    return {*streamed, ChoiceReason::Spills};
  if (smallest.arenaBytes > query.capacity)
    return {smallest, ChoiceReason::NoneFits};
  drop([&](const Schedule &s) { return s.arenaBytes > query.capacity; });
  bool isForCycles = query.goal == ScheduleQuery::Cycles;
  double fastest = find(isFaster).cycles;
  double limit =
      isForCycles ? (1 + getEstimateError(query.core)) * fastest
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
  case ChoiceReason::Spills:
    return "spills";
  case ChoiceReason::Only:
    return "only";
  }
  return "";
}

Choice tinyformer::chooseSchedule(const AttentionShape &shape,
                                  const ScheduleQuery &query) {
  std::vector<Schedule> all = enumerate(shape, query);
  auto [best, reason] =
      findBest(all, query, estimateUntiledCycles(shape, query.core));
  return {best, all.size() == 1 ? ChoiceReason::Only : reason, std::move(all)};
}
