// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/ArmDsp/ArmDsp.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::armdsp;

#include "TinyFormer/Dialect/ArmDsp/ArmDspDialect.cpp.inc"
#include "TinyFormer/Dialect/ArmDsp/ArmDspInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/ArmDsp/ArmDspOps.cpp.inc"

void ArmDspDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/ArmDsp/ArmDspOps.cpp.inc"
      >();
}

static LogicalResult verifyRotation(Operation *op, int32_t rotation) {
  if (rotation % 8 == 0)
    return success();
  return op->emitOpError() << "rotates by 0, 8, 16 or 24 bits, got "
                           << rotation;
}

LogicalResult Sxtb16Op::verify() {
  return verifyRotation(*this, getRotation());
}

LogicalResult Uxtb16Op::verify() {
  return verifyRotation(*this, getRotation());
}

LogicalResult Sxtab16Op::verify() {
  return verifyRotation(*this, getRotation());
}

static LogicalResult verifyArguments(Operation *op, TypeRange values,
                                     StringRef what) {
  TypeRange arguments = op->getRegion(0).getArgumentTypes();
  if (arguments == values)
    return success();
  return op->emitOpError() << "expects the arguments of its body to have the "
                              "types of "
                           << what << ", got " << arguments.size()
                           << " arguments for " << values.size();
}

LogicalResult BlockOp::verify() {
  if (failed(verifyArguments(*this, getInputs().getTypes(), "its inputs")))
    return failure();
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getValues().size() != getResults().size())
    return emitOpError() << "has " << getResults().size()
                         << " results, but yields " << yield.getValues().size()
                         << " values";
  for (Operation &op : getBody().front().without_terminator())
    if (!isa<InstructionOpInterface, LoopOp>(op))
      return op.emitOpError("is not an instruction of 'armdsp.block'");
  return success();
}

LogicalResult LoopOp::verify() {
  auto next = dyn_cast<NextOp>(getBody().front().getTerminator());
  if (!next)
    return emitOpError("ends with 'armdsp.next'");
  if (failed(verifyArguments(*this, getInits().getTypes(), "its inits")))
    return failure();
  if (next.getValues().getTypes() != getInits().getTypes() ||
      getResultTypes() != getInits().getTypes())
    return emitOpError("expects inits, iterated values and results to have "
                       "the same types");
  for (Operation &op : getBody().front().without_terminator())
    if (!isa<InstructionOpInterface, LoopOp>(op))
      return op.emitOpError("is not an instruction of 'armdsp.loop'");
  return success();
}
