// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SplitLinear.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Columns of a tile of the kernels, and bytes of a word of weights.
constexpr int64_t kTile = 4, kWordBytes = 4;

ArrayRef<int64_t> getShape(Value value) {
  return cast<MemRefType>(value.getType()).getShape();
}

class Splitter {
public:
  explicit Splitter(WordLinearOp op)
      : op(op), b(op.getLoc(), op), channels(getShape(op.getWeight())[0]),
        heads(op.getHeads().value_or(1)), width(channels / heads) {}

  SmallVector<WordLinearOp> run(int64_t partBytes) {
    int64_t rowBytes = kWordBytes * getShape(op.getWeight())[1];
    int64_t most = std::max<int64_t>(partBytes / rowBytes, 1);
    if (channels <= most)
      return {op};
    if (width <= most)
      splitHeads(getEvenPart(heads, most / width));
    else
      splitColumns(getEvenPart(llvm::divideCeil(width, kTile),
                               std::max<int64_t>(most / kTile, 1)) *
                   kTile);
    return std::move(parts);
  }

private:
  /// Up to `most` of `count`, so that the last part is not much smaller.
  static int64_t getEvenPart(int64_t count, int64_t most) {
    return llvm::divideCeil(count, llvm::divideCeil(count, most));
  }

  void splitHeads(int64_t together) {
    for (int64_t head = 0; head < heads; head += together) {
      int64_t count = std::min(together, heads - head);
      addPart(head * width, count * width, head, count, 0, width);
    }
  }

  void splitColumns(int64_t together) {
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t column = 0; column < width; column += together) {
        int64_t count = std::min(together, width - column);
        addPart(head * width + column, count, head, 1, column, count);
      }
  }

  void addPart(int64_t channel, int64_t channelCount, int64_t head,
               int64_t headCount, int64_t column, int64_t columnCount) {
    Value weight = slice(op.getWeight(), {channel, 0},
                         {channelCount, getShape(op.getWeight())[1]});
    Value y = op.getInits().front();
    ArrayRef<int64_t> shape = getShape(y);
    if (!op.getHeads())
      y = slice(y, {0, column}, {shape[0], columnCount});
    else if (op.getTransposed())
      y = slice(y, {head, column, 0}, {headCount, columnCount, shape[2]});
    else
      y = slice(y, {head, 0, column}, {headCount, shape[1], columnCount});
    IntegerAttr headsAttr =
        op.getHeads() ? b.getI64IntegerAttr(headCount) : IntegerAttr();
    parts.push_back(WordLinearOp::create(b, TypeRange(), op.getInput(), weight,
                                         y, headsAttr, op.getTransposed(),
                                         op.getRequantAttr()));
  }

  Value slice(Value value, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
    SmallVector<int64_t> strides(offsets.size(), 1);
    return memref::SubViewOp::create(b, value, offsets, sizes, strides);
  }

  WordLinearOp op;
  ImplicitLocOpBuilder b;
  int64_t channels, heads, width;
  SmallVector<WordLinearOp> parts;
};

} // namespace

SmallVector<WordLinearOp> tinyattn::splitLinear(WordLinearOp op,
                                                int64_t partBytes) {
  return Splitter(op).run(partBytes);
}
