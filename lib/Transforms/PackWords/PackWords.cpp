// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../PackOperands/BlockBuilder.h"
#include "../PackOperands/PackLayers.h"
#include "../PackOperands/Packable.h"
#include "../PackOperands/Patches.h"

#include "TinyFormer/Support/Constants.h"
#include "TinyFormer/Transforms/Passes.h"
#include "TinyFormer/Transforms/WordPanels.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_PACKWORDS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

/// Patches that lie beside the image at a time, in rows that each of eight
/// cores has four of: as many as take some bytes, if that is more.
constexpr int64_t kPatches = 32, kPatchBytes = 8192;

class WordPacker {
public:
  explicit WordPacker(func::FuncOp function) : function(function) {}

  void run() {
    function.walk([&](LinearOp op) { packLinear(op); });
    function.walk([&](LinearAccumulateOp op) { packAccumulate(op); });
    function.walk([&](ConvOp op) { packConvolution(op); });
    function.walk(foldZeroPoint);
    PanelConstants constants(function);
    packSoftmaxes(function, constants);
    function.walk([&](tensor::EmptyOp op) { alignRows(op); });
  }

private:
  //===--------------------------------------------------------------------===//
  // Linear layers
  //===--------------------------------------------------------------------===//

  void packLinear(LinearOp op) {
    RequantAttr requant = op.getRequantAttr();
    if (!requant || requant.getWide())
      return;
    std::optional<PackableLinear> linear =
        readLinear(op.getWeight(), op.getBias(), op.getMultipliers(), requant);
    if (!linear || failed(readOffsets(op.getOffsets(), *linear)))
      return;
    BlockBuilder b(op.getLoc(), op);
    Value init = op.getInits().front();
    bool transposed = areValues(op);
    if (transposed) {
      ArrayRef<int64_t> shape = getShape(init);
      init = b.empty({shape[0], shape[2], shape[1]}, 8);
    }
    auto packed =
        WordLinearOp::create(b, init.getType(), op.getInput(),
                             getWeights(b, *linear, requant.getZeroPoint()),
                             init, op.getHeadsAttr(), transposed, requant);
    if (transposed)
      for (Operation *user : op->getUsers())
        cast<MatmulOp>(user).setTransposeB(true);
    op->replaceAllUsesWith(packed.getResults());
    op->erase();
  }

  /// Every reader takes the result as the right side of a product, and sums
  /// over its rows.
  static bool areValues(LinearOp op) {
    return op.getHeads() && !op->use_empty() &&
           llvm::all_of(op->getUses(), [](OpOperand &use) {
             auto matmul = dyn_cast<MatmulOp>(use.getOwner());
             return matmul && !matmul.getTransposeB() &&
                    use.get() == matmul.getRhs() &&
                    use.get() != matmul.getLhs();
           });
  }

  void packAccumulate(LinearAccumulateOp op) {
    std::optional<PackableLinear> linear = readLinear(op);
    if (!linear)
      return;
    BlockBuilder b(op.getLoc(), op);
    Value init = op.getInits().front();
    auto packed = WordLinearOp::create(b, init.getType(), op.getInput(),
                                       getWeights(b, *linear, /*zeroPoint=*/0),
                                       init, IntegerAttr(),
                                       /*transposed=*/false, RequantAttr());
    op->replaceAllUsesWith(packed.getResults());
    op->erase();
  }

  //===--------------------------------------------------------------------===//
  // Convolutions
  //===--------------------------------------------------------------------===//

  void packConvolution(ConvOp op) {
    RequantAttr requant = op.getRequantAttr();
    if (!requant || requant.getWide())
      return;
    std::optional<PackableLinear> linear = readLinear(op, /*alignment=*/1);
    if (!linear || failed(readOffsets(op.getOffsets(), *linear)))
      return;
    BlockBuilder b(op.getLoc(), op);
    Value weights = getWeights(b, *linear, requant.getZeroPoint());
    int64_t patches = getPatches(op), depth = linear->depth;
    int64_t step =
        std::max(kPatches, kPatchBytes / depth / kPatches * kPatches);
    unrollConvolution(
        op, std::min(patches, step),
        [&](BlockBuilder &b, int64_t rows) {
          return b.empty({rows, depth}, 8);
        },
        [&](BlockBuilder &b, Value rows, Value tile) {
          return WordLinearOp::create(b, tile.getType(), rows, weights, tile,
                                      /*heads=*/IntegerAttr(),
                                      /*transposed=*/false, requant)
              .getResult(0);
        });
  }

  //===--------------------------------------------------------------------===//
  // Weights
  //===--------------------------------------------------------------------===//

