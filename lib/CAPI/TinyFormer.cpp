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

MlirLogicalResult tinyformerTranslateToLLVMIR(MlirOperation module,
                                              MlirStringCallback callback,
                                              void *userData) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(unwrap(module), context);
  if (!translated)
    return mlirLogicalResultFailure();
  detail::CallbackOstream stream(callback, userData);
  translated->print(stream, /*AAW=*/nullptr);
  return mlirLogicalResultSuccess();
}
