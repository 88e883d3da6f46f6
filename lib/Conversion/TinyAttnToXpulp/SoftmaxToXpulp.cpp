// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../Cores.h"
#include "SoftmaxKernel.h"
#include "XpulpLowering.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

/// Bytes from one row to the next, if that is the same for all rows.
static std::optional<int64_t> getRowStride(Value memRef) {
  auto strides = getStaticStrides(memRef);
  if (!strides || strides->size() < 2 || strides->back() != 1)
    return std::nullopt;
  auto shape = cast<ShapedType>(memRef.getType()).getShape();
  for (size_t i = strides->size() - 2; i-- > 0;)
    if (shape[i] != 1 && (*strides)[i] != (*strides)[i + 1] * shape[i + 1])
      return std::nullopt;
  return strides->rbegin()[1];
}

LogicalResult pulp::lowerSoftmax(Operation *operation, XpulpKernels &kernels) {
  if (!isa<SoftmaxOp, NormalizedSoftmaxOp>(operation))
    return failure();
  auto op = cast<DestinationStyleOpInterface>(operation);
  Value x = op.getDpsInputOperand(0)->get(),
        table = op.getDpsInputOperand(1)->get(),
        y = op.getDpsInitOperand(0)->get();
  bool normalized = op.getNumDpsInits() == 1;
  Value sums = normalized ? Value() : op.getDpsInitOperand(1)->get();
  auto xStride = getRowStride(x), yStride = getRowStride(y);
  if (!xStride || !yStride || (sums && !isContiguousFrom(sums, 0)))
    return failure();
  auto shape = cast<ShapedType>(x.getType()).getShape();
  SoftmaxKernel kernel{shape.back(), *xStride, *yStride, normalized,
                       isa<NormalizedSoftmaxOp>(operation)};
  int64_t rows = ShapedType::getNumElements(shape.drop_back());
  LayerBuilder b(op->getLoc(), operation);
  auto call = [&](Value first, Value count) {
    SmallVector<Value> arguments{b.advance(b.getAddress(x), first, *xStride),
                                 b.advance(b.getAddress(y), first, *yStride),
                                 b.getAddress(table), count};
    if (sums)
      arguments.push_back(b.advance(b.getAddress(sums), first, 4));
    b.call(kernels.get(op->getLoc(), kernel), arguments);
  };
  shareRows(b, getCores(op), rows, getRowsOfWords(y, *yStride), call);
  op->erase();
  return success();
}
