// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words of panels in plain loops: the unit is a pair of rows by a pair of
// columns.

#ifndef TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_PANELBUILDER_H
#define TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_PANELBUILDER_H

#include "LoopBuilder.h"

namespace mlir::tinyattn {

/// Both halves of something, the one of the smaller index first.
using Pair = std::array<Value, 2>;
/// Row by row: element [r][c] is that of row r and column c.
using Tile = std::array<Pair, 2>;

class PanelBuilder : public LoopBuilder {
public:
  using LoopBuilder::LoopBuilder;

  //===--------------------------------------------------------------------===//
  // Words
  //===--------------------------------------------------------------------===//

  /// The halves of a word, as signed numbers.
  Pair split(Value word) {
    return {shiftRight(shiftLeft(word, 16), 16), shiftRight(word, 16)};
  }

  /// The word of two halves, of which the low 16 bits count.
  Value join(Value low, Value high) {
    return orBits(andBits(low, i32(0xffff)), shiftLeft(high, 16));
  }

  /// 256·b + a + 128, the half of two activations.
  Value joinActivations(Value a, Value b) {
    return add(add(shiftLeft(b, 8), a), i32(128));
  }

  /// Both columns of a half.
  Pair splitActivations(Value half) {
    Value low = sub(andBits(half, i32(255)), i32(128));
    return {low, shiftRight(half, 8)};
  }
  Pair splitWeights(Value half) {
    Value low = shiftRight(shiftLeft(half, 24), 24);
    return {low, shiftRight(sub(half, low), 8)};
  }

  Value shiftLeft(Value value, int64_t bits) {
    return arith::ShLIOp::create(*this, value, i32(bits));
  }
  Value shiftRight(Value value, int64_t bits) {
    return arith::ShRSIOp::create(*this, value, i32(bits));
  }
  Value andBits(Value a, Value b) { return arith::AndIOp::create(*this, a, b); }
  Value orBits(Value a, Value b) { return arith::OrIOp::create(*this, a, b); }

  //===--------------------------------------------------------------------===//
  // Indices
  //===--------------------------------------------------------------------===//

  /// 2·pair + which.
  Value member(Value pair, int64_t which) {
    Value first = mul(pair, index(2));
    return which == 0 ? first : add(first, index(which));
  }

  /// The same, but the last pair of an odd number repeats its first member.
  Value member(Value pair, int64_t which, int64_t size) {
    Value position = member(pair, which);
    if (which == 0 || size % 2 == 0)
      return position;
    return arith::MinSIOp::create(*this, position, index(size - 1));
  }

  /// What `read` finds at 2·pair + which, 0 beyond the end.
  Value readOrZero(Value pair, int64_t which, int64_t size,
                   llvm::function_ref<Value(Value)> read) {
    Value value = read(member(pair, which, size));
    if (which == 0 || size % 2 == 0)
      return value;
    Value isInside =
        compare(arith::CmpIPredicate::slt, member(pair, which), index(size));
    return select(isInside, value, i32(0));
  }

  //===--------------------------------------------------------------------===//
  // Panels
  //===--------------------------------------------------------------------===//

  /// The columns of a step of a right panel: [which half][which column].
  Tile loadRight(Value panel, ValueRange position, PanelForm form,
                 bool isWeight) {
    if (form == PanelForm::Separate) {
      Pair first = split(loadWord(panel, position, 0, isWeight));
      Pair second = split(loadWord(panel, position, 1, isWeight));
      return {Pair{first[0], second[0]}, Pair{first[1], second[1]}};
    }
    Pair halves = split(load(panel, position));
    if (isWeight)
      return {splitWeights(halves[0]), splitWeights(halves[1])};
    return {splitActivations(halves[0]), splitActivations(halves[1])};
  }

  /// The halves of activations `a` and `b`, the columns, as a right panel.
  void storeRight(Pair a, Pair b, Value panel, ValueRange position,
                  PanelForm form) {
    if (form == PanelForm::Joint)
      return store(
          join(joinActivations(a[0], b[0]), joinActivations(a[1], b[1])), panel,
          position);
    storeWord(a, panel, position, 0);
    storeWord(b, panel, position, 1);
  }

  /// A word of a panel whose last dimension is `which`.
  void storeWord(Pair halves, Value panel, ValueRange position, int64_t which) {
    SmallVector<Value, 4> indices(position);
    indices.push_back(index(which));
    store(join(halves[0], halves[1]), panel, indices);
  }

  /// Sums of the products of two rows and two columns over `steps` words, on
  /// top of `inits`.
  Tile multiply(int64_t steps, Tile inits,
                llvm::function_ref<Value(Value step, int64_t row)> loadLeft,
                llvm::function_ref<Tile(Value step)> loadColumns) {
    Scalars sums =
        reduce(steps, {inits[0][0], inits[0][1], inits[1][0], inits[1][1]},
               [&](Value step, ValueRange sums) {
                 Tile columns = loadColumns(step);
                 Scalars next;
                 for (int64_t row : {0, 1}) {
                   Pair left = split(loadLeft(step, row));
                   for (int64_t column : {0, 1}) {
                     Value sum = sums[2 * row + column];
                     sum = multiplyAdd(sum, left[0], columns[0][column]);
                     sum = multiplyAdd(sum, left[1], columns[1][column]);
                     next.push_back(sum);
                   }
                 }
                 return next;
               });
    return {Pair{sums[0], sums[1]}, Pair{sums[2], sums[3]}};
  }

  Tile zeros() {
    Value zero = i32(0);
    return {Pair{zero, zero}, Pair{zero, zero}};
  }

  /// clamp((acc·multiplier + 2^31) >> 32 + z), the multiplier with all shifts
  /// in it.
  Value requantizeUpper(Value acc, Value multiplier, RequantAttr requant) {
    Value product = mul(widen(acc), widen(multiplier));
    return roundAndClamp(
        product, RequantAttr::get(getContext(), /*multiplier=*/0, /*shift=*/32,
                                  requant.getZeroPoint(), /*wide=*/true));
  }

private:
  /// The words of a step of weights are side by side, others have a dimension.
  Value loadWord(Value panel, ValueRange position, int64_t which,
                 bool isWeight) {
    SmallVector<Value, 4> indices(position);
    if (isWeight)
      indices.back() = add(indices.back(), index(which));
    else
      indices.push_back(index(which));
    return load(panel, indices);
  }
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_CONVERSION_TINYATTNTOLOOPS_PANELBUILDER_H