  /// The rows of a layer's weights, the part that the layer uses: some of the
  /// channels, or of the panels that a cut depth has.
  Value getWeights(BlockBuilder &b, const PackableLinear &linear,
                   int32_t zeroPoint) {
    const ConstantSlice &slice = linear.weight;
    bool inParts = !linear.multipliersConstant;
    Value panel = getWhole(b.getLoc(), linear, zeroPoint);
    if (slice.size == (inParts ? linear.depth : linear.channels))
      return panel;
    int64_t rows = inParts ? linear.channels : slice.size;
    OpFoldResult part = *divideExactly(b, slice.offset, slice.size);
    return b.slice(panel, 0, b.multiply(part, rows), rows);
  }

  Value getWhole(Location loc, const PackableLinear &linear,
                 int32_t zeroPoint) {
    bool inParts = !linear.multipliersConstant;
    int64_t depth = inParts ? linear.weight.size : linear.depth;
    Value &panel =
        panels[{linear.weight.constant, linear.biasConstant,
                linear.multipliersConstant, depth, linear.shift, zeroPoint}];
    if (panel)
      return panel;
    std::vector<int32_t> words =
        inParts ? tinyformer::packWordParts(linear.getWeights(), depth)
                : tinyformer::packWords(linear.getWeights(), zeroPoint);
    int64_t width = tinyformer::getWordPanelWidth(depth, !inParts);
    OpBuilder b = OpBuilder::atBlockBegin(&function.getFunctionBody().front());
    panel = createConstant<int32_t>(
        b, loc, words, {int64_t(words.size()) / width, width}, "words");
    return panel;
  }

  //===--------------------------------------------------------------------===//
  // Layer normalisation
  //===--------------------------------------------------------------------===//

  /// The zero point, times 2^shift, becomes a part of the biases: the bound of
  /// the sum has room for it, and its rounding is that of the whole.
  static void foldZeroPoint(LayernormOp op) {
    RequantAttr requant = op.getRequantAttr();
    if (!requant || requant.getWide() || requant.getZeroPoint() == 0)
      return;
    FailureOr<SmallVector<int32_t>> bias = getConstant<int32_t>(op.getBias());
    if (failed(bias))
      return;
    int64_t addend =
        requant.getZeroPoint() * (int64_t(1) << requant.getShift());
    for (int32_t &element : *bias) {
      if (!llvm::isInt<32>(element + addend))
        return;
      element += addend;
    }
    OpBuilder b(op);
    op.getBiasMutable().assign(createConstant<int32_t>(
        b, op.getLoc(), *bias, getShape(op.getBias()), "bias"));
    op.setRequantAttr(RequantAttr::get(op.getContext(), requant.getShift(), 0));
  }

  //===--------------------------------------------------------------------===//
  // Rows of activations
  //===--------------------------------------------------------------------===//

  /// Rows that are read by words start at a word of their own. Shorter ones
  /// than a word are read by bytes and halves.
  static void alignRows(tensor::EmptyOp op) {
    RankedTensorType type = op.getType();
    if (!type.getElementType().isInteger(8) || type.getRank() < 2 ||
        type.getShape().back() < 4)
      return;
    int64_t width = type.getShape().back();
    int64_t bytes = tinyformer::getWordRowBytes(width);
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      if (bytes == width || !isOfProducts(use))
        continue;
      BlockBuilder b(op.getLoc(), use.getOwner());
      SmallVector<int64_t> wide(type.getShape());
      wide.back() = bytes;
      use.set(b.slice(b.empty(wide, 8), type.getRank() - 1, b.getIndexAttr(0),
                      width));
    }
  }

  /// The destination of an op whose result only products and the softmax
  /// between them read.
  static bool isOfProducts(OpOperand &use) {
    auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
    if (!op || !op.isDpsInit(&use) ||
        !isa<WordLinearOp, MatmulOp, SoftmaxOp, TransposeOp, PackPatchesOp>(op))
      return false;
    Value result = op.getTiedOpResult(&use);
    return llvm::all_of(result.getUsers(), [](Operation *user) {
      return isa<WordLinearOp, MatmulOp, SoftmaxOp>(user);
    });
  }

  func::FuncOp function;
  /// By weights, bias and multipliers, depth, shift and zero point.
  using Key = std::tuple<Value, Value, Value, int64_t, int32_t, int32_t>;
  llvm::DenseMap<Key, Value> panels;
};

struct PackWords : impl::PackWordsBase<PackWords> {
  using Base::Base;

  void runOnOperation() override {
    auto target =
        getOperation()->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
            kTarget);
    if (hasWordKernels(target))
      WordPacker(getOperation()).run();
  }
};

} // namespace
} // namespace mlir::tinyattn
