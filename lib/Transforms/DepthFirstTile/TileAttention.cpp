// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TileAttention.h"

#include "../DecomposeAttention.h"
#include "../RowTiles.h"
#include "TinyFormer/Support/Locations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;
using namespace mlir::tinyattn;
using tinyformer::ScheduleKind;

namespace {

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

class AttentionTiler {
public:
  AttentionTiler(OpBuilder &builder, AttentionParts parts)
      : b(builder), parts(parts), loc(parts.output.getLoc()),
        tokens(getDim(parts.scores.getResult(0), 2)),
        queries(getDim(parts.query.getInput(), 0)),
        heads(getDim(parts.query.getResult(0), 0)),
        valueWidth(getDim(parts.context.getResult(0), 1) / heads),
        outputWidth(getDim(parts.output.getResult(0), 1)) {}

  FailureOr<Value> tile(const tinyformer::Schedule &schedule) {
    Value result;
    switch (schedule.kind) {
    case ScheduleKind::None:
      result = parts.output.getResult(0);
      break;
    case ScheduleKind::HeadsContext:
      result = projectWhole(wholeContext(schedule.rows));
      break;
    case ScheduleKind::HeadsAccumulate:
    case ScheduleKind::HalvesAccumulate:
    case ScheduleKind::QuartersAccumulate:
      result =
          blocksOutside(getBlockRows(schedule.kind, queries), schedule.rows);
      break;
    case ScheduleKind::RowsAll:
    case ScheduleKind::RowsContext:
    case ScheduleKind::RowsAccumulate:
      result = rowsOutside(schedule.rows, schedule.kind);
      break;
    }
    if (isBroken)
      return failure();
    return result;
  }

private:
  //===--------------------------------------------------------------------===//
  // Schedules
  //===--------------------------------------------------------------------===//

  /// The context [S, H·Pv], with keys and values of one head at a time.
  Value wholeContext(int64_t rows) {
    Value whole = parts.context.getInits().front();
    return forParts(heads, 1, whole, [&](Part head, Value whole) {
      provideKeysAndValues(head);
      return forParts(queries, rows, whole, [&](Part part, Value whole) {
        return tileContext(head, part, whole, part.offset);
      });
    });
  }

  /// The output, a block of rows at a time: its sums are there as a whole, and
  /// keys and values of one head.
  Value blocksOutside(int64_t blockRows, int64_t rows) {
    Part channels{b.getIndexAttr(0), outputWidth};
    Value whole = parts.output.getInits().front();
    return forParts(queries, blockRows, whole, [&](Part block, Value whole) {
      Value sums = sumOfTiles(block, std::min(rows, block.size));
      if (block.size == queries)
        return requantize(sums, whole);
      Value init = empty({block.size, outputWidth});
      return insert(requantize(sums, init), whole, block, channels);
    });
  }

  /// i32 [block, E'], with keys and values of one head at a time and tiles of
  /// rows inside.
  Value sumOfTiles(Part block, int64_t rows) {
    Part channels{b.getIndexAttr(0), outputWidth};
    Value whole = broadcastBias(block.size);
    return forParts(heads, 1, whole, [&](Part head, Value whole) {
      provideKeysAndValues(head);
      Value weight = sliceOutputWeight(head);
      return forParts(block.size, rows, whole, [&](Part part, Value whole) {
        Part tokens{add(block.offset, part.offset), part.size};
        Value context = tileContext(head, tokens, Value(), {});
        Value sums = slice(whole, part, channels);
        return insert(accumulateInto(sums, context, weight), whole, part,
                      channels);
      });
    });
  }

  /// The output, a tile of rows at a time.
  Value rowsOutside(int64_t rows, ScheduleKind kind) {
    if (kind == ScheduleKind::RowsAll)
      provideWhole();
    Value whole = parts.output.getInits().front();
    return forParts(queries, rows, whole, [&](Part part, Value whole) {
      Part channels{b.getIndexAttr(0), outputWidth};
      Value init = slice(whole, part, channels);
      Value tile;
      if (kind == ScheduleKind::RowsAccumulate) {
        tile = requantize(sumOverHeads(part), init);
      } else {
        if (kind == ScheduleKind::RowsContext)
          provided[parts.context.getResult(0)] = contextOfHeads(part);
        tile = tileOutput(part, init);
      }
      return insert(tile, whole, part, channels);
    });
  }

  /// [rows, H·Pv], with keys and values of one head at a time.
  Value contextOfHeads(Part rows) {
    Value context = empty({rows.size, heads * valueWidth});
    return forParts(heads, 1, context, [&](Part head, Value context) {
      return tileContext(head, rows, context, b.getIndexAttr(0));
    });
  }

  /// i32 [rows, E'], with keys and values of one head at a time.
  Value sumOverHeads(Part rows) {
    return forParts(
        heads, 1, broadcastBias(rows.size), [&](Part head, Value sums) {
          Value context = tileContext(head, rows, Value(), {});
          return accumulateInto(sums, context, sliceOutputWeight(head));
        });
  }

