// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowTiles.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_NARROWTOSLICES
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// A box of elements of a tensor.
struct Box {
  SmallVector<int64_t> offsets, sizes;

  bool isAll(unsigned dimension, RankedTensorType type) const {
    return sizes[dimension] == type.getDimSize(dimension);
  }
  bool isAll(RankedTensorType type) const {
    return type.getShape() == ArrayRef<int64_t>(sizes);
  }

  /// Grows to hold `other`, too.
  void join(const Box &other) {
    for (auto [i, offset] : llvm::enumerate(other.offsets)) {
      int64_t end = std::max(offsets[i] + sizes[i], offset + other.sizes[i]);
      offsets[i] = std::min(offsets[i], offset);
      sizes[i] = end - offsets[i];
    }
  }
};

/// What a slice reads, without gaps and at a place that is known.
std::optional<Box> readBox(Operation *op) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  if (!slice || !slice.hasUnitStride() ||
      ShapedType::isDynamicShape(slice.getStaticOffsets()) ||
      ShapedType::isDynamicShape(slice.getStaticSizes()))
    return std::nullopt;
  return Box{SmallVector<int64_t>(slice.getStaticOffsets()),
             SmallVector<int64_t>(slice.getStaticSizes())};
}

/// The smallest box with all elements of `value` that are read, if slices are
/// all that read it.
std::optional<Box> findBox(Value value) {
  std::optional<Box> hull;
  for (Operation *user : value.getUsers()) {
    std::optional<Box> box = readBox(user);
    if (!box)
      return std::nullopt;
    if (hull)
      hull->join(*box);
    else
      hull = box;
  }
  return hull;
}

/// Fewer rows of a result need fewer rows of the operands. Fewer channels would
/// need slices of the weights, which are better cut by whoever trained them.
bool takesWholeChannels(Operation *op, const Box &box) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  unsigned last = type.getRank() - 1;
  if (auto linear = dyn_cast<LinearOp>(op))
    return box.isAll(last, type) && (!linear.getHeads() || box.isAll(0, type));
  return !isa<MhsaOp, FusedMhsaOp, LayernormOp, SoftmaxOp, MatmulOp>(op) ||
         box.isAll(last, type);
}

Value createSlice(OpBuilder &b, Location loc, RankedTensorType type,
                  Value source, const Box &box) {
  SmallVector<OpFoldResult> strides(box.sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, type, source, getAsIndexOpFoldResult(b.getContext(), box.offsets),
      getAsIndexOpFoldResult(b.getContext(), box.sizes), strides);
}

/// The same attention for some queries.
template <typename AttentionOp>
Value narrowAttention(OpBuilder &b, AttentionOp op, Box box) {
  RankedTensorType result = op.getResult().getType();
  Value source = op.getQuerySource();
  auto type = cast<RankedTensorType>(source.getType());
  box.sizes.back() = type.getDimSize(1);
  SmallVector<int64_t> shape(box.sizes);
  Value rows = createSlice(b, op.getLoc(), type.clone(shape), source, box);
  auto narrow = cast<AttentionOp>(b.clone(*op));
  narrow.getQueryRowsMutable().assign(rows);
  narrow.getResult().setType(
      result.clone({box.sizes.front(), result.getDimSize(1)}));
  return narrow.getResult();
}

/// The op on what it needs for `box`, or null if it cannot be cut so.
Value narrowStructured(OpBuilder &b, TilingInterface op, const Box &box) {
  FailureOr<TilingResult> tiled = op.generateResultTileValue(
      b, 0, getAsIndexOpFoldResult(b.getContext(), box.offsets),
      getAsIndexOpFoldResult(b.getContext(), box.sizes));
  if (failed(tiled))
    return nullptr;
  for (Operation *generated : tiled->generatedSlices) {
    auto slice = cast<tensor::ExtractSliceOp>(generated);
    if (Value empty = createEmptyTile(b, slice)) {
      slice.replaceAllUsesWith(empty);
      slice.erase();
    }
  }
  return tiled->tiledValues.front();
}

/// Lets the slices of `whole` read from its part `box` instead.
void replaceSlices(RewriterBase &rewriter, Value whole, Value part,
                   const Box &box) {
  for (Operation *user : llvm::make_early_inc_range(whole.getUsers())) {
    auto slice = cast<tensor::ExtractSliceOp>(user);
    Box inside = *readBox(slice);
    for (auto [offset, first] : llvm::zip_equal(inside.offsets, box.offsets))
      offset -= first;
    rewriter.setInsertionPoint(slice);
    Value same = part;
    if (slice.getType() != part.getType())
      same =
          createSlice(rewriter, slice.getLoc(), slice.getType(), part, inside);
    rewriter.replaceOp(slice, same);
  }
}

struct NarrowToSlices : impl::NarrowToSlicesBase<NarrowToSlices> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    IRRewriter rewriter(&getContext());
    SmallVector<Attribute> narrowed;
    // Backwards: what reads a value has been narrowed before it.
    for (Operation &op : llvm::make_early_inc_range(
             llvm::reverse(getOperation().getFunctionBody().front())))
      if (Attribute description = narrow(rewriter, &op))
        narrowed.push_back(description);
    std::reverse(narrowed.begin(), narrowed.end());
    if (!narrowed.empty())
      getOperation()->setAttr(kNarrowed,
                              ArrayAttr::get(&getContext(), narrowed));
  }

  /// What became of `op`, or null if it stays as it is.
  Attribute narrow(RewriterBase &rewriter, Operation *op) {
    if (op->getNumResults() != 1 ||
        !isa<MhsaOp, FusedMhsaOp, TilingInterface>(op))
      return nullptr;
    Value whole = op->getResult(0);
    auto type = cast<RankedTensorType>(whole.getType());
    std::optional<Box> box = findBox(whole);
    if (!box || box->isAll(type) || !takesWholeChannels(op, *box))
      return nullptr;
    rewriter.setInsertionPoint(op);
    Value part = llvm::TypeSwitch<Operation *, Value>(op)
                     .Case<MhsaOp, FusedMhsaOp>([&](auto attention) {
                       return narrowAttention(rewriter, attention, *box);
                     })
                     .Case<TilingInterface>([&](TilingInterface structured) {
                       return narrowStructured(rewriter, structured, *box);
                     });
    if (!part)
      return nullptr;
    replaceSlices(rewriter, whole, part, *box);
    Attribute description = describe(op, type, *box);
    rewriter.eraseOp(op);
    return description;
  }

  /// Along the first dimension that is not whole any more.
  Attribute describe(Operation *op, RankedTensorType type, const Box &box) {
    unsigned dimension = 0;
    while (box.isAll(dimension, type))
      ++dimension;
    Builder b(&getContext());
    return b.getDictionaryAttr(
        {b.getNamedAttr("layer", b.getStringAttr(getLayerName(op->getLoc()))),
         b.getNamedAttr("rows", b.getI64IntegerAttr(box.sizes[dimension])),
         b.getNamedAttr("of",
                        b.getI64IntegerAttr(type.getDimSize(dimension)))});
  }
};

} // namespace
} // namespace mlir::tinyattn
