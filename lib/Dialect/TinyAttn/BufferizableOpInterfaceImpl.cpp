// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One-shot bufferization of the structured ops: same op, on memrefs.

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::tinyattn;

namespace {

/// Adds to its destination.
bool accumulates(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<PackedLinearOp, WordLinearOp>(
          [](auto linear) { return !linear.getRequant(); })
      .Case<LinearAccumulateOp>([](auto) { return true; })
      .Default(false);
}

template <typename OpTy>
struct StructuredOpInterface
    : DstBufferizableOpInterfaceExternalModel<StructuredOpInterface<OpTy>,
                                              OpTy> {
  // Destinations are written whole and never read, but for sums.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return accumulates(op) ||
           cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand,
                               const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  // Element-wise ops read an element before they write the one in its place,
  // so their destination may be one of their inputs. So does softmax, which has
  // read the whole row for its maximum before, where it is asked to: where its
  // destination is its input.
  bool bufferizesToElementwiseAccess(Operation *op, const AnalysisState &,
                                     ArrayRef<OpOperand *>) const {
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      return softmax.getInits().front() == softmax.getInput();
    return llvm::is_one_of<OpTy, LookupOp, AddOp>::value;
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    SmallVector<Value> destinations;
    for (OpResult result : op->getResults()) {
      OpOperand *init =
          cast<DestinationStyleOpInterface>(op).getTiedOpOperand(result);
      destinations.push_back(operands[init->getOperandNumber()]);
    }
    OperationState newState(op->getLoc(), op->getName(), operands,
                            /*types=*/TypeRange(), op->getAttrs());
    newState.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.create(newState);
    replaceOpWithBufferizedValues(rewriter, op, destinations);
    return success();
  }
};

template <typename... Ops> void attachTo(MLIRContext &context) {
  (Ops::template attachInterface<StructuredOpInterface<Ops>>(context), ...);
}

} // namespace

void tinyattn::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TinyAttnDialect *) {
    attachTo<LinearOp, BroadcastOp, LinearAccumulateOp, RequantizeOp, MatmulOp,
             SoftmaxOp, LayernormOp, LookupOp, AddOp, ConvOp, PoolOp,
             EmbeddingOp, TransposeOp, IntegerSoftmaxOp, IntegerLayernormOp>(
        *context);
    attachTo<PackRowsOp, PackColumnsOp, PadOp, PackPatchesOp, PackedLinearOp,
             PackedScoresOp, PackedSoftmaxOp, NormalizedSoftmaxOp,
             PackedContextOp, WordLinearOp>(*context);
  });
}
