// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"
#include "TinyFormer/Support/Locations.h"
#include "TinyFormer/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
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

LogicalResult checkOperands(Operation *op) {
  for (Type type : op->getOperandTypes()) {
    auto memRef = dyn_cast<MemRefType>(type);
    if (!memRef)
      return op->emitOpError()
             << "works on " << type << ": bufferize it before it is outlined";
    SmallVector<int64_t> strides;
    int64_t offset;
    bool isStatic = memRef.hasStaticShape() &&
                    (memRef.getLayout().isIdentity() ||
                     (succeeded(memRef.getStridesAndOffset(strides, offset)) &&
                      !ShapedType::isDynamic(offset) &&
                      !ShapedType::isDynamicShape(strides)));
    if (!isStatic)
      return op->emitOpError() << "has an operand of type " << type
                               << ", expected static sizes, strides and offset";
  }
  return success();
}

/// The function that does what `op` does, and the operands it is called with.
/// An operand that appears twice is passed once.
func::FuncOp createKernel(Operation *op, StringRef name,
                          SmallVectorImpl<Value> &arguments) {
  SmallVector<Value> constants;
  for (Value operand : op->getOperands()) {
    bool isConstant = operand.getDefiningOp<memref::GetGlobalOp>() != nullptr;
    SmallVectorImpl<Value> &list = isConstant ? constants : arguments;
    if (!llvm::is_contained(list, operand))
      list.push_back(operand);
  }

  Location loc = op->getLoc();
  OpBuilder builder(op->getContext());
  auto type = builder.getFunctionType(ValueRange(arguments).getTypes(), {});
  auto kernel = func::FuncOp::create(builder, loc, name, type);
  kernel.setPrivate();
  // Of the ways to say this, the one that the conversion to llvm keeps.
  kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  Block *body = kernel.addEntryBlock();
  IRMapping mapping;
  mapping.map(arguments, body->getArguments());
  builder.setInsertionPointToStart(body);
  for (Value constant : constants)
    builder.clone(*constant.getDefiningOp(), mapping);
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
      if (failed(checkOperands(op)))
        return signalPassFailure();
      auto parent = op->getParentOfType<func::FuncOp>();
      SmallVector<Value> arguments;
      func::FuncOp kernel = createKernel(op, makeName(parent, op), arguments);
      // In the order of execution, after the function that calls them.
      symbols.insert(kernel, getOperation().getBody()->end());
      OpBuilder builder(op);
      func::CallOp::create(builder, op->getLoc(), kernel, arguments);
      op->erase();
    }
    eraseUnusedConstants();
  }

  /// The constants whose only readers moved out.
  void eraseUnusedConstants() {
    getOperation().walk([](memref::GetGlobalOp constant) {
      if (constant->use_empty())
        constant.erase();
    });
  }
};

} // namespace
} // namespace mlir::tinyattn
