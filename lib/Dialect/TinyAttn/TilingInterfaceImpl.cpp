// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of the structured ops. The iteration domain of an op is what its
// destination is made of; sums are never cut. Each op says which part of an
// operand a tile of the domain needs; the rest is the same for all.

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// A part of a tensor or of an iteration domain.
struct Tile {
  Tile() = default;
  Tile(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes)
      : offsets(offsets), sizes(sizes) {}

  void add(OpFoldResult offset, OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
  /// Dimension `i` of another tile.
  void add(const Tile &tile, unsigned i) {
    add(tile.offsets[i], tile.sizes[i]);
  }
  /// A whole dimension.
  void addAll(OpBuilder &b, int64_t size) {
    add(b.getIndexAttr(0), b.getIndexAttr(size));
  }
  bool isAll(unsigned i, int64_t size) const {
    return isConstantIntValue(offsets[i], 0) &&
           isConstantIntValue(sizes[i], size);
  }

  SmallVector<OpFoldResult> offsets, sizes;
};

ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

/// a·factor + b, in `arith` where it is not constant.
OpFoldResult multiplyAdd(OpBuilder &b, Location loc, OpFoldResult a,
                         int64_t factor, OpFoldResult addend) {
  std::optional<int64_t> constantA = getConstantIntValue(a);
  std::optional<int64_t> constantB = getConstantIntValue(addend);
  if (constantA && constantB)
    return b.getIndexAttr(*constantA * factor + *constantB);
  Value product = getValueOrCreateConstantIndexOp(b, loc, a);
  if (factor != 1)
    product = arith::MulIOp::create(
        b, loc, product, arith::ConstantIndexOp::create(b, loc, factor));
  if (constantB == 0)
    return product;
  return arith::AddIOp::create(b, loc, product,
                               getValueOrCreateConstantIndexOp(b, loc, addend))
      .getResult();
}

/// Dimensions `outer` and `inner` of `tile` as one of outer·`width` + inner,
/// if they are contiguous.
LogicalResult addMerged(OpBuilder &b, Location loc, const Tile &tile,
                        unsigned outer, unsigned inner, int64_t width,
                        Tile &part) {
  std::optional<int64_t> count = getConstantIntValue(tile.sizes[outer]);
  std::optional<int64_t> size = getConstantIntValue(tile.sizes[inner]);
  if (!count || !size || (*count != 1 && !tile.isAll(inner, width)))
    return failure();
  part.add(multiplyAdd(b, loc, tile.offsets[outer], width, tile.offsets[inner]),
           b.getIndexAttr(*count * *size));
  return success();
}

/// What is the same for all ops. `Derived` has
///
///   getDomain(op)                             its shape
///   getPart(b, op, operand, tile, part)       what a tile needs of an operand;
///                                             an empty part is all of it
///   getDomainTile(b, op, result, part, tile)  the way back from a result
///   finish(op, tile)                          attributes of the tiled op
template <typename Derived, typename OpTy>
struct TilingModel : TilingInterface::ExternalModel<Derived, OpTy> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    return SmallVector<utils::IteratorType>(
        Derived::getDomain(cast<OpTy>(op)).size(),
        utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op, OpBuilder &b) const {
    SmallVector<Range> ranges;
    for (int64_t size : Derived::getDomain(cast<OpTy>(op)))
      ranges.push_back(
          {b.getIndexAttr(0), b.getIndexAttr(size), b.getIndexAttr(1)});
    return ranges;
  }

  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &b,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    Tile tile(offsets, sizes);
    TilingResult result;
    SmallVector<Value> operands;
    SmallVector<Type> types;
    for (OpOperand &operand : op->getOpOperands()) {
      Tile part;
      if (!isa<TensorType>(operand.get().getType()) ||
          failed(Derived::getPart(b, cast<OpTy>(op), operand, tile, part)))
        return failure();
      Value value = operand.get();
      if (!part.offsets.empty()) {
        SmallVector<OpFoldResult> strides(part.offsets.size(),
                                          b.getIndexAttr(1));
        auto slice = tensor::ExtractSliceOp::create(
            b, op->getLoc(), value, part.offsets, part.sizes, strides);
        result.generatedSlices.push_back(slice);
        value = slice;
      }
      operands.push_back(value);
      if (cast<DestinationStyleOpInterface>(op).isDpsInit(&operand))
        types.push_back(value.getType());
    }
    Operation *tiled = mlir::clone(b, op, types, operands);
    Derived::finish(cast<OpTy>(tiled), tile);
    result.tiledOps.push_back(tiled);
    result.tiledValues.assign(tiled->result_begin(), tiled->result_end());
    return result;
  }

  LogicalResult
  getResultTilePosition(Operation *op, OpBuilder &b, unsigned resultNumber,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes,
                        SmallVector<OpFoldResult> &resultOffsets,
                        SmallVector<OpFoldResult> &resultSizes) const {
    Tile part;
    OpOperand *init =
        cast<DestinationStyleOpInterface>(op).getDpsInitOperand(resultNumber);
    if (failed(Derived::getPart(b, cast<OpTy>(op), *init, Tile(offsets, sizes),
                                part)))
      return failure();
    resultOffsets = part.offsets;
    resultSizes = part.sizes;
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *op, OpBuilder &b, unsigned resultNumber,
      ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
      SmallVectorImpl<OpFoldResult> &domainOffsets,
      SmallVectorImpl<OpFoldResult> &domainSizes) const {
    Tile tile;
    if (failed(Derived::getDomainTile(b, cast<OpTy>(op), resultNumber,
                                      Tile(offsets, sizes), tile)))
      return failure();
    domainOffsets = tile.offsets;
    domainSizes = tile.sizes;
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &b, unsigned resultNumber,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    Tile tile;
    if (failed(Derived::getDomainTile(b, cast<OpTy>(op), resultNumber,
                                      Tile(offsets, sizes), tile)))
      return failure();
    FailureOr<TilingResult> result =
        getTiledImplementation(op, b, tile.offsets, tile.sizes);
    if (succeeded(result))
      result->tiledValues = {result->tiledOps.front()->getResult(resultNumber)};
    return result;
  }

  // Where the domain is the destination, and no attribute depends on a size.
  static LogicalResult getDomainTile(OpBuilder &, OpTy, unsigned,
                                     const Tile &part, Tile &tile) {
    tile = part;
    return success();
  }
  static void finish(OpTy, const Tile &) {}
};

