// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for the best depth-first schedule of an attention layer. Free of
// MLIR types; the pass `tinyattn-depth-first-tile` describes the schedules.

#ifndef TINYFORMER_TRANSFORMS_ATTENTIONSCHEDULE_H
#define TINYFORMER_TRANSFORMS_ATTENTIONSCHEDULE_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tinyformer {

/// Which operands `tinyattn-pack-operands` makes panels of, in which form: all
/// of attention from the input to the context, and the context.
struct AttentionPacking {
  bool attention = false, output = false;
  bool jointKeys = false, jointValues = false;
  /// What products read starts at whole words, as `tinyattn-pack-words` does.
  bool words = false;
  /// The input is copied into rows that do not all begin in one memory bank.
  bool copiesInput = false;
};

/// One attention layer. With fused weights the keys are the input. There are as
/// many rows of the output as of the queries, and keys for each token.
struct AttentionShape {
  int64_t tokens, width, headWidth, valueWidth, heads, outputWidth;
  int64_t queries = tokens;
  bool fusedWeights = false;
  AttentionPacking packing = {};
  /// Cores that share each step.
  int64_t cores = 1;
};

enum class ScheduleKind {
  None,
  HeadsContext,
  HeadsAccumulate,
  RowsAll,
  RowsContext,
  RowsAccumulate,
  HalvesAccumulate,
  QuartersAccumulate,
};

struct Schedule {
  ScheduleKind kind = ScheduleKind::None;
  /// Of one tile; all queries where nothing is tiled.
  int64_t rows = 0;
  /// Without the layer's input and output.
  uint64_t arenaBytes = 0;
  double cycles = 0;
};

/// Rows for which keys and values of a head are computed again: all of them,
/// but for the kinds that go through a half or a quarter of them at a time.
/// Pairs of rows are not split.
int64_t getBlockRows(ScheduleKind kind, int64_t queries);

/// The name of a kind, and the kind of a name.
const char *getName(ScheduleKind kind);
std::optional<ScheduleKind> findScheduleKind(const std::string &name);

/// The schedule with its estimates, for a core that the cost model knows.
Schedule estimateSchedule(const AttentionShape &shape, ScheduleKind kind,
                          int64_t rows, const std::string &core);

/// Cycles of the untiled program, a measure even where it does not fit. With
/// fused weights, of the slower one of the fused and the plain program: what
/// was gained may be spent.
double estimateUntiledCycles(AttentionShape shape, const std::string &core);

/// What to choose from, and how.
struct ScheduleQuery {
  std::string core;
  /// What the arena may hold for this layer.
  uint64_t capacity = UINT64_MAX;
  /// What another memory holds, from where the rows of whole layers stream.
  uint64_t farCapacity = 0;
  /// A number of rows that is forced, and a kind that is forced.
  std::optional<int64_t> rows;
  std::optional<ScheduleKind> kind;
  enum Goal { Cycles, Size, SmallestPeak } goal = Cycles;
};

/// What made a schedule the best one.
enum class ChoiceReason {
  /// The fastest that fits, or a smaller one that is as fast by the estimates.
  Fastest,
  /// The smallest of those that are hardly slower than the fastest that fits.
  SmallestOfFast,
  /// The smallest peak was asked for.
  Smallest,
  /// No schedule fits: the smallest.
  NoneFits,
  /// Nothing that fits is half as fast as the untiled program, which streams.
  Spills,
  /// There was one schedule to choose from.
  Only,
};

struct Choice {
  Schedule schedule;
  ChoiceReason reason;
  /// All schedules that there were to choose from, by kind and rows.
  std::vector<Schedule> considered;
};

/// As the function's attribute spells it.
const char *getName(ChoiceReason reason);

/// The best schedule; equal ones in the order of kinds and rows.
Choice chooseSchedule(const AttentionShape &shape, const ScheduleQuery &query);

} // namespace tinyformer

#endif // TINYFORMER_TRANSFORMS_ATTENTIONSCHEDULE_H
