// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that only move data keep the scale and zero point of their source.

#include "Quantizer.h"

#include "TinyFormer/Support/Constants.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tinyattn;

LogicalResult Quantizer::quantizeMovement(Operation *op) {
  FailureOr<QuantizedValue> input = getInput(op, op->getOperand(0));
  if (failed(input))
    return failure();
  IRMapping mapping;
  mapping.map(op->getOperand(0), input->value);
  Operation *twin = rewriter.clone(*op, mapping);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  // i8, or i32 of ids.
  Type element = getElementTypeOrSelf(input->value.getType());
  twin->getResult(0).setType(type.clone(element));
  map(op->getResult(0), twin->getResult(0), input->params);
  return success();
}

/// Pieces that do not have the scale of the whole already are brought to it:
/// constants at compile time, others by a table.
LogicalResult Quantizer::quantizeConcat(Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  FailureOr<QuantParams> params = chooseParams(concat.getResult());
  if (failed(params))
    return failure();
  SmallVector<Value> pieces;
  for (Value operand : concat.getInputs()) {
    bool isConstant = getConstantAttribute(operand) != nullptr;
    FailureOr<QuantizedValue> piece =
        isConstant ? quantizeConstant(op, operand, *params)
                   : getInput(op, operand);
    if (failed(piece))
      return failure();
    Value value = piece->value;
    if (piece->params != *params)
      value = createLookup(
          op->getLoc(), value,
          makeLookupTable(piece->params, *params, [](double x) { return x; }));
    pieces.push_back(value);
  }
  Value result =
      tensor::ConcatOp::create(rewriter, op->getLoc(), concat.getDim(), pieces);
  map(concat.getResult(), result, *params);
  return success();
}
