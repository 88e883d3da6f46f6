// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Support/Constants.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

FailureOr<SmallVector<char>> tinyattn::getElementBytes(Attribute attribute) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements || !elements.getElementType().isIntOrFloat())
    return failure();
  size_t elementSize =
      llvm::divideCeil(elements.getElementType().getIntOrFloatBitWidth(), 8);
  size_t size = elements.getNumElements() * elementSize;
  ArrayRef<char> data;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    data = dense.getRawData();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return failure();
    data = blob->getData();
  }
  SmallVector<char> bytes;
  bytes.reserve(size);
  if (elements.isSplat() && data.size() == elementSize)
    while (bytes.size() < size)
      bytes.append(data.begin(), data.end());
  else
    bytes.append(data.begin(), data.end());
  if (bytes.size() != size)
    return failure();
  return bytes;
}

Attribute tinyattn::getConstantAttribute(Value value) {
  Attribute attribute;
  if (!value || !matchPattern(value, m_Constant(&attribute)))
    return nullptr;
  return attribute;
}
