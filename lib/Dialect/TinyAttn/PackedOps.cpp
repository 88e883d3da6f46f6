// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and side effects of the ops on panels.

#include "VerifierUtils.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tinyattn;

//===----------------------------------------------------------------------===//
// Side effects: reads its memref inputs, writes its memref destinations
//===----------------------------------------------------------------------===//

static void
addEffects(DestinationStyleOpInterface op, bool readsDestination,
           SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
               &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (!op.isDpsInit(&operand) || readsDestination)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

#define TINYATTN_PACKED_EFFECTS(OP, READS_DESTINATION)                         \
  void OP::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    addEffects(*this, READS_DESTINATION, effects);                             \
  }
TINYATTN_PACKED_EFFECTS(PackRowsOp, false)
TINYATTN_PACKED_EFFECTS(PadOp, false)
TINYATTN_PACKED_EFFECTS(PackPatchesOp, false)
TINYATTN_PACKED_EFFECTS(PackColumnsOp, false)
TINYATTN_PACKED_EFFECTS(PackedLinearOp, !getRequant())
TINYATTN_PACKED_EFFECTS(PackedScoresOp, false)
TINYATTN_PACKED_EFFECTS(PackedSoftmaxOp, false)
TINYATTN_PACKED_EFFECTS(NormalizedSoftmaxOp, false)
TINYATTN_PACKED_EFFECTS(PackedContextOp, false)
#undef TINYATTN_PACKED_EFFECTS

//===----------------------------------------------------------------------===//
// Checks shared by several ops
//===----------------------------------------------------------------------===//

static int64_t getDim(Value value, unsigned dimension) {
  return shaped(value).getDimSize(dimension);
}

/// Pairs of `size` things, the last of which may be half empty.
static int64_t getPairs(int64_t size) {
  return ShapedType::isDynamic(size) ? size : llvm::divideCeil(size, 2);
}

static int64_t multiply(int64_t size, int64_t factor) {
  return ShapedType::isDynamic(size) ? size : size * factor;
}

/// The shape of a right panel.
static SmallVector<int64_t> getRightShape(int64_t columnPairs, int64_t steps,
                                          PanelForm form) {
  if (form == PanelForm::Joint)
    return {columnPairs, steps};
  return {columnPairs, steps, 2};
}

static LogicalResult verifyRightRank(Operation *op, StringRef name, Value panel,
                                     PanelForm form) {
  return verifyRank(op, name, panel, form == PanelForm::Joint ? 2 : 3);
}

/// What the kernels take: 32-bit products whose upper half is the result.
static LogicalResult verifyPackedRequant(Operation *op, RequantAttr requant,
                                         PanelForm form) {
  if (requant.getMultiplier() != 0)
    return op->emitOpError()
           << "takes no multiplier in requant beside its own multipliers, got "
           << requant.getMultiplier();
  if (requant.getWide())
    return op->emitOpError() << "takes no wide requant";
  int64_t maxShift = form == PanelForm::Joint ? 24 : 30;
  if (requant.getShift() < 17 || requant.getShift() > maxShift)
    return op->emitOpError()
           << "expects a shift in [17, " << maxShift << "] in the "
           << stringifyPanelForm(form) << " form, got " << requant.getShift();
  return success();
}

static LogicalResult verifyDestination(Operation *op, StringRef name,
                                       Value destination, unsigned bits,
                                       ArrayRef<int64_t> shape) {
  if (failed(verifyElementType(op, name, destination,
                               IntegerType::get(op->getContext(), bits))))
    return failure();
  return verifyShape(op, name, destination, shape);
}

