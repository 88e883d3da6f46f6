// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each schedule costs: cycles by the cost model, beside its bytes.

#include "ScheduleEstimates.h"

#include "TinyFormer/CostModel/CostModel.h"

using namespace tinyformer;
using namespace mlir::tinyattn;

namespace {

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
  if (s.fusedWeights)
    return 0;
  return estimateLinear(core, s.tokens, heads * s.headWidth, s.width) +
         estimateLinear(core, s.tokens, heads * s.valueWidth, s.width);
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
  case ScheduleKind::HalvesAccumulate:
  case ScheduleKind::QuartersAccumulate:
    return s.heads * (perHead + piece);
  case ScheduleKind::RowsContext:
    return s.heads * (getKeyValueCycles(s, 1, core) + perHead) + projection;
  case ScheduleKind::RowsAccumulate:
    return s.heads * (getKeyValueCycles(s, 1, core) + perHead + piece);
  }
  return 0;
}

/// Cycles of what is not part of a tile, for one block of rows.
double getBlockCycles(const AttentionShape &s, ScheduleKind kind,
                      const std::string &core) {
  switch (kind) {
  case ScheduleKind::None:
  case ScheduleKind::RowsAll:
    return getKeyValueCycles(s, s.heads, core);
  case ScheduleKind::HeadsContext:
    return s.heads * getKeyValueCycles(s, 1, core) +
           estimateLinear(core, s.queries, s.outputWidth,
                          s.heads * s.valueWidth);
  case ScheduleKind::HeadsAccumulate:
  case ScheduleKind::HalvesAccumulate:
  case ScheduleKind::QuartersAccumulate:
    return s.heads * getKeyValueCycles(s, 1, core);
  case ScheduleKind::RowsContext:
  case ScheduleKind::RowsAccumulate:
    return 0;
  }
  return 0;
}

bool accumulates(ScheduleKind kind) {
  return kind == ScheduleKind::HeadsAccumulate ||
         kind == ScheduleKind::RowsAccumulate ||
         kind == ScheduleKind::HalvesAccumulate ||
         kind == ScheduleKind::QuartersAccumulate;
}

/// Steps that cores share one after the other: queries, scores, exponentials
/// and contexts of a tile, its projection, and keys and values.
int64_t countSteps(const AttentionShape &s, ScheduleKind kind, int64_t rows) {
  int64_t block = getBlockRows(kind, s.queries);
  int64_t blocks = (s.queries + block - 1) / block;
  int64_t tiles = (s.queries + rows - 1) / rows;
  int64_t projections = s.fusedWeights ? 0 : 2;
  switch (kind) {
  case ScheduleKind::None:
  case ScheduleKind::RowsAll:
    return projections + 5 * tiles;
  case ScheduleKind::HeadsContext:
    return s.heads * (projections + 4 * tiles) + 1;
  case ScheduleKind::HeadsAccumulate:
  case ScheduleKind::HalvesAccumulate:
  case ScheduleKind::QuartersAccumulate:
    return s.heads * (blocks * projections + 5 * tiles);
  case ScheduleKind::RowsContext:
  case ScheduleKind::RowsAccumulate:
    return tiles * (s.heads * (projections + 5) + 1);
  }
  return 0;
}

/// What is computed on all cores, and what they wait for the last one at the
/// end of each step.
double shareCycles(const AttentionShape &s, ScheduleKind kind, int64_t rows,
                   double cycles) {
  constexpr double waitCyclesPerCore = 200;
  if (s.cores == 1)
    return cycles;
  return cycles / s.cores +
         waitCyclesPerCore * s.cores * countSteps(s, kind, rows);
}

double getCycles(const AttentionShape &s, ScheduleKind kind, int64_t rows,
                 const std::string &core) {
  double cycles =
      accumulates(kind) ? estimateSums(core, s.queries * s.outputWidth) : 0;
  if (s.fusedWeights)
    cycles += estimateTranspose(core, s.tokens * s.width);
  forParts(s.queries, getBlockRows(kind, s.queries), [&](int64_t block) {
    cycles += getBlockCycles(s, kind, core);
    cycles += (block / rows) * getTileCycles(s, kind, rows, core);
    if (int64_t rest = block % rows)
      cycles += getTileCycles(s, kind, rest, core);
  });
  return shareCycles(s, kind, rows, cycles);
}

} // namespace

int64_t tinyformer::getBlockRows(ScheduleKind kind, int64_t queries) {
  int64_t blocks = kind == ScheduleKind::HalvesAccumulate     ? 2
                   : kind == ScheduleKind::QuartersAccumulate ? 4
                                                              : 1;
  int64_t rows = (queries + blocks - 1) / blocks;
  return std::min(queries, (rows + 1) / 2 * 2);
}

Schedule tinyformer::estimateSchedule(const AttentionShape &shape,
                                      ScheduleKind kind, int64_t rows,
                                      const std::string &core) {
  return {kind, rows, getArenaBytes(shape, kind, rows),
          getCycles(shape, kind, rows, core)};
}

double tinyformer::estimateUntiledCycles(AttentionShape shape,
                                         const std::string &core) {
  double cycles = getCycles(shape, ScheduleKind::None, shape.queries, core);
  if (!shape.fusedWeights)
    return cycles;
  shape.fusedWeights = false;
  shape.headWidth = shape.valueWidth;
  return std::max(cycles,
                  getCycles(shape, ScheduleKind::None, shape.queries, core));
}
