// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of layers travel as locations: the importer gives each op a NameLoc
// with the name of its ONNX node.

#ifndef TINYFORMER_SUPPORT_LOCATIONS_H
#define TINYFORMER_SUPPORT_LOCATIONS_H

#include "mlir/IR/Location.h"

namespace mlir::tinyattn {

/// The layer's name in `location`, or "" if it has none.
std::string getLayerName(Location location);

/// `location`, its layer called `name/suffix`.
Location appendToName(Location location, StringRef suffix);

} // namespace mlir::tinyattn

#endif // TINYFORMER_SUPPORT_LOCATIONS_H