/// An i8 or i32 destination of plain rows, whose pairs of rows and of columns
/// are given.
static LogicalResult verifyRows(Operation *op, Value destination, unsigned bits,
                                int64_t rowPairs, int64_t columnPairs) {
  if (failed(verifyElementType(op, "destination", destination,
                               IntegerType::get(op->getContext(), bits))) ||
      failed(verifyRank(op, "destination", destination, 2)))
    return failure();
  auto verifyPairs = [&](StringRef what, int64_t size,
                         int64_t pairs) -> LogicalResult {
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(pairs) ||
        getPairs(size) == pairs)
      return success();
    return op->emitOpError()
           << "has " << pairs << " pairs of " << what
           << " in its panels, but a destination of " << size << " " << what;
  };
  if (failed(verifyPairs("rows", getDim(destination, 0), rowPairs)))
    return failure();
  return verifyPairs("columns", getDim(destination, 1), columnPairs);
}

static LogicalResult verifyColumns(Operation *op, int64_t columns) {
  constexpr int64_t maxColumns = int64_t(1) << 22;
  if (columns >= 1 && columns <= maxColumns)
    return success();
  return op->emitOpError() << "expects 1 to " << maxColumns << " columns, got "
                           << columns;
}

/// `size` words or pairs are those of a number of heads.
static LogicalResult verifyHeads(Operation *op, StringRef what, int64_t size,
                                 int64_t heads) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(heads) ||
      (heads >= 1 && size % heads == 0))
    return success();
  return op->emitOpError() << "cannot split " << size << " " << what << " into "
                           << heads << " heads";
}

//===----------------------------------------------------------------------===//
// pack_rows, pack_columns
//===----------------------------------------------------------------------===//

LogicalResult PackRowsOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)))
    return failure();
  return verifyDestination(
      *this, "destination", getInits().front(), 32,
      {getPairs(getDim(getInput(), 0)), getPairs(getDim(getInput(), 1)), 2});
}

LogicalResult PackColumnsOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 2)))
    return failure();
  return verifyDestination(*this, "destination", getInits().front(), 32,
                           getRightShape(getPairs(getDim(getInput(), 0)),
                                         getPairs(getDim(getInput(), 1)),
                                         getForm()));
}

//===----------------------------------------------------------------------===//
// pad, pack_patches
//===----------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)))
    return failure();
  Value frame = getInits().front();
  ArrayRef<int64_t> inner = shaped(getInput()).getShape();
  ArrayRef<int64_t> outer = shaped(frame).getShape(), low = getLow();
  if (failed(verifyElementType(*this, "destination", frame,
                               IntegerType::get(getContext(), 8))) ||
      failed(verifyRank(*this, "destination", frame, inner.size())))
    return failure();
  if (low.size() != inner.size())
    return emitOpError() << "expects " << inner.size()
                         << " numbers in low, got " << low.size();
  for (auto [dimension, before] : llvm::enumerate(low))
    if (before < 0 || before + inner[dimension] > outer[dimension])
      return emitOpError() << "puts " << inner[dimension] << " elements from "
                           << before << " on into " << outer[dimension]
                           << " of dimension " << dimension;
  return success();
}

int64_t PackPatchesOp::getRuns() {
  int64_t rows = getKernel()[0];
  return getChannelsFirst() ? getDim(getInput(), 0) * rows : rows;
}

int64_t PackPatchesOp::getRunLength() {
  int64_t columns = getKernel()[1];
  return getChannelsFirst() ? columns : columns * getDim(getInput(), 2);
}

int64_t PackPatchesOp::getPatches() {
  int64_t patches = 1;
  for (int64_t i : {0, 1})
    patches *=
        (getDim(getInput(), getChannelsFirst() ? i + 1 : i) - getKernel()[i]) /
            getStrides()[i] +
        1;
  return patches;
}

LogicalResult PackPatchesOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "input", getInput(), 3)))
    return failure();
  if (getKernel().size() != 2 || getStrides().size() != 2)
    return emitOpError("expects two numbers in kernel and in strides");
  for (int64_t i : {0, 1}) {
    int64_t size = getDim(getInput(), getChannelsFirst() ? i + 1 : i);
    if (getStrides()[i] < 1 || getKernel()[i] < 1 || getKernel()[i] > size)
      return emitOpError() << "has a kernel of " << getKernel()[i]
                           << " and a stride of " << getStrides()[i] << " on "
                           << size << " elements of dimension " << i;
  }
  if (getCount() < 1 || getCount() > int64_t(getPatches()))
    return emitOpError() << "packs " << getCount() << " of " << getPatches()
                         << " patches";
  Value destination = getInits().front();
  int64_t count = getCount(), runs = getRuns(), length = getRunLength();
  if (shaped(destination).getElementType().isInteger(8))
    return verifyDestination(*this, "destination", destination, 8,
                             {count, runs * length});
  return verifyDestination(*this, "destination", destination, 32,
                           {getPairs(count), runs * getPairs(length), 2});
}

