// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Support/Locations.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

std::string tinyattn::getLayerName(Location location) {
  if (auto name = location->findInstanceOf<NameLoc>())
    return name.getName().str();
  return "";
}

Location tinyattn::appendToName(Location location, StringRef suffix) {
  std::string name = getLayerName(location);
  if (!name.empty())
    name += '/';
  auto attr = StringAttr::get(location.getContext(), name + suffix);
  if (auto named = dyn_cast<NameLoc>(location))
    return NameLoc::get(attr, named.getChildLoc());
  return NameLoc::get(attr, location);
}
