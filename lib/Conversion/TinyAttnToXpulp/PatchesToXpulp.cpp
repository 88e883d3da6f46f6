// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What convolutions need beside a product: frames around images, and patches.

#include "../Cores.h"
#include "ElementwiseKernel.h"
#include "PatchKernel.h"
#include "XpulpLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

namespace {

ArrayRef<int64_t> getShape(Value memRef) {
  return cast<MemRefType>(memRef.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Frames
//===----------------------------------------------------------------------===//

/// A frame is lines, some of which have a line of the image inside.
class Frame {
public:
  explicit Frame(PadOp op) : low(op.getLow()) {
    ArrayRef<int64_t> inner = getShape(op.getInput());
    ArrayRef<int64_t> outer = getShape(op.getInits().front());
    // Dimensions behind the last one that has a frame are parts of its lines.
    size_t last = inner.size() - 1;
    while (last > 0 && inner[last] == outer[last])
      --last;
    images = inner.take_front(last);
    frames = outer.take_front(last);
    imageBytes = ShapedType::getNumElements(inner.drop_front(last));
    frameBytes = ShapedType::getNumElements(outer.drop_front(last));
    before = low[last] * ShapedType::getNumElements(outer.drop_front(last + 1));
  }

  int64_t getLines() const { return ShapedType::getNumElements(frames); }

  /// Runs `body` with the number of the image's line in line `line`, if there
  /// is one.
  void ifInside(LayerBuilder &b, Value line,
                llvm::function_ref<void(Value)> body) const {
    Value rest = line, imageLine = b.index(0), inside;
    int64_t stride = 1;
    for (size_t i = frames.size(); i-- > 0;) {
      Value position =
          i == 0 ? rest : arith::RemUIOp::create(b, rest, b.index(frames[i]));
      if (i != 0)
        rest = arith::DivUIOp::create(b, rest, b.index(frames[i]));
      // Modulo 2^32: what is before the image is far behind it.
      position = arith::SubIOp::create(b, position, b.index(low[i]));
      Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, position,
                                         b.index(images[i]));
      inside = inside ? arith::AndIOp::create(b, inside, fits) : fits;
      imageLine = b.advance(imageLine, position, stride);
      stride *= images[i];
    }
    if (!inside)
      return body(imageLine);
    auto branch = scf::IfOp::create(b, inside);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body(imageLine);
  }

  ArrayRef<int64_t> low, images, frames;
  int64_t imageBytes, frameBytes, before; // of a line
};

LogicalResult lower(PadOp op, XpulpKernels &kernels) {
  Value x = op.getInput(), y = op.getInits().front();
  if (!isContiguousFrom(x, 0) || !isContiguousFrom(y, 0))
    return failure();
  Frame frame(op);
  LayerBuilder b(op.getLoc(), op);
  uint32_t byte = static_cast<int32_t>(op.getValue()) & 0xff;
  Value word = b.word(int32_t(byte * 0x01010101u));
  int64_t width = frame.frameBytes;
  Value image = b.getAddress(x), target = b.getAddress(y);
  func::FuncOp fill = kernels.get(op.getLoc(), FillKernel());
  func::FuncOp copy = kernels.get(op.getLoc(), CopyKernel());
  auto pad = [&](Value first, Value count) {
    Value bytes = arith::MulIOp::create(b, count, b.index(width));
    b.call(fill, {b.advance(target, first, width), word, bytes});
    forShare(b, first, count, [&](Value line) {
      frame.ifInside(b, line, [&](Value imageLine) {
        Value inside = b.advance(b.advance(target, line, width), frame.before);
        b.call(copy, {b.advance(image, imageLine, frame.imageBytes), inside,
                      b.word(frame.imageBytes)});
      });
    });
  };
  shareRows(b, getCores(op), frame.getLines(), getRowsOfWords(y, width), pad);
  op->erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Patches
//===----------------------------------------------------------------------===//

LogicalResult lower(PackPatchesOp op, XpulpKernels &kernels) {
  Value x = op.getInput(), y = op.getInits().front();
  auto strides = getStaticStrides(y);
  if (!isContiguousFrom(x, 0) || !strides || strides->size() != 2 ||
      strides->back() != 1)
    return failure();
  ArrayRef<int64_t> shape = getShape(x), kernel = op.getKernel(),
                    steps = op.getStrides();
  bool planes = op.getChannelsFirst();
  int64_t pixel = planes ? 1 : shape[2];
  int64_t width = shape[planes ? 2 : 1], row = width * pixel;
  int64_t plane = shape[planes ? 1 : 0] * row;
  int64_t across = (width - kernel[1]) / steps[1] + 1;
  PatchKernel patch{kernel[0], op.getRunLength(), row};
  int64_t planeBytes = patch.runs * patch.length;
  LayerBuilder b(op.getLoc(), op);
  func::FuncOp function = kernels.get(op.getLoc(), patch);
  Value image = b.getAddress(x), target = b.getAddress(y);
  auto pack = [&](Value first, Value count) {
    forShare(b, first, count, [&](Value index) {
      Value number = arith::AddIOp::create(b, index, op.getFirst());
      Value down = arith::DivUIOp::create(b, number, b.index(across));
      Value right = arith::RemUIOp::create(b, number, b.index(across));
      Value source = b.advance(b.advance(image, down, steps[0] * row), right,
                               steps[1] * pixel);
      Value result = b.advance(target, index, strides->front());
      b.forEach(planes ? shape[0] : 1, [&](Value channel) {
        b.call(function, {b.advance(source, channel, plane),
                          b.advance(result, channel, planeBytes)});
      });
    });
  };
  int64_t together = getRowsOfWords(y, strides->front());
  shareRows(b, getCores(op), op.getCount(), together, pack);
  op->erase();
  return success();
}

} // namespace

LogicalResult pulp::lowerPatches(Operation *op, XpulpKernels &kernels) {
  if (auto pad = dyn_cast<PadOp>(op))
    return lower(pad, kernels);
  if (auto patches = dyn_cast<PackPatchesOp>(op))
    return lower(patches, kernels);
  return failure();
}
