// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer-c/TinyFormer.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/RegisterAll.h"
#include "TinyFormer/Support/Constants.h"
#include "TinyFormer/Transforms/MemoryPlanner.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "mlir/CAPI/Utils.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir;

void tinyformerRegisterDialects(MlirDialectRegistry registry) {
  tinyattn::registerAllDialects(*unwrap(registry));
}

void tinyformerRegisterPasses() {
  static bool registered = (tinyattn::registerAllPasses(), true);
  (void)registered;
}

MlirLogicalResult tinyformerGetElementBytes(MlirAttribute attribute,
                                            MlirStringCallback callback,
                                            void *userData) {
  FailureOr<SmallVector<char>> bytes =
      tinyattn::getElementBytes(unwrap(attribute));
  if (failed(bytes))
    return mlirLogicalResultFailure();
  callback(mlirStringRefCreate(bytes->data(), bytes->size()), userData);
  return mlirLogicalResultSuccess();
}

MlirLogicalResult tinyformerGetRequantFields(MlirAttribute attribute,
                                             int32_t *multiplier,
                                             int32_t *shift, int32_t *zeroPoint,
                                             bool *wide) {
  auto requant = dyn_cast<tinyattn::RequantAttr>(unwrap(attribute));
  if (!requant)
    return mlirLogicalResultFailure();
  *multiplier = requant.getMultiplier();
  *shift = requant.getShift();
  *zeroPoint = requant.getZeroPoint();
  *wide = requant.getWide();
  return mlirLogicalResultSuccess();
}

static std::vector<tinyformer::Buffer>
makeBuffers(intptr_t count, const uint64_t *sizes, const uint32_t *starts,
            const uint32_t *ends, const uint64_t *alignments) {
  std::vector<tinyformer::Buffer> buffers;
  for (intptr_t i = 0; i < count; ++i)
    buffers.push_back({sizes[i], starts[i], ends[i], alignments[i]});
  return buffers;
}

void tinyformerPlanMemory(intptr_t count, const uint64_t *sizes,
                          const uint32_t *starts, const uint32_t *ends,
                          const uint64_t *alignments, uint64_t *offsets,
                          uint64_t *arenaSize, uint64_t *lowerBound) {
  tinyformer::Plan plan = tinyformer::planMemory(
      makeBuffers(count, sizes, starts, ends, alignments));
  llvm::copy(plan.offsets, offsets);
  *arenaSize = plan.size;
  *lowerBound = plan.lowerBound;
}

MlirLogicalResult tinyformerSpreadMemory(
    intptr_t count, const uint64_t *sizes, const uint32_t *starts,
    const uint32_t *ends, const uint64_t *alignments, intptr_t memoryCount,
    const uint64_t *capacities, uint32_t *memories, uint64_t *offsets,
    uint64_t *arenaSizes, uint64_t *lowerBounds) {
  tinyformer::SpreadPlan plan = tinyformer::spreadMemory(
      makeBuffers(count, sizes, starts, ends, alignments),
      std::vector<uint64_t>(capacities, capacities + memoryCount));
  if (!plan.fits)
    return mlirLogicalResultFailure();
  llvm::copy(plan.memories, memories);
  llvm::copy(plan.offsets, offsets);
  for (auto [index, arena] : llvm::enumerate(plan.arenas)) {
    arenaSizes[index] = arena.size;
    lowerBounds[index] = arena.lowerBound;
  }
  return mlirLogicalResultSuccess();
}

/// As clang does it: assembly without side effects, memory included, is free to
/// be moved, merged and dropped. The llvm dialect has no attribute for that.
static void markPureAssembly(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *call = dyn_cast<llvm::CallInst>(&instruction);
      auto *assembly =
          call ? dyn_cast<llvm::InlineAsm>(call->getCalledOperand()) : nullptr;
      if (!assembly || assembly->hasSideEffects())
        continue;
      call->setDoesNotAccessMemory();
      call->setDoesNotThrow();
      call->addFnAttr(llvm::Attribute::WillReturn);
    }
}

MlirLogicalResult tinyformerTranslateToLLVMIR(MlirOperation module,
                                              MlirStringCallback callback,
                                              void *userData) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(unwrap(module), context);
  if (!translated)
    return mlirLogicalResultFailure();
  markPureAssembly(*translated);
  detail::CallbackOstream stream(callback, userData);
  translated->print(stream, /*AAW=*/nullptr);
  return mlirLogicalResultSuccess();
}