/// (row, channel), or (head, row, channel of the head).
struct LinearTiling : TilingModel<LinearTiling, LinearOp> {
  static SmallVector<int64_t> getDomain(LinearOp op) {
    return SmallVector<int64_t>(getShape(op.getInits().front()));
  }

  static LogicalResult getPart(OpBuilder &b, LinearOp op, OpOperand &operand,
                               const Tile &tile, Tile &part) {
    bool split = op.getHeads().has_value();
    if (op.isDpsInit(&operand)) {
      part = tile;
      return success();
    }
    if (operand.getOperandNumber() == 0)
      part.add(tile, split ? 1 : 0);
    else if (!split)
      part.add(tile, 1);
    else if (failed(addMerged(b, op.getLoc(), tile, 0, 2, getDomain(op).back(),
                              part)))
      return failure();
    if (operand.getOperandNumber() < 2)
      part.addAll(b, getShape(op.getInput())[1]);
    return success();
  }

  static void finish(LinearOp op, const Tile &tile) {
    if (op.getHeads())
      op.setHeads(*getConstantIntValue(tile.sizes[0]));
  }
};

/// (batch, row, column).
struct MatmulTiling : TilingModel<MatmulTiling, MatmulOp> {
  static SmallVector<int64_t> getDomain(MatmulOp op) {
    ArrayRef<int64_t> rhs = getShape(op.getRhs());
    int64_t columns = op.getTransposeB() ? rhs.drop_back().back() : rhs.back();
    return {getShape(op.getLhs())[0], getShape(op.getLhs())[1], columns};
  }

