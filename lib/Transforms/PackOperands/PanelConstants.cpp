// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PanelConstants.h"

#include "TinyFormer/Support/Constants.h"

using namespace mlir;
using namespace mlir::tinyattn;

OpBuilder PanelConstants::atEntry() {
  return OpBuilder::atBlockBegin(&function.getFunctionBody().front());
}

PanelConstants::Panel PanelConstants::getWeights(BlockBuilder &b,
                                                 const PackableLinear &linear,
                                                 bool interleaved) {
  bool inParts = !linear.multipliersConstant;
  const ConstantSlice &slice = linear.weight;
  Panel panel = getWhole(b.getLoc(), linear, inParts, interleaved);
  if (slice.size == (inParts ? linear.depth : linear.channels))
    return panel;
  // Parts of the depth have panels of their own, one after the other; parts of
  // the channels are parts of the panel.
  int64_t pairs = llvm::divideCeil(inParts ? linear.channels : slice.size, 2);
  OpFoldResult part = *divideExactly(b, slice.offset, slice.size);
  panel.value = b.slice(panel.value, 0, b.multiply(part, pairs), pairs);
  return panel;
}

PanelConstants::Panel &PanelConstants::getWhole(Location loc,
                                                const PackableLinear &linear,
                                                bool inParts,
                                                bool interleaved) {
  int64_t width = inParts ? linear.weight.size : linear.depth;
  Panel &panel =
      panels[{linear.weight.constant, linear.biasConstant,
              linear.multipliersConstant, width, linear.shift, interleaved}];
  if (panel.value)
    return panel;
  tinyformer::LinearWeights weights = linear.getWeights();
  weights.interleaved = interleaved;
  bool joint = inParts ? tinyformer::isJointExactInParts(weights, width)
                       : tinyformer::isJointExact(weights);
  std::vector<int32_t> words =
      inParts ? tinyformer::packParts(weights, width, joint)
              : tinyformer::packLinear(weights, joint);
  int64_t rows = llvm::divideCeil(linear.channels, 2) * (linear.depth / width);
  OpBuilder b = atEntry();
  panel = {createConstant<int32_t>(
               b, loc, words, {rows, int64_t(words.size()) / rows}, "panel"),
           joint ? PanelForm::Joint : PanelForm::Separate};
  return panel;
}

Value PanelConstants::getRotated(Location loc, Value table) {
  SmallVector<int8_t> entries = *getConstant<int8_t>(table);
  std::rotate(entries.begin(), entries.begin() + 128, entries.end());
  OpBuilder b = atEntry();
  return createConstant<int8_t>(b, loc, entries, {int64_t(entries.size())},
                                "table");
}

Value PanelConstants::getReversed(Location loc, Value table) {
  Value &reversed = tables[table];
  if (reversed)
    return reversed;
  SmallVector<int8_t> entries = *getConstant<int8_t>(table);
  std::reverse(entries.begin(), entries.end());
  OpBuilder b = atEntry();
  reversed =
      createConstant<int8_t>(b, loc, entries, {int64_t(entries.size())}, "exp");
  return reversed;
}
