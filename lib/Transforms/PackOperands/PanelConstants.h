// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and tables as the ops on panels want them, each once in a function.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PANELCONSTANTS_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PANELCONSTANTS_H

#include "BlockBuilder.h"
#include "Packable.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::tinyattn {

class PanelConstants {
public:
  explicit PanelConstants(FunctionOpInterface function) : function(function) {}

  struct Panel {
    Value value;
    PanelForm form;
  };

  /// The panel of a layer's weights, the part that the layer uses.
  Panel getWeights(BlockBuilder &b, const PackableLinear &linear,
                   bool interleaved);

  /// The table of a softmax from its end.
  Value getReversed(Location loc, Value table);
  /// The table of a `lookup` of x, of which 128 less is read: T'[x + 128] is
  /// T[the signed byte of x + 128].
  Value getRotated(Location loc, Value table);

private:
  Panel &getWhole(Location loc, const PackableLinear &linear, bool inParts,
                  bool interleaved);
  OpBuilder atEntry();

  FunctionOpInterface function;
  /// By weights, bias and multipliers, the width of parts, the shift, and
  /// whether they are interleaved.
  using Key = std::tuple<Value, Value, Value, int64_t, int64_t, int64_t>;
  llvm::DenseMap<Key, Panel> panels;
  llvm::DenseMap<Value, Value> tables;
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PANELCONSTANTS_H