//===----------------------------------------------------------------------===//
// packed_linear
//===----------------------------------------------------------------------===//

/// Rows tell their number, panels tell that of pairs.
template <typename Op> static LogicalResult verifyOddRows(Op op) {
  if (op.getOddRows() && op.getLayout() == PanelLayout::Rows)
    return op.emitOpError() << "has odd_rows, which is for panels, with the "
                               "layout 'rows'";
  return success();
}

/// What `layout` takes and makes.
static LogicalResult verifyLayout(PackedLinearOp op, int64_t rowPairs,
                                  int64_t channelPairs) {
  Value destination = op.getInits().front();
  PanelLayout layout = op.getLayout();
  bool isRight = layout == PanelLayout::Keys || layout == PanelLayout::Values;
  if (failed(verifyPresence(
          op, "result_form", op.getResultForm().has_value(), isRight,
          isRight ? "for keys and values" : "but for keys and values")))
    return failure();
  switch (layout) {
  case PanelLayout::Rows:
    return verifyRows(op, destination, op.getRequant() ? 8 : 32, rowPairs,
                      channelPairs);
  case PanelLayout::Left:
    return verifyDestination(op, "destination", destination, 32,
                             {rowPairs, channelPairs, 2});
  case PanelLayout::Keys:
    return verifyDestination(
        op, "destination", destination, 32,
        getRightShape(rowPairs, channelPairs, *op.getResultForm()));
  case PanelLayout::Values:
    return verifyDestination(
        op, "destination", destination, 32,
        getRightShape(channelPairs, rowPairs, *op.getResultForm()));
  }
  llvm_unreachable("all layouts are handled");
}

LogicalResult PackedLinearOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyRank(*this, "left", getLeft(), 3)) ||
      failed(verifyRank(*this, "weight", getWeight(), 2)))
    return failure();
  int64_t rowPairs = getDim(getLeft(), 0), steps = getDim(getLeft(), 1);
  int64_t channelPairs = getDim(getWeight(), 0);
  int64_t words = multiply(steps, getForm() == PanelForm::Joint ? 1 : 2);
  if (getRequant() && !ShapedType::isDynamic(words))
    words += 4;
  if (failed(verifyShape(*this, "left", getLeft(), {rowPairs, steps, 2})) ||
      failed(verifyShape(*this, "weight", getWeight(), {channelPairs, words})))
    return failure();
  if (!getRequant() && getLayout() != PanelLayout::Rows)
    return emitOpError() << "needs requant for the layout '"
                         << stringifyPanelLayout(getLayout()) << "'";
  if (getRequant() &&
      failed(verifyPackedRequant(*this, *getRequant(), getForm())))
    return failure();
  if (failed(verifyOddRows(*this)))
    return failure();
  return verifyLayout(*this, rowPairs, channelPairs);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

LogicalResult PackedScoresOp::verify() {
  Value scores = getInits().front();
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyColumns(*this, getColumns())) ||
      failed(verifyPackedRequant(*this, getRequant(), getForm())) ||
      failed(verifyRank(*this, "queries", getQueries(), 3)) ||
      failed(verifyRightRank(*this, "keys", getKeys(), getForm())) ||
      failed(verifyRank(*this, "multipliers", getMultipliers(), 1)) ||
      failed(verifyRank(*this, "destination", scores, 3)))
    return failure();
  int64_t heads = getDim(getMultipliers(), 0), rows = getDim(scores, 1);
  int64_t steps = getDim(getQueries(), 1);
  if (failed(verifyHeads(*this, "words of a query", steps, heads)) ||
      failed(verifyShape(*this, "queries", getQueries(),
                         {getPairs(rows), steps, 2})))
    return failure();
  // All heads, or one that they share.
  int64_t keySteps = getDim(getKeys(), 1);
  if (keySteps != steps && !ShapedType::isDynamic(steps))
    keySteps = steps / heads;
  if (failed(verifyShape(
          *this, "keys", getKeys(),
          getRightShape(getPairs(getColumns()), keySteps, getForm()))))
    return failure();
  return verifyDestination(
      *this, "destination", scores, 8,
      {heads, rows, int64_t(llvm::alignTo(getColumns(), 4))});
}

