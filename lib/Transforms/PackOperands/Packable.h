// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops have a form on panels, and with which numbers.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKABLE_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKABLE_H

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Transforms/Panels.h"

#include "mlir/IR/PatternMatch.h"

namespace mlir::tinyattn {

/// The target multiplies two pairs of 16 bits at a time.
bool hasPanelKernels(TargetAttr target);
/// The target has dot products of words of four bytes.
bool hasWordKernels(TargetAttr target);
/// What the values of one head may take: half of the largest memory for arenas,
/// since keys take half of that again, and a tile needs room.
int64_t getRoomForValues(TargetAttr target);
/// Several cores read rows of so many bytes, all of which would begin in one of
/// 16 memory banks.
bool shouldMoveRows(TargetAttr target, int64_t width);

/// A range of one dimension of a constant; the others are whole.
struct ConstantSlice {
  Value constant;
  OpFoldResult offset;
  int64_t size;
};

/// `value` as a slice of a constant along `dimension`, if it is one.
std::optional<ConstantSlice> getConstantSlice(Value value, unsigned dimension);

/// The weights of an op that can be packed, with the constants' own numbers.
struct PackableLinear {
  tinyformer::LinearWeights getWeights() const;

  ConstantSlice weight;
  Value biasConstant, multipliersConstant; // Null without requantisation.
  SmallVector<int8_t> weights;
  SmallVector<int32_t> bias, multipliers, offsets;
  int64_t channels, depth;
  int32_t shift = 0;
};

/// A layer of these operands whose weights, bias and multipliers are constants,
/// or parts of constants that are cut at multiples of the part's width.
std::optional<PackableLinear>
readLinear(Value weight, Value bias, Value multipliers, RequantAttr requant);
/// The same for a part of the depth of a constant, without requantisation.
std::optional<PackableLinear> readLinear(LinearAccumulateOp op);
/// Reads the constant addends beside the multipliers of `op`, if it has any.
LogicalResult readOffsets(Value offsets, PackableLinear &linear);
/// The layer of the patches of `op`, its weights in the order of the runs of
/// `pack_patches`, each filled with 0 up to a multiple of `alignment`.
std::optional<PackableLinear> readLinear(ConvOp op, int64_t alignment);

/// `linear` of these operands. Channels of constants that are cut at multiples
/// of an even width, if at all, and requantisation by the upper half of a
/// product.
std::optional<PackableLinear>
getPackable(Value weight, Value bias, Value multipliers, RequantAttr requant);
std::optional<PackableLinear> getPackable(LinearOp op);
/// Runs of an even length.
std::optional<PackableLinear> getPackable(ConvOp op);
/// A part of the depth of a constant.
std::optional<PackableLinear> getPackable(LinearAccumulateOp op);

/// Scores, or contexts, whose sums have multipliers of one for each head.
bool isPackableScores(Value multipliers, RequantAttr requant);
bool isPackableContext(Value multipliers, RequantAttr requant);

/// Attention between its projections, on some rows. `key` and `value` are null
/// where the keys are the input of the layer, and the values the transposed
/// one.
struct PackableAttention {
  LinearOp query, key, value;
  MatmulOp scores;
  SoftmaxOp softmax;
  MatmulOp context;
};

/// The attention that `softmax` belongs to, if every op of it can be packed,
/// seen alone.
std::optional<PackableAttention> getPackableAttention(SoftmaxOp softmax,
                                                      TargetAttr target);

/// `index` / `divisor`, without a division at run time, if there is no rest.
std::optional<OpFoldResult> divideExactly(OpBuilder &b, OpFoldResult index,
                                          int64_t divisor);

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKABLE_H
