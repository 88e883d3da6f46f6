// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowTiles.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_TILEFEEDFORWARD
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

/// Rows of a tile, where there is a choice: enough that what a tile costs does
/// not count, few enough that the tile does not.
constexpr int64_t kFewestRows = 8, kMostRows = 16, kRowsForSize = 4,
                  kRowsAtLeast = 2;

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

/// One row of the result is made of the same row of the operands.
bool isRowWise(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    return !linear.getHeads();
  return isa<LayernormOp, LookupOp, AddOp>(op) &&
         cast<ShapedType>(op->getResult(0).getType()).getRank() == 2;
}

/// Layers that follow each other, each the only reader of the one before, from
/// `input` to the last. Somewhere in between, rows are wider.
struct FeedForward {
  SmallVector<Operation *> layers;
  Value input;
  LinearOp expand;

  Value getResult() const { return layers.back()->getResult(0); }
  bool contains(Operation *op) const { return llvm::is_contained(layers, op); }
};

/// The layers around `expand`, if it makes rows wider and a later one narrower.
std::optional<FeedForward> findFeedForward(LinearOp expand) {
  int64_t width = getDim(expand.getResult(0), 1);
  if (!isRowWise(expand) || width <= getDim(expand.getInput(), 1))
    return std::nullopt;
  FeedForward found{{}, expand.getInput(), expand};
  if (auto norm = found.input.getDefiningOp<LayernormOp>())
    if (norm->hasOneUse() && isRowWise(norm)) {
      found.layers.push_back(norm);
      found.input = norm.getInput();
    }
  bool isContracted = false;
  for (Operation *op = expand; isRowWise(op); op = *op->user_begin()) {
    found.layers.push_back(op);
    isContracted |= isa<LinearOp>(op) && getDim(op->getResult(0), 1) < width;
    if (!op->hasOneUse() || op->user_begin()->getBlock() != op->getBlock())
      break;
  }
  if (!isContracted)
    return std::nullopt;
  return found;
}

/// What is read row by row of the layers' rows alone, so that the result's rows
/// may take its place: the input, or what is added in the end.
Value findPlace(const FeedForward &network) {
  auto isPlace = [&](Value value) {
    Operation *owner = value.getDefiningOp();
    return owner && isa<DestinationStyleOpInterface, scf::ForOp>(owner) &&
           value.getType() == network.getResult().getType() &&
           llvm::all_of(value.getUsers(), [&](Operation *user) {
             return network.contains(user);
           });
  };
  if (isPlace(network.input))
    return network.input;
  for (Operation *op : network.layers)
    if (auto add = dyn_cast<AddOp>(op))
      for (Value operand : {add.getLhs(), add.getRhs()})
        if (!network.contains(operand.getDefiningOp()) && isPlace(operand))
          return operand;
  return nullptr;
}

/// Makes one tile of a network at a time.
class Tiler {
public:
  Tiler(OpBuilder &b, const FeedForward &network, Value place)
      : b(b), network(network), place(place) {}

  /// The result with some more rows in `whole`; null if a layer refuses.
  Value tile(Part rows, Value whole) {
    Operation *last = network.layers.back();
    SmallVector<OpFoldResult> offsets, sizes;
    for (Range range : cast<TilingInterface>(last).getIterationDomain(b)) {
      bool isRows = offsets.empty();
      offsets.push_back(isRows ? rows.offset : range.offset);
      sizes.push_back(isRows ? b.getIndexAttr(rows.size) : range.size);
    }
    FailureOr<TilingResult> tiled =
        cast<TilingInterface>(last).getTiledImplementation(b, offsets, sizes);
    if (failed(tiled) || failed(fuse(*tiled, whole)))
      return nullptr;
    auto op = cast<DestinationStyleOpInterface>(tiled->tiledOps.front());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op);
    op.getDpsInitOperand(0)->set(slice(whole, rows));
    b.setInsertionPointAfter(op);
    return insert(op->getResult(0), whole, rows);
  }