  Value forParts(int64_t total, int64_t step, Value carried,
                 llvm::function_ref<Value(Part, Value)> body) {
    return tinyattn::forParts(b, loc, total, step, carried, body);
  }

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  /// The context of one head on some rows, with all that leads to it. It is
  /// written into `whole` at row `offset`, which is returned, if there is one.
  Value tileContext(Part head, Part rows, Value whole, OpFoldResult offset) {
    OpFoldResult offsets[] = {head.offset, rows.offset, b.getIndexAttr(0)};
    OpFoldResult sizes[] = {b.getIndexAttr(head.size),
                            b.getIndexAttr(rows.size),
                            b.getIndexAttr(valueWidth)};
    auto context =
        tileAndFuse(parts.context, offsets, sizes).getDefiningOp<MatmulOp>();
    if (!context || !whole)
      return context ? context.getResult(0) : Value();
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(context);
    Part channels{multiply(head.offset, valueWidth), valueWidth};
    rows.offset = offset;
    context.getInitsMutable().assign(slice(whole, rows, channels));
    b.setInsertionPointAfter(context);
    return insert(context.getResult(0), whole, rows, channels);
  }

  /// The output on some rows, with all that leads to it.
  Value tileOutput(Part rows, Value init) {
    OpFoldResult offsets[] = {rows.offset, b.getIndexAttr(0)};
    OpFoldResult sizes[] = {b.getIndexAttr(rows.size),
                            b.getIndexAttr(outputWidth)};
    Value tile = tileAndFuse(parts.output, offsets, sizes);
    if (auto output = tile.getDefiningOp<LinearOp>())
      output.getInitsMutable().assign(init);
    return tile;
  }

  /// Keys and values of one head, for the tiles that follow.
  void provideKeysAndValues(Part head) {
    for (LinearOp op : {parts.key, parts.value}) {
      if (!op)
        continue;
      Value whole = op.getResult(0);
      provided.erase(whole);
      OpFoldResult offsets[] = {head.offset, b.getIndexAttr(0),
                                b.getIndexAttr(0)};
      OpFoldResult sizes[] = {b.getIndexAttr(head.size), b.getIndexAttr(tokens),
                              b.getIndexAttr(getDim(whole, 2))};
      provided[whole] = tileAndFuse(op, offsets, sizes);
    }
  }

  /// Keys and values of all heads, for the tiles that follow.
  void provideWhole() {
    for (LinearOp op : {parts.key, parts.value})
      if (op)
        provided[op.getResult(0)] = op.getResult(0);
  }

  Value tileAndFuse(Operation *op, ArrayRef<OpFoldResult> offsets,
                    ArrayRef<OpFoldResult> sizes) {
    FailureOr<TilingResult> tiled =
        cast<TilingInterface>(op).getTiledImplementation(b, offsets, sizes);
    if (failed(tiled)) {
      op->emitOpError("cannot be tiled");
      isBroken = true;
      return op->getResult(0);
    }
    fuseProducers(*tiled);
    return tiled->tiledValues.front();
  }

  /// Replaces the slices that `consumer` reads: by what is provided, by a new
  /// tensor where the slice is of an empty one, or by the tile of the producer,
  /// in turn with its producers.
  void fuseProducers(TilingResult &consumer) {
    // One tile for both results of a softmax.
    llvm::SmallDenseMap<Operation *, Operation *> tiles;
    for (Operation *generated : consumer.generatedSlices) {
      auto slice = cast<tensor::ExtractSliceOp>(generated);
      auto source = dyn_cast<OpResult>(slice.getSource());
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(slice);
      Value tile;
      if (Value value = provided.lookup(slice.getSource())) {
        tile = value;
      } else if (Value smaller = createEmptyTile(b, slice)) {
        tile = smaller;
      } else if (source && isPart(source.getOwner())) {
        Operation *producer = tiles.lookup(source.getOwner());
        if (!producer)
          producer = tileProducer(slice, source);
        if (!producer)
          return;
        tiles[source.getOwner()] = producer;
        tile = producer->getResult(source.getResultNumber());
      } else {
        continue;
      }
      slice.replaceAllUsesWith(tile);
      slice.erase();
    }
  }

  Operation *tileProducer(tensor::ExtractSliceOp slice, OpResult producer) {
    FailureOr<TilingResult> tiled =
        tensor::replaceExtractSliceWithTiledProducer(b, slice, producer);
    if (failed(tiled)) {
      producer.getOwner()->emitOpError("cannot be fused into its consumer");
      isBroken = true;
      return nullptr;
    }
    fuseProducers(*tiled);
    Operation *op = tiled->tiledOps.front();
    // The exponentials take the place of the scores.
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      softmax->setOperand(softmax.getDpsInitOperand(0)->getOperandNumber(),
                          softmax.getInput());
    return op;
  }

