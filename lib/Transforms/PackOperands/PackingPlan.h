// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is packed, and in which layouts: decided before anything changes.

#ifndef TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKINGPLAN_H
#define TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKINGPLAN_H

#include "Packable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tinyattn {

/// What is decided of the result of a linear layer. A form is that of keys and
/// values.
struct LinearResult {
  PanelLayout layout = PanelLayout::Rows;
  std::optional<PanelForm> form;
};

struct PackingPlan {
  explicit PackingPlan(func::FuncOp function);

  /// All readers of the context take a left panel, and it is not too large.
  bool wantsLeft(MatmulOp context) const;

  /// What is packed, by op.
  llvm::MapVector<Operation *, PackableLinear> linears;
  llvm::DenseMap<Operation *, PackableAttention> attention;
  /// Of the projections of attention.
  llvm::DenseMap<Operation *, LinearResult> results;
  /// Of inputs that are keys or, transposed, values themselves.
  llvm::DenseMap<Value, PanelForm> inputForms;

private:
  void decide(PackableAttention &parts);
  void decide(LinearOp projection, Value operand, PanelLayout layout,
              bool joint);
};

} // namespace mlir::tinyattn

#endif // TINYFORMER_LIB_TRANSFORMS_PACKOPERANDS_PACKINGPLAN_H
