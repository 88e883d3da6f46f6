// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;

#include "TinyFormer/Dialect/TinyAttn/TinyAttnDialect.cpp.inc"
#include "TinyFormer/Dialect/TinyAttn/TinyAttnEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "TinyFormer/Dialect/TinyAttn/TinyAttnAttrs.cpp.inc"

void TinyAttnDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/TinyAttn/TinyAttnOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "TinyFormer/Dialect/TinyAttn/TinyAttnAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

static LogicalResult verifyRange(EmitError emitError, NamedAttribute attr) {
  auto range = dyn_cast<DenseF64ArrayAttr>(attr.getValue());
  if (!range || range.size() != 2)
    return emitError() << attr.getName().getValue()
                       << " must be array<f64: low, high>";
  if (!(range[0] <= range[1]))
    return emitError() << attr.getName().getValue() << " has low " << range[0]
                       << " above high " << range[1];
  return success();
}

static LogicalResult verifyAbsMax(EmitError emitError, NamedAttribute attr) {
  auto values = dyn_cast<DenseF64ArrayAttr>(attr.getValue());
  if (!values)
    return emitError() << attr.getName().getValue()
                       << " must be array<f64: ...>, one value a head";
  for (double value : values.asArrayRef())
    if (!(value >= 0))
      return emitError() << attr.getName().getValue() << " holds " << value
                         << ", expected no negative value";
  return success();
}

static LogicalResult verifyWeightScales(EmitError emitError,
                                        NamedAttribute attr) {
  StringRef name = attr.getName();
  auto scales = dyn_cast<DenseF64ArrayAttr>(attr.getValue());
  if (!scales)
    return emitError() << name << " must be array<f64: ...>, one value a row";
  for (double scale : scales.asArrayRef())
    if (!(scale > 0))
      return emitError() << name << " holds " << scale
                         << ", expected positive values";
  return success();
}

/// What may stand on function arguments and results.
static LogicalResult verifyValueAttribute(EmitError emitError,
                                          NamedAttribute attr) {
  StringRef name = attr.getName();
  if (name == kRange)
    return verifyRange(emitError, attr);
  if (name == kScale) {
    auto scale = dyn_cast<FloatAttr>(attr.getValue());
    if (scale && scale.getType().isF64() && scale.getValueAsDouble() > 0)
      return success();
    return emitError() << name << " must be a positive f64";
  }
  if (name == kZeroPoint) {
    auto zero = dyn_cast<IntegerAttr>(attr.getValue());
    if (zero && zero.getType().isInteger(32) && zero.getInt() >= -128 &&
        zero.getInt() <= 127)
      return success();
    return emitError() << name << " must be an i32 within [-128, 127]";
  }
  if (name == kArena) {
    if (isa<StringAttr>(attr.getValue()))
      return success();
    return emitError() << name << " must be a string, the memory's name";
  }
  if (name == kArenaLowerBound) {
    auto bytes = dyn_cast<IntegerAttr>(attr.getValue());
    if (bytes && bytes.getType().isInteger(64) && bytes.getInt() >= 0)
      return success();
    return emitError() << name << " must be an i64 that is not negative";
  }
  return emitError() << "unknown attribute " << name
                     << " on a function argument or result";
}

LogicalResult TinyAttnDialect::verifyOperationAttribute(Operation *op,
                                                        NamedAttribute attr) {
  auto emitError = [op] { return op->emitOpError(); };
  StringRef name = attr.getName();
  if (name == kRange || name == kScoresRange || name == kContextRange)
    return verifyRange(emitError, attr);
  if (name == kQueryAbsMax || name == kKeyAbsMax || name == kValueAbsMax)
    return verifyAbsMax(emitError, attr);
  if (name == kWeightScales)
    return verifyWeightScales(emitError, attr);
  if (name == kFusion || name == kNarrowed || name == kSchedules ||
      name == kFeedForward) {
    if (isa<FunctionOpInterface>(op) && isa<ArrayAttr>(attr.getValue()))
      return success();
    return op->emitOpError() << name << " must be an array on a function";
  }
  if (name == kPlan) {
    if (isa<FunctionOpInterface>(op) && isa<DictionaryAttr>(attr.getValue()))
      return success();
    return op->emitOpError() << name << " must be a dictionary on a function";
  }
  if (name != kTarget)
    return op->emitOpError() << "has unknown attribute " << name;
  if (!isa<ModuleOp>(op) || !isa<TargetAttr>(attr.getValue()))
    return op->emitOpError()
           << name << " must be a #tinyattn.target on a module";
  return success();
}

LogicalResult TinyAttnDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                        unsigned,
                                                        NamedAttribute attr) {
  return verifyValueAttribute([op] { return op->emitOpError(); }, attr);
}

LogicalResult
TinyAttnDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                             NamedAttribute attr) {
  return verifyValueAttribute([op] { return op->emitOpError(); }, attr);
}

//===----------------------------------------------------------------------===//
// Attribute verifiers
//===----------------------------------------------------------------------===//

LogicalResult RequantAttr::verify(EmitError emitError, int32_t multiplier,
                                  int32_t shift, int32_t zeroPoint, bool wide) {
  int32_t maxShift = wide ? 54 : 30;
  if (shift < 1 || shift > maxShift)
    return emitError() << "shift must lie in [1, " << maxShift << "], got "
                       << shift;
  if (zeroPoint < -128 || zeroPoint > 127)
    return emitError() << "zero point must lie in [-128, 127], got "
                       << zeroPoint;
  if (multiplier < 0)
    return emitError() << "multiplier must not be negative, got " << multiplier;
  return success();
}

LogicalResult MemoryAttr::verify(EmitError emitError, StringRef name,
                                 MemoryKind, uint64_t size, uint64_t reserved) {
  if (name.empty())
    return emitError() << "a memory needs a name";
  if (reserved > size)
    return emitError() << "memory '" << name << "' reserves " << reserved
                       << " bytes but holds " << size;
  return success();
}

LogicalResult DmaAttr::verify(EmitError emitError, StringRef, uint32_t,
                              uint32_t bytesPerCycle) {
  if (bytesPerCycle == 0)
    return emitError() << "a DMA moves at least 1 byte a cycle";
  return success();
}

LogicalResult TargetAttr::verify(EmitError emitError, StringRef, StringRef,
                                 StringRef, int32_t cores,
                                 ArrayRef<MemoryAttr> memories, DmaAttr dma) {
  if (cores < 1)
    return emitError() << "a target needs at least 1 core, got " << cores;
  llvm::SmallDenseSet<StringRef> names;
  for (MemoryAttr memory : memories)
    if (!names.insert(memory.getName()).second)
      return emitError() << "two memories are called '" << memory.getName()
                         << "'";
  if (!dma)
    return success();
  if (!names.contains(dma.getFar()) ||
      dma.getFar() == memories.front().getName())
    return emitError() << "the DMA needs a second memory, but '" << dma.getFar()
                       << "' is "
                       << (names.contains(dma.getFar())
                               ? "the first"
                               : "none of the target's");
  return success();
}
