// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockBuilder.h"
#include "PackLayers.h"
#include "PackingPlan.h"
#include "PanelConstants.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_PACKOPERANDS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

int64_t getPairs(int64_t size) { return llvm::divideCeil(size, 2); }

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

SmallVector<int64_t> getRightShape(int64_t columns, int64_t depth,
                                   PanelForm form) {
  SmallVector<int64_t> shape{getPairs(columns), getPairs(depth)};
  if (form == PanelForm::Separate)
    shape.push_back(2);
  return shape;
}

RowDimension getRowDimension(PanelLayout layout) {
  return {layout == PanelLayout::Values ? 1u : 0u, layout != PanelLayout::Rows};
}

/// Whether a panel does not tell that its rows are odd in number.
bool isOddPanel(int64_t rows, PanelLayout layout) {
  return rows % 2 != 0 && layout != PanelLayout::Rows;
}

class Packer {
public:
  explicit Packer(func::FuncOp function)
      : function(function), plan(function), constants(function) {}

  void run() {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (plan.linears.contains(op) || plan.attention.contains(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      pack(op);
    for (Operation *op : llvm::reverse(ops))
      op->erase();
    packConvolutions(function, constants);
    packSoftmaxes(function, constants);
  }

private:
  //===--------------------------------------------------------------------===//
  // Dispatch
  //===--------------------------------------------------------------------===//

  void pack(Operation *op) {
    if (!done.insert(op).second)
      return;
    if (plan.linears.contains(op))
      return packLinears(collectGroup(op));
    if (op == plan.attention[op].scores)
      packScores(plan.attention[op]);
    if (op == plan.attention[op].context)
      packContext(plan.attention[op]);
  }

  //===--------------------------------------------------------------------===//
  // Operands
  //===--------------------------------------------------------------------===//

  /// Where what depends on `source` alone may be computed for `user`. A slice
  /// goes out of the loops that it does not depend on before.
  static Operation *getAnchor(Value source, Operation *user) {
    auto slice = source.getDefiningOp<tensor::ExtractSliceOp>();
    while (slice) {
      auto loop = dyn_cast<scf::ForOp>(slice->getParentOp());
      if (!loop || !llvm::all_of(slice->getOperands(), [&](Value operand) {
            return loop.isDefinedOutsideOfLoop(operand);
          }))
        break;
      slice->moveBefore(loop);
    }
    return source.getParentBlock()->findAncestorOpInBlock(*user);
  }

  /// What `create` makes of `source`, once for all users behind the first.
  Value share(llvm::DenseMap<Value, Value> &panels, Value source,
              Operation *user,
              llvm::function_ref<Value(BlockBuilder &)> create) {
    Operation *anchor = getAnchor(source, user);
    Value &panel = panels[source];
    if (panel && panel.getDefiningOp()->isBeforeInBlock(anchor))
      return panel;
    BlockBuilder b(appendToName(user->getLoc(), "pack"), anchor);
    panel = create(b);
    return panel;
  }

  static Value packRows(BlockBuilder &b, Value rows, bool interleaved) {
    Value init =
        b.empty({getPairs(getDim(rows, 0)), getPairs(getDim(rows, 1)), 2}, 32);
    return PackRowsOp::create(b, init.getType(), rows, init,
                              /*unsigned_input=*/false, interleaved)
        .getResult(0);
  }

  /// The input of linear layers.
  Value getLeft(Value rows, Operation *user) {
    return share(lefts, rows, user, [&](BlockBuilder &b) {
      return packRows(b, rows, /*interleaved=*/true);
    });
  }

  /// What is read as it is, the input as keys or values: its rows as columns.
  Value getColumns(Value rows, Operation *user) {
    PanelForm form = plan.inputForms.lookup(rows);
    return share(columns, rows, user, [&](BlockBuilder &b) -> Value {
      Value init =
          b.empty(getRightShape(getDim(rows, 0), getDim(rows, 1), form), 32);
      return PackColumnsOp::create(b, init.getType(), rows, init, form)
          .getResult(0);
    });
  }

  //===--------------------------------------------------------------------===//
  // Linear layers
  //===--------------------------------------------------------------------===//

  /// `first`, and what can share its loop over blocks of the input: what has
  /// the same input and comes before the first reader of what is already in.
  SmallVector<Operation *> collectGroup(Operation *first) {
    Value input = first->getOperand(0);
    SmallVector<Operation *> group{first};
    int64_t rows = getDim(input, 0);
    if (panels.contains(input) ||
        tinyformer::getPackRows(rows, getDim(input, 1)) == rows)
      return group;
    auto isReadBefore = [&](Operation *op, Operation *position) {
      return llvm::any_of(op->getUsers(), [&](Operation *user) {
        return op->getBlock()->findAncestorOpInBlock(*user)->isBeforeInBlock(
            position);
      });
    };
    for (Operation *op = first->getNextNode(); op; op = op->getNextNode()) {
      if (!plan.linears.contains(op) || op->getOperand(0) != input ||
          llvm::any_of(group, [&](Operation *member) {
            return isReadBefore(member, op);
          }))
        continue;
      group.push_back(op);
      done.insert(op);
    }
    return group;
  }

  void packLinears(ArrayRef<Operation *> group) {
    Value input = group.front()->getOperand(0);
    Value left = panels.lookup(input);
    BlockBuilder b(group.front()->getLoc(), group.back());
    SmallVector<PanelConstants::Panel> weights;
    SmallVector<Value> destinations;
    for (Operation *op : group) {
      b.setLoc(op->getLoc());
      weights.push_back(constants.getWeights(b, plan.linears.find(op)->second,
                                             /*interleaved=*/!left));
      destinations.push_back(getDestination(b, op));
    }
    if (left) {
      SmallVector<Value> packed =
          packAll(b, group, left, getDim(input, 0), weights, destinations);
      return provide(group, packed);
    }
    int64_t rows = getDim(input, 0);
    b.setLoc(group.front()->getLoc());
    SmallVector<Value> packed = b.forBlocks(
        rows, tinyformer::getPackRows(rows, getDim(input, 1)), destinations,
        [&](const RowBlock &block, ValueRange wholes) {
          return packBlock(b, group, input, block, weights, wholes);
        });
    provide(group, packed);
  }

  /// Some rows of the results, in their places.
  SmallVector<Value> packBlock(BlockBuilder &b, ArrayRef<Operation *> group,
                               Value input, const RowBlock &block,
                               ArrayRef<PanelConstants::Panel> weights,
                               ValueRange wholes) {
    Value left;
    if (block.isAll) {
      left = getLeft(input, group.back());
    } else {
      b.setLoc(appendToName(group.front()->getLoc(), "pack"));
      left = packRows(b, b.slice(input, block, RowDimension()),
                      /*interleaved=*/true);
    }
    SmallVector<Value> tiles;
    for (auto [op, whole] : llvm::zip_equal(group, wholes))
      tiles.push_back(b.slice(whole, block, getRows(op)));
    tiles = packAll(b, group, left, block.rows, weights, tiles);
    for (auto [op, tile, whole] : llvm::zip_equal(group, tiles, wholes))
      tile = b.insert(tile, whole, block, getRows(op));
    return tiles;
  }

  SmallVector<Value> packAll(BlockBuilder &b, ArrayRef<Operation *> group,
                             Value left, int64_t rows,
                             ArrayRef<PanelConstants::Panel> weights,
                             ArrayRef<Value> destinations) {
    SmallVector<Value> packed;
    for (auto [op, weight, destination] :
         llvm::zip_equal(group, weights, destinations)) {
      b.setLoc(op->getLoc());
      LinearResult result = plan.results.lookup(op);
      RequantAttr requant;
      if (auto linear = dyn_cast<LinearOp>(op))
        requant = linear.getRequantAttr();
      PanelFormAttr form;
      if (result.form)
        form = PanelFormAttr::get(b.getContext(), *result.form);
      auto packedOp = PackedLinearOp::create(
          b, destination.getType(), left, weight.value, destination,
          PanelLayoutAttr::get(b.getContext(), result.layout),
          PanelFormAttr::get(b.getContext(), weight.form), form, requant,
          isOddPanel(rows, result.layout) ? b.getUnitAttr() : UnitAttr());
      packed.push_back(packedOp.getResult(0));
    }
    return packed;
  }

  RowDimension getRows(Operation *op) {
    return getRowDimension(plan.results.lookup(op).layout);
  }

  /// The op's own destination, or a new one for another shape.
  Value getDestination(BlockBuilder &b, Operation *op) {
    auto it = plan.results.find(op);
    if (it == plan.results.end())
      return cast<DestinationStyleOpInterface>(op).getDpsInitOperand(0)->get();
    ArrayRef<int64_t> shape =
        cast<ShapedType>(op->getResult(0).getType()).getShape();
    int64_t rows = shape[1], channels = shape[0] * shape[2];
    switch (it->second.layout) {
    case PanelLayout::Rows:
      return b.empty({rows, channels}, 8);
    case PanelLayout::Left:
      return b.empty({getPairs(rows), getPairs(channels), 2}, 32);
    case PanelLayout::Keys:
      return b.empty(getRightShape(rows, channels, *it->second.form), 32);
    case PanelLayout::Values:
      return b.empty(getRightShape(channels, rows, *it->second.form), 32);
    }
    llvm_unreachable("all layouts are handled");
  }

  /// Panels for the readers that know them, rows for everyone.
  void provide(ArrayRef<Operation *> group, ArrayRef<Value> packed) {
    for (auto [op, value] : llvm::zip_equal(group, packed)) {
      if (plan.results.contains(op))
        panels[op->getResult(0)] = value;
      else
        op->getResult(0).replaceAllUsesWith(value);
    }
  }

  //===--------------------------------------------------------------------===//
  // Attention
  //===--------------------------------------------------------------------===//

  void packScores(PackableAttention &parts) {
    MatmulOp op = parts.scores;
    Value queries = panels.lookup(parts.query.getResult(0));
    Value rhs = op.getRhs();
    PanelForm form =
        parts.key ? *plan.results[parts.key].form : plan.inputForms[rhs];
    Value keys = parts.key ? panels.lookup(rhs) : getColumns(rhs, op);
    ArrayRef<int64_t> shape =
        cast<ShapedType>(op.getResult(0).getType()).getShape();
    int64_t heads = shape[0], rows = shape[1], tokens = shape[2];

    BlockBuilder b(op.getLoc(), op);
    auto create = [&](Value left, Value destination) {
      return PackedScoresOp::create(b, destination.getType(), left, keys,
                                    op.getMultipliers(), destination, tokens,
                                    form, *op.getRequant())
          .getResult(0);
    };
    Value whole = b.empty({heads, rows, int64_t(llvm::alignTo(tokens, 4))}, 8);
    if (plan.results[parts.query].layout == PanelLayout::Left) {
      panels[op.getResult(0)] = create(queries, whole);
      return;
    }
    int64_t step = tinyformer::getPackRows(rows, getDim(queries, 1));
    RowDimension scoreRows{1, false};
    panels[op.getResult(0)] =
        b.forBlocks(rows, step, whole,
                    [&](const RowBlock &block, ValueRange carried) {
                      Value left =
                          packRows(b, b.slice(queries, block, RowDimension()),
                                   /*interleaved=*/false);
                      Value tile = create(
                          left, b.slice(carried.front(), block, scoreRows));
                      return SmallVector<Value>{
                          b.insert(tile, carried.front(), block, scoreRows)};
                    })
            .front();
  }

  void packContext(PackableAttention &parts) {
    MatmulOp op = parts.context;
    Value scores = panels.lookup(parts.scores.getResult(0));
    Value rhs = op.getRhs();
    PanelForm form =
        parts.value ? *plan.results[parts.value].form : plan.inputForms[rhs];
    Value values = parts.value ? panels.lookup(rhs) : getColumns(rhs, op);
    Value table =
        constants.getReversed(parts.softmax.getLoc(), parts.softmax.getTable());
    int64_t heads = getDim(scores, 0), rows = getDim(scores, 1);
    int64_t tokens = getDim(parts.softmax.getInput(), 2);
    PanelLayout layout =
        plan.wantsLeft(op) ? PanelLayout::Left : PanelLayout::Rows;
    RowDimension contextRows = getRowDimension(layout);

    BlockBuilder b(op.getLoc(), op);
    Value whole = op.getInits().front();
    if (layout == PanelLayout::Left)
      whole = b.empty({getPairs(rows), getPairs(getDim(whole, 1)), 2}, 32);
    int64_t step =
        tinyformer::getComputeRows(rows, heads * getPairs(tokens) * 2);
    auto body = [&](const RowBlock &block,
                    ValueRange carried) -> SmallVector<Value> {
      PackedSoftmaxOp softmax = packSoftmax(
          b, parts.softmax, b.slice(scores, block, {1, false}), table);
      b.setLoc(op.getLoc());
      Value destination = b.slice(carried.front(), block, contextRows);
      Value tile =
          PackedContextOp::create(
              b, destination.getType(), softmax.getResult(0), values,
              softmax.getResult(1), op.getMultipliers(), destination, layout,
              form, *op.getRequant(), isOddPanel(block.rows, layout),
              /*shared_values=*/!parts.value)
              .getResult(0);
      return {b.insert(tile, carried.front(), block, contextRows)};
    };
    Value context = b.forBlocks(rows, step, whole, body).front();
    if (layout == PanelLayout::Left)
      panels[op.getResult(0)] = context;
    else
      op.getResult(0).replaceAllUsesWith(context);
  }

  PackedSoftmaxOp packSoftmax(BlockBuilder &b, SoftmaxOp op, Value scores,
                              Value table) {
    b.setLoc(op.getLoc());
    int64_t heads = getDim(scores, 0), pairs = getPairs(getDim(scores, 1));
    int64_t tokens = getDim(op.getInput(), 2);
    Value exponentials = b.empty({heads, pairs, getPairs(tokens), 2}, 32);
    Value sums = b.empty({heads, 2 * pairs}, 32);
    return PackedSoftmaxOp::create(
        b, TypeRange{exponentials.getType(), sums.getType()}, scores, table,
        ValueRange{exponentials, sums}, tokens);
  }

  func::FuncOp function;
  PackingPlan plan;
  PanelConstants constants;
  llvm::DenseSet<Operation *> done;
  /// What stands for a result that has another shape now.
  llvm::DenseMap<Value, Value> panels;
  /// Panels of bytes from elsewhere, by their source.
  llvm::DenseMap<Value, Value> lefts, columns;
};

struct PackOperands : impl::PackOperandsBase<PackOperands> {
  using Base::Base;

  void runOnOperation() override {
    auto target =
        getOperation()->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
            kTarget);
    if (hasPanelKernels(target))
      Packer(getOperation()).run();
  }
};

} // namespace
} // namespace mlir::tinyattn