LogicalResult PackedSoftmaxOp::verify() {
  if (getInits().size() != 2)
    return emitOpError() << "expects 2 destinations, got " << getInits().size();
  if (failed(verifyDestinations(*this, 2, 2)) ||
      failed(verifyColumns(*this, getColumns())) ||
      failed(verifyRank(*this, "input", getInput(), 3)) ||
      failed(verifyShape(*this, "table", getTable(), {256})))
    return failure();
  int64_t heads = getDim(getInput(), 0),
          pairs = getPairs(getDim(getInput(), 1));
  if (failed(verifyShape(*this, "input", getInput(),
                         {heads, getDim(getInput(), 1),
                          int64_t(llvm::alignTo(getColumns(), 4))})) ||
      failed(verifyDestination(*this, "exponentials", getInits()[0], 32,
                               {heads, pairs, getPairs(getColumns()), 2})))
    return failure();
  return verifyDestination(*this, "sums", getInits()[1], 32,
                           {heads, multiply(pairs, 2)});
}

LogicalResult NormalizedSoftmaxOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyShape(*this, "table", getTable(), {256})))
    return failure();
  ArrayRef<int64_t> shape = shaped(getInput()).getShape();
  if (shape.empty())
    return emitOpError("expects rows, got a scalar");
  if (failed(verifyColumns(*this, shape.back())))
    return failure();
  return verifyDestination(*this, "destination", getInits().front(), 8, shape);
}

LogicalResult PackedContextOp::verify() {
  if (failed(verifyDestinations(*this, 1, 1)) ||
      failed(verifyPackedRequant(*this, getRequant(), getForm())) ||
      failed(verifyRank(*this, "exponentials", getExponentials(), 4)) ||
      failed(verifyRightRank(*this, "values", getValues(), getForm())))
    return failure();
  int64_t heads = getDim(getExponentials(), 0);
  int64_t rowPairs = getDim(getExponentials(), 1);
  int64_t steps = getDim(getExponentials(), 2);
  int64_t panelPairs = getDim(getValues(), 0);
  int64_t channelPairs =
      getSharedValues() ? multiply(panelPairs, heads) : panelPairs;
  if (failed(verifyShape(*this, "exponentials", getExponentials(),
                         {heads, rowPairs, steps, 2})) ||
      failed(verifyHeads(*this, "pairs of channels", channelPairs, heads)) ||
      failed(verifyShape(*this, "values", getValues(),
                         getRightShape(panelPairs, steps, getForm()))) ||
      failed(verifyElementType(*this, "row_sums", getRowSums(),
                               IntegerType::get(getContext(), 32))) ||
      failed(verifyShape(*this, "row_sums", getRowSums(),
                         {heads, multiply(rowPairs, 2)})) ||
      failed(verifyShape(*this, "multipliers", getMultipliers(), {heads})) ||
      failed(verifyOddRows(*this)))
    return failure();
  switch (getLayout()) {
  case PanelLayout::Rows:
    return verifyRows(*this, getInits().front(), 8, rowPairs, channelPairs);
  case PanelLayout::Left:
    return verifyDestination(*this, "destination", getInits().front(), 32,
                             {rowPairs, channelPairs, 2});
  default:
    return emitOpError() << "writes rows or left, got the layout '"
                         << stringifyPanelLayout(getLayout()) << "'";
  }
}