private:
  /// Lets a tile read tiles of what is before it, and `whole` in the place of
  /// what was there before.
  LogicalResult fuse(TilingResult &consumer, Value whole) {
    for (Operation *generated : consumer.generatedSlices) {
      auto slice = cast<tensor::ExtractSliceOp>(generated);
      if (place && slice.getSource() == place) {
        slice.getSourceMutable().assign(whole);
        continue;
      }
      Value tile = createEmptyTile(b, slice);
      auto source = dyn_cast<OpResult>(slice.getSource());
      if (!tile && source && network.contains(source.getOwner())) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(slice);
        FailureOr<TilingResult> tiled =
            tensor::replaceExtractSliceWithTiledProducer(b, slice, source);
        if (failed(tiled) || failed(fuse(*tiled, whole)))
          return failure();
        tile = tiled->tiledValues.front();
      }
      if (!tile)
        continue;
      slice.replaceAllUsesWith(tile);
      slice.erase();
    }
    return success();
  }

  Value slice(Value whole, Part rows) {
    return tensor::ExtractSliceOp::create(b, whole.getLoc(), whole,
                                          getOffsets(rows),
                                          getSizes(whole, rows), getStrides());
  }

  Value insert(Value tile, Value whole, Part rows) {
    return tensor::InsertSliceOp::create(b, tile.getLoc(), tile, whole,
                                         getOffsets(rows),
                                         getSizes(whole, rows), getStrides());
  }

  SmallVector<OpFoldResult> getOffsets(Part rows) {
    return {rows.offset, b.getIndexAttr(0)};
  }
  SmallVector<OpFoldResult> getSizes(Value whole, Part rows) {
    return {b.getIndexAttr(rows.size), b.getIndexAttr(getDim(whole, 1))};
  }
  SmallVector<OpFoldResult> getStrides() {
    return SmallVector<OpFoldResult>(2, b.getIndexAttr(1));
  }

  OpBuilder &b;
  const FeedForward &network;
  /// What the tiles of the result replace, or null.
  Value place;
};

struct TileFeedForward : impl::TileFeedForwardBase<TileFeedForward> {
  using Base::Base;

  void runOnOperation() override {
    if (tile == "none" || getOperation().isExternal() || isOnCluster())
      return;
    SmallVector<LinearOp> layers;
    getOperation().walk([&](LinearOp op) {
      if (op.hasPureTensorSemantics())
        layers.push_back(op);
    });
    llvm::DenseSet<Operation *> done;
    SmallVector<Attribute> descriptions;
    IRRewriter rewriter(&getContext());
    for (LinearOp expand : layers) {
      if (done.contains(expand))
        continue;
      std::optional<FeedForward> network = findFeedForward(expand);
      if (!network)
        continue;
      int64_t total = getDim(network->getResult(), 0), rows = chooseRows(total);
      if (rows >= total)
        continue;
      done.insert(network->layers.begin(), network->layers.end());
      descriptions.push_back(describe(*network, rows));
      if (failed(rewrite(rewriter, *network, rows)))
        return signalPassFailure();
    }
    if (!descriptions.empty())
      getOperation()->setAttr(kFeedForward,
                              ArrayAttr::get(&getContext(), descriptions));
  }

  Attribute describe(FeedForward &network, int64_t rows) {
    Builder b(&getContext());
    std::string name = getLayerName(network.expand.getLoc());
    return b.getDictionaryAttr(
        {b.getNamedAttr("layer", b.getStringAttr(name)),
         b.getNamedAttr("rows", b.getI64IntegerAttr(rows))});
  }

  /// Where weights come from another memory, they would come again for each
  /// tile; there, rows that do not fit stream (`tinyattn-insert-transfers`).
  bool isOnCluster() {
    auto target =
        getOperation()->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
            kTarget);
    return target && target.getDma();
  }

  /// Rows of a tile of `total`. Kernels take pairs; the fewer rows are left
  /// over, the fewer calls there are for these alone.
  int64_t chooseRows(int64_t total) {
    int64_t rows = 0;
    if (llvm::to_integer(tile.getValue(), rows))
      return rows;
    if (tile == "min")
      return kRowsAtLeast;
    if (optimize == "size")
      return kRowsForSize;
    int64_t best = kMostRows;
    for (int64_t rows = kMostRows; rows >= kFewestRows; rows -= 2)
      if (total % rows < total % best)
        best = rows;
    return best;
  }

  LogicalResult rewrite(RewriterBase &rewriter, const FeedForward &network,
                        int64_t rows) {
    Operation *last = network.layers.back();
    rewriter.setInsertionPoint(last);
    Location loc = last->getLoc();
    Value place = findPlace(network);
    auto type = cast<RankedTensorType>(network.getResult().getType());
    Value whole = place
                      ? place
                      : tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                                type.getElementType());
    bool isBroken = false;
    Tiler tiler(rewriter, network, place);
    Value result = forParts(rewriter, loc, type.getDimSize(0), rows, whole,
                            [&](Part part, Value whole) {
                              Value tiled = tiler.tile(part, whole);
                              isBroken |= !tiled;
                              return tiled ? tiled : whole;
                            });
    if (isBroken)
      return last->emitOpError("cannot be tiled");
    rewriter.replaceOp(last, result);
    for (Operation *op : llvm::reverse(ArrayRef(network.layers).drop_back()))
      rewriter.eraseOp(op);
    return success();
  }
};

} // namespace
} // namespace mlir::tinyattn