  static LogicalResult getPart(OpBuilder &b, MatmulOp op, OpOperand &operand,
                               const Tile &tile, Tile &part) {
    SmallVector<int64_t> domain = getDomain(op);
    int64_t depth = getShape(op.getLhs())[2];
    if (op.isDpsInit(&operand)) {
      if (!op.getMergeHeads()) {
        part = tile;
        return success();
      }
      part.add(tile, 1);
      return addMerged(b, op.getLoc(), tile, 0, 2, domain[2], part);
    }
    switch (operand.getOperandNumber()) {
    case 0:
      part.add(tile, 0);
      part.add(tile, 1);
      part.addAll(b, depth);
      return success();
    case 1:
      if (getShape(op.getRhs()).size() == 3)
        part.add(tile, 0);
      if (op.getTransposeB())
        part.add(tile, 2);
      part.addAll(b, depth);
      if (!op.getTransposeB())
        part.add(tile, 2);
      return success();
    default: // The multipliers, or the sums of the rows.
      part.add(tile, 0);
      if (getShape(operand.get()).size() == 2)
        part.add(tile, 1);
      return success();
    }
  }

  static LogicalResult getDomainTile(OpBuilder &b, MatmulOp op, unsigned,
                                     const Tile &part, Tile &tile) {
    if (!op.getMergeHeads()) {
      tile = part;
      return success();
    }
    SmallVector<int64_t> domain = getDomain(op);
    if (!part.isAll(1, domain[0] * domain[2]))
      return failure();
    tile.addAll(b, domain[0]);
    tile.add(part, 0);
    tile.addAll(b, domain[2]);
    return success();
  }
};

/// All dimensions but the last.
template <typename OpTy> struct RowTiling : TilingModel<RowTiling<OpTy>, OpTy> {
  static SmallVector<int64_t> getDomain(OpTy op) {
    return SmallVector<int64_t>(getShape(op.getInput()).drop_back());
  }

  static LogicalResult getPart(OpBuilder &b, OpTy op, OpOperand &operand,
                               const Tile &tile, Tile &part) {
    if (operand.getOperandNumber() != 0 && !op.isDpsInit(&operand))
      return success();
    part = tile;
    // The sums of a softmax have no last dimension.
    if (getShape(operand.get()).size() > tile.offsets.size())
      part.addAll(b, getShape(operand.get()).back());
    return success();
  }

  static LogicalResult getDomainTile(OpBuilder &, OpTy op, unsigned,
                                     const Tile &part, Tile &tile) {
    unsigned rank = getDomain(op).size();
    if (part.offsets.size() > rank &&
        !part.isAll(rank, getShape(op.getInput()).back()))
      return failure();
    for (unsigned i = 0; i < rank; ++i)
      tile.add(part, i);
    return success();
  }
};

/// All dimensions; what has another shape is a table.
template <typename OpTy>
struct ElementTiling : TilingModel<ElementTiling<OpTy>, OpTy> {
  static SmallVector<int64_t> getDomain(OpTy op) {
    return SmallVector<int64_t>(getShape(op.getInits().front()));
  }

  static LogicalResult getPart(OpBuilder &, OpTy op, OpOperand &operand,
                               const Tile &tile, Tile &part) {
    bool isTable = std::is_same_v<OpTy, LookupOp> &&
                   operand.getOperandNumber() == 1 && !op.isDpsInit(&operand);
    if (!isTable)
      part = tile;
    return success();
  }
};

} // namespace

void tinyattn::registerTilingInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TinyAttnDialect *) {
    LinearOp::attachInterface<LinearTiling>(*context);
    MatmulOp::attachInterface<MatmulTiling>(*context);
    SoftmaxOp::attachInterface<RowTiling<SoftmaxOp>>(*context);
    LayernormOp::attachInterface<RowTiling<LayernormOp>>(*context);
    LookupOp::attachInterface<ElementTiling<LookupOp>>(*context);
    AddOp::attachInterface<ElementTiling<AddOp>>(*context);
  });
}