  bool isPart(Operation *op) const {
    return op == parts.query || (parts.key && op == parts.key) ||
           (parts.value && op == parts.value) || op == parts.scores ||
           op == parts.softmax || op == parts.context;
  }

  //===--------------------------------------------------------------------===//
  // The output projection
  //===--------------------------------------------------------------------===//

  Location nameOutput(StringRef step) {
    return appendToName(parts.output.getLoc(), step);
  }

  Value broadcastBias(int64_t rows) {
    Value init = empty({rows, outputWidth}, b.getI32Type());
    return BroadcastOp::create(b, nameOutput("bias"), init.getType(),
                               parts.output.getBias(), init)
        .getResult(0);
  }

  /// The columns of the output's weight that belong to one head.
  Value sliceOutputWeight(Part head) {
    return slice(parts.output.getWeight(), {b.getIndexAttr(0), outputWidth},
                 {multiply(head.offset, valueWidth), valueWidth});
  }

  Value accumulateInto(Value sums, Value context, Value weight) {
    return LinearAccumulateOp::create(b, parts.output.getLoc(), sums.getType(),
                                      context, weight, sums)
        .getResult(0);
  }

  Value requantize(Value sums, Value init) {
    return RequantizeOp::create(b, nameOutput("requantize"), init.getType(),
                                sums, parts.output.getMultipliers(), init,
                                *parts.output.getRequant())
        .getResult(0);
  }

  /// The output of the whole context.
  Value projectWhole(Value context) {
    Operation *output = b.clone(*parts.output);
    cast<LinearOp>(output).getInputMutable().assign(context);
    return output->getResult(0);
  }

  //===--------------------------------------------------------------------===//
  // Tensors
  //===--------------------------------------------------------------------===//

  Value empty(ArrayRef<int64_t> shape, Type element = Type()) {
    return tensor::EmptyOp::create(b, loc, shape,
                                   element ? element : b.getI8Type());
  }

  OpFoldResult multiply(OpFoldResult value, int64_t factor) {
    if (std::optional<int64_t> constant = getConstantIntValue(value))
      return b.getIndexAttr(*constant * factor);
    return arith::MulIOp::create(b, loc, cast<Value>(value),
                                 arith::ConstantIndexOp::create(b, loc, factor))
        .getResult();
  }

  OpFoldResult add(OpFoldResult lhs, OpFoldResult rhs) {
    std::optional<int64_t> left = getConstantIntValue(lhs),
                           right = getConstantIntValue(rhs);
    if (left && right)
      return b.getIndexAttr(*left + *right);
    if (left == 0)
      return rhs;
    if (right == 0)
      return lhs;
    return arith::AddIOp::create(b, loc,
                                 getValueOrCreateConstantIndexOp(b, loc, lhs),
                                 getValueOrCreateConstantIndexOp(b, loc, rhs))
        .getResult();
  }

  Value slice(Value whole, Part rows, Part columns) {
    return tensor::ExtractSliceOp::create(
        b, loc, whole, {rows.offset, columns.offset},
        {b.getIndexAttr(rows.size), b.getIndexAttr(columns.size)},
        {b.getIndexAttr(1), b.getIndexAttr(1)});
  }

  Value insert(Value tile, Value whole, Part rows, Part columns) {
    return tensor::InsertSliceOp::create(
        b, loc, tile, whole, {rows.offset, columns.offset},
        {b.getIndexAttr(rows.size), b.getIndexAttr(columns.size)},
        {b.getIndexAttr(1), b.getIndexAttr(1)});
  }

  OpBuilder &b;
  AttentionParts parts;
  Location loc;
  /// Of keys and values, and of queries and what comes of them.
  int64_t tokens, queries;
  int64_t heads, valueWidth, outputWidth;
  /// Tiles of results that exist already, by the whole result.
  llvm::DenseMap<Value, Value> provided;
  bool isBroken = false;
};

} // namespace

LogicalResult tinyattn::tileAttention(RewriterBase &rewriter,
                                      Operation *attention,
                                      const tinyformer::Schedule &schedule) {
  rewriter.setInsertionPoint(attention);
  FailureOr<AttentionParts> parts = decomposeAttention(rewriter, attention);
  if (failed(parts))
    return failure();
  FailureOr<Value> result = AttentionTiler(rewriter, *parts).tile(schedule);
  if (failed(result))
    return failure();
  rewriter.replaceOp(attention, *result);
  // The consumers first. What a schedule keeps whole has uses.
  for (Operation *op :
       {parts->output.getOperation(), parts->context.getOperation(),
        parts->softmax.getOperation(), parts->scores.getOperation(),
        parts->value.getOperation(), parts->key.getOperation(),
        parts->query.getOperation()}) // The transposed input stays whole.
    if (op && op->use_empty())
      rewriter.eraseOp(op);
  return success();
}
