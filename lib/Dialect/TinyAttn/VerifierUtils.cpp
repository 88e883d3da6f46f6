// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "VerifierUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::tinyattn;

static std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(shape, os, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      os << '?';
    else
      os << size;
  });
  os << ']';
  return text;
}

LogicalResult tinyattn::verifyShape(Operation *op, StringRef name, Value value,
                                    ArrayRef<int64_t> shape) {
  if (succeeded(verifyCompatibleShape(shaped(value).getShape(), shape)))
    return success();
  return op->emitOpError() << "expects " << name << " of shape "
                           << formatShape(shape) << ", got "
                           << formatShape(shaped(value).getShape());
}

LogicalResult tinyattn::verifyRank(Operation *op, StringRef name, Value value,
                                   int64_t rank) {
  if (shaped(value).getRank() == rank)
    return success();
  return op->emitOpError() << "expects " << name << " of rank " << rank
                           << ", got shape "
                           << formatShape(shaped(value).getShape());
}

LogicalResult tinyattn::verifyElementType(Operation *op, StringRef name,
                                          Value value, Type type) {
  if (shaped(value).getElementType() == type)
    return success();
  return op->emitOpError() << "expects elements of type " << type << " in "
                           << name << ", got "
                           << shaped(value).getElementType();
}

LogicalResult tinyattn::verifyPresence(Operation *op, StringRef name,
                                       bool present, bool expected,
                                       StringRef when) {
  if (present == expected)
    return success();
  return op->emitOpError() << (expected ? "needs " : "takes no ") << name << " "
                           << when;
}

LogicalResult tinyattn::verifyDestinations(Operation *op, unsigned minInits,
                                           unsigned maxInits) {
  // Result types are checked by DestinationStyleOpInterface.
  int64_t inits = cast<DestinationStyleOpInterface>(op).getNumDpsInits();
  if (inits < minInits || inits > maxInits)
    return op->emitOpError()
           << "expects " << minInits
           << (maxInits > minInits ? " or 2 destinations" : " destination")
           << ", got " << inits;
  unsigned memRefs = llvm::count_if(
      op->getOperandTypes(), [](Type type) { return isa<MemRefType>(type); });
  unsigned shapes =
      llvm::count_if(op->getOperandTypes(), llvm::IsaPred<ShapedType>);
  if (memRefs != 0 && memRefs != shapes)
    return op->emitOpError() << "mixes tensors and memrefs";
  return success();
}

Type tinyattn::activationType(MLIRContext *context, bool quantized) {
  return quantized ? Type(IntegerType::get(context, 8))
                   : Type(Float32Type::get(context));
}

Type tinyattn::biasType(MLIRContext *context, bool quantized) {
  return quantized ? Type(IntegerType::get(context, 32))
                   : Type(Float32Type::get(context));
}
