// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackingPlan.h"

using namespace mlir;
using namespace mlir::tinyattn;

static int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

/// Forms, while they are found out: separate if one reader needs that.
static PanelForm join(std::optional<PanelForm> form, bool joint) {
  bool isJoint = joint && form != PanelForm::Separate;
  return isJoint ? PanelForm::Joint : PanelForm::Separate;
}

static std::optional<PanelForm>
getForm(const llvm::DenseMap<Value, PanelForm> &forms, Value value) {
  auto it = forms.find(value);
  return it == forms.end() ? std::nullopt : std::optional(it->second);
}

/// Keys and values are packed for all of their readers or for none.
static void dropSharers(SmallVector<PackableAttention> &all) {
  auto isAttention = [&](Operation *user) {
    return llvm::any_of(all, [&](const PackableAttention &parts) {
      return user == parts.scores || user == parts.context;
    });
  };
  size_t size;
  do {
    size = all.size();
    SmallVector<PackableAttention> kept;
    for (PackableAttention &parts : all)
      if ((!parts.key || llvm::all_of(parts.key->getUsers(), isAttention)) &&
          (!parts.value || llvm::all_of(parts.value->getUsers(), isAttention)))
        kept.push_back(parts);
    all = std::move(kept);
  } while (all.size() != size);
}

PackingPlan::PackingPlan(func::FuncOp function) {
  auto target =
      function->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTarget);
  SmallVector<PackableAttention> all;
  function.walk([&](SoftmaxOp op) {
    if (std::optional<PackableAttention> parts =
            getPackableAttention(op, target))
      all.push_back(*parts);
  });
  dropSharers(all);
  for (PackableAttention &parts : all) {
    for (Operation *op :
         {parts.scores.getOperation(), parts.softmax.getOperation(),
          parts.context.getOperation()})
      attention[op] = parts;
    decide(parts);
  }
  function.walk([&](Operation *op) {
    std::optional<PackableLinear> linear;
    if (auto accumulate = dyn_cast<LinearAccumulateOp>(op))
      linear = getPackable(accumulate);
    else if (auto plain = dyn_cast<LinearOp>(op))
      if (!plain.getHeads() || results.contains(op))
        linear = getPackable(plain);
    if (linear)
      linears.insert({op, *linear});
  });
}

void PackingPlan::decide(PackableAttention &parts) {
  Value query = parts.query.getResult(0);
  int64_t rows = getDim(query, 1),
          tokens = getDim(parts.scores.getResult(0), 2);
  int64_t width = getDim(query, 0) * getDim(query, 2);
  bool isSmall = tinyformer::getComputeRows(rows, width) == rows;
  results[parts.query] = {isSmall ? PanelLayout::Left : PanelLayout::Rows, {}};

  decide(parts.key, parts.scores.getRhs(), PanelLayout::Keys,
         tinyformer::shouldJoinKeys(getDim(query, 2),
                                    parts.scores.getRequant()->getShift()));
  decide(parts.value, parts.context.getRhs(), PanelLayout::Values,
         tinyformer::shouldJoinValues(tokens,
                                      parts.context.getRequant()->getShift()));
}

/// Without a projection, the form of the panel of `operand`, the input.
void PackingPlan::decide(LinearOp projection, Value operand, PanelLayout layout,
                         bool joint) {
  if (projection)
    results[projection] = {layout, join(results[projection].form, joint)};
  else
    inputForms[operand] = join(getForm(inputForms, operand), joint);
}

bool PackingPlan::wantsLeft(MatmulOp context) const {
  Value result = context.getResult(0);
  int64_t rows = getDim(result, 0);
  return tinyformer::getComputeRows(rows, getDim(result, 1)) == rows &&
         llvm::all_of(result.getUses(), [&](OpOperand &use) {
           return linears.contains(use.getOwner()) &&
                  use.getOperandNumber() == 0;
         });
}
