// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::tinyattn {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "TinyFormer/Transforms/Passes.h.inc"

namespace {

bool isKernel(Operation *op) {
  return isa<memref::CopyOp>(op) ||
         (isa_and_present<TinyAttnDialect>(op->getDialect()) &&
          isa<DestinationStyleOpInterface>(op));
}

/// A C identifier: `function`, the layer's name, the op's name.
std::string makeName(func::FuncOp function, Operation *op) {
  std::string name;
  for (char c : function.getName().str() + "_" + getLayerName(op->getLoc()) +
                    "_" + op->getName().stripDialect().str()) {
    c = llvm::isAlnum(c) ? c : '_';
    if (c != '_' || name.empty() || name.back() != '_')
      name += c;
  }
  return name;
}

bool isStatic(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.hasStaticShape() &&
         (type.getLayout().isIdentity() ||
          (succeeded(type.getStridesAndOffset(strides, offset)) &&
           !ShapedType::isDynamic(offset) &&
           !ShapedType::isDynamicShape(strides)));
}

/// What the body of a kernel is made of: its arguments, and the ops before the
/// kernel's own that move with it.
struct Operands {
  /// A pointer cannot carry an offset that is known at run time only. So the
  /// slice of such an operand moves into the kernel, which receives what is
  /// sliced, and the offsets. Constants move too.
  void add(Value value) {
    if (!seen.insert(value).second)
      return;
    auto slice = value.getDefiningOp<memref::SubViewOp>();
    if (slice && !isStatic(slice.getType())) {
      for (Value operand : slice->getOperands())
        add(operand);
      moved.push_back(slice);
    } else if (auto constant = value.getDefiningOp<memref::GetGlobalOp>()) {
      moved.push_back(constant);
    } else if (value.getDefiningOp<arith::ConstantOp>()) {
      moved.push_back(value.getDefiningOp());
    } else {
      arguments.push_back(value);
    }
  }

  SmallVector<Value> arguments;
  SmallVector<Operation *> moved;
  llvm::SmallDenseSet<Value> seen;
};

LogicalResult checkOperands(Operation *op, const Operands &operands) {
  for (Type type : op->getOperandTypes()) {
    if (type.isIndex())
      continue;
    auto memRef = dyn_cast<MemRefType>(type);
    if (!memRef)
      return op->emitOpError()
             << "works on " << type << ": bufferize it before it is outlined";
    if (!memRef.hasStaticShape())
      return op->emitOpError()
             << "has an operand of type " << type << ", expected static sizes";
  }
  for (Value argument : operands.arguments) {
    auto memRef = dyn_cast<MemRefType>(argument.getType());
    if (memRef && !isStatic(memRef))
      return op->emitOpError() << "has an operand of type " << memRef
                               << ", expected static sizes, strides and offset "
                                  "or a slice of such";
  }
  return success();
}

/// The function that does what `op` does. An operand that appears twice is
/// passed once.
func::FuncOp createKernel(Operation *op, StringRef name,
                          const Operands &operands) {
  Location loc = op->getLoc();
  OpBuilder builder(op->getContext());
  auto type =
      builder.getFunctionType(ValueRange(operands.arguments).getTypes(), {});
  auto kernel = func::FuncOp::create(builder, loc, name, type);
  kernel.setPrivate();
  // Of the ways to say this, the one that the conversion to llvm keeps.
  kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  Block *body = kernel.addEntryBlock();
  IRMapping mapping;
  mapping.map(operands.arguments, body->getArguments());
  builder.setInsertionPointToStart(body);
  for (Operation *moved : operands.moved)
    builder.clone(*moved, mapping);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, loc);
  return kernel;
}

struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<Operation *> ops;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        function.walk([&](Operation *op) {
          if (isKernel(op))
            ops.push_back(op);
        });

    for (Operation *op : ops) {
      Operands operands;
      for (Value operand : op->getOperands())
        operands.add(operand);
      if (failed(checkOperands(op, operands)))
        return signalPassFailure();
      auto parent = op->getParentOfType<func::FuncOp>();
      func::FuncOp kernel = createKernel(op, makeName(parent, op), operands);
      // In the order of execution, after the function that calls them.
      symbols.insert(kernel, getOperation().getBody()->end());
      OpBuilder builder(op);
      func::CallOp::create(builder, op->getLoc(), kernel, operands.arguments);
      op->erase();
    }
    eraseUnused();
  }

  /// The constants and slices whose only readers moved out, last one first.
  void eraseUnused() {
    getOperation().walk<WalkOrder::PostOrder, ReverseIterator>(
        [](Operation *op) {
          if (isa<memref::GetGlobalOp, memref::SubViewOp>(op) &&
              op->use_empty())
            op->erase();
        });
  }
};

} // namespace
} // namespace mlir::tinyattn
