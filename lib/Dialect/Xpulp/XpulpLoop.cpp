// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// Regions of instructions: blocks and hardware loops.

#include "TinyFormer/Dialect/Xpulp/Xpulp.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::xpulp;

#define GET_OP_CLASSES
#include "TinyFormer/Dialect/Xpulp/XpulpLoop.cpp.inc"

void XpulpDialect::addLoops() {
  addOperations<
#define GET_OP_LIST
#include "TinyFormer/Dialect/Xpulp/XpulpLoop.cpp.inc"
      >();
}

unsigned xpulp::countInstructions(int32_t constant) {
  return llvm::isInt<12>(constant) || (constant & 0xfff) == 0 ? 1 : 2;
}

static unsigned countInstructions(Operation &op) {
  if (auto loop = dyn_cast<HwloopOp>(op))
    return 1 + countInstructions(loop.getBody().front());
  if (auto li = dyn_cast<LiOp>(op))
    return countInstructions(static_cast<int32_t>(li.getValue()));
  return 1;
}

unsigned xpulp::countInstructions(Block &body) {
  unsigned count = 0;
  for (Operation &op : body.without_terminator())
    count += ::countInstructions(op);
  return count;
}

//===----------------------------------------------------------------------===//
// What both have in common
//===----------------------------------------------------------------------===//

static LogicalResult verifyBody(Operation *op) {
  Block &body = op->getRegion(0).front();
  unsigned yielded = body.getTerminator()->getNumOperands();
  if (yielded != op->getNumResults())
    return op->emitOpError() << "has " << op->getNumResults()
                             << " results, but yields " << yielded << " values";
  for (Operation &each : body.without_terminator())
    if (!isa<InstructionOpInterface, HwloopOp>(each))
      return each.emitOpError()
             << "is not an instruction of '" << op->getName() << "'";
  return success();
}

/// Without the empty yield that is implied.
static void printBody(Operation *op, OpAsmPrinter &printer) {
  printer << ' ';
  printer.printRegion(op->getRegion(0), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/op->getNumResults() > 0);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void BlockOp::build(
    OpBuilder &builder, OperationState &state,
    llvm::function_ref<SmallVector<Value>(OpBuilder &, Location)> body) {
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(state.addRegion());
  SmallVector<Value> values = body(builder, state.location);
  YieldOp::create(builder, state.location, values);
  state.addTypes(SmallVector<Type>(values.size(), builder.getI32Type()));
}

ParseResult BlockOp::parse(OpAsmParser &parser, OperationState &state) {
  Region *body = state.addRegion();
  if (parser.parseRegion(*body, /*arguments=*/{}) ||
      parser.parseOptionalAttrDict(state.attributes))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), state.location);
  state.addTypes(
      SmallVector<Type>(body->front().getTerminator()->getNumOperands(),
                        parser.getBuilder().getI32Type()));
  return success();
}

void BlockOp::print(OpAsmPrinter &printer) {
  printBody(*this, printer);
  printer.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult BlockOp::verify() {
  if (getBody().getNumArguments() != 0)
    return emitOpError("has no arguments, but uses values from outside");
  return verifyBody(*this);
}

//===----------------------------------------------------------------------===//
// Hardware loops
//===----------------------------------------------------------------------===//

using BodyBuilder =
    llvm::function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)>;

static void buildLoop(OpBuilder &builder, OperationState &state, Value count,
                      ValueRange inits, BodyBuilder body) {
  if (count)
    state.addOperands(count);
  state.addOperands(inits);
  state.getOrAddProperties<HwloopOp::Properties>().operandSegmentSizes = {
      count ? 1 : 0, static_cast<int32_t>(inits.size())};
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Type> types(inits.size(), builder.getI32Type());
  SmallVector<Location> locations(inits.size(), state.location);
  Block *block = builder.createBlock(state.addRegion(), {}, types, locations);
  SmallVector<Value> values =
      body(builder, state.location, block->getArguments());
  YieldOp::create(builder, state.location, values);
  state.addTypes(types);
}

void HwloopOp::build(OpBuilder &builder, OperationState &state, Value count,
                     ValueRange inits, BodyBuilder body) {
  buildLoop(builder, state, count, inits, body);
}

void HwloopOp::build(OpBuilder &builder, OperationState &state, int32_t count,
                     ValueRange inits, BodyBuilder body) {
  state.getOrAddProperties<Properties>().constantCount =
      builder.getI32IntegerAttr(count);
  buildLoop(builder, state, /*count=*/{}, inits, body);
}

/// A value or a number.
static ParseResult parseCount(OpAsmParser &parser, OperationState &state) {
  int32_t number;
  OptionalParseResult parsed = parser.parseOptionalInteger(number);
  if (parsed.has_value()) {
    state.getOrAddProperties<HwloopOp::Properties>().constantCount =
        parser.getBuilder().getI32IntegerAttr(number);
    return *parsed;
  }
  OpAsmParser::UnresolvedOperand operand;
  return failure(parser.parseOperand(operand) ||
                 parser.resolveOperand(operand,
                                       parser.getBuilder().getI32Type(),
                                       state.operands));
}

ParseResult HwloopOp::parse(OpAsmParser &parser, OperationState &state) {
  Type i32 = parser.getBuilder().getI32Type();
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> inits;
  if (parseCount(parser, state))
    return failure();
  int32_t counts = state.operands.size();
  if (succeeded(parser.parseOptionalKeyword("iter_args")) &&
      parser.parseAssignmentList(arguments, inits))
    return failure();
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = i32;
  Region *body = state.addRegion();
  if (parser.resolveOperands(inits, i32, state.operands) ||
      parser.parseRegion(*body, arguments) ||
      parser.parseOptionalAttrDict(state.attributes))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), state.location);
  state.getOrAddProperties<Properties>().operandSegmentSizes = {
      counts, static_cast<int32_t>(inits.size())};
  state.addTypes(SmallVector<Type>(inits.size(), i32));
  return success();
}

void HwloopOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  if (getCount())
    printer << getCount();
  else
    printer << *getConstantCount();
  if (!getInits().empty()) {
    printer << " iter_args(";
    llvm::interleaveComma(
        llvm::zip(getIterArgs(), getInits()), printer, [&](auto pair) {
          printer << std::get<0>(pair) << " = " << std::get<1>(pair);
        });
    printer << ')';
  }
  printBody(*this, printer);
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"operandSegmentSizes", "constantCount"});
}

YieldOp HwloopOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

static unsigned getDepth(HwloopOp loop) {
  unsigned depth = 1;
  while ((loop = loop->getParentOfType<HwloopOp>()))
    ++depth;
  return depth;
}

/// The outer loop's last instruction lies at least two behind that of any loop
/// inside. Only the last one can be too near: behind the others is a loop.
static LogicalResult verifyBehindInner(HwloopOp outer) {
  unsigned behind = 0;
  for (Operation &op :
       llvm::reverse(outer.getBody().front().without_terminator())) {
    if (!isa<HwloopOp>(op)) {
      behind += countInstructions(op);
      continue;
    }
    if (behind >= minBehindInner)
      return success();
    return outer.emitOpError()
           << "needs at least " << minBehindInner
           << " instructions behind the loop inside, got " << behind;
  }
  return success();
}

LogicalResult HwloopOp::verify() {
  if (bool(getCount()) == getConstantCount().has_value())
    return emitOpError("expects either a value or a number as count");
  if (getConstantCount() && static_cast<int32_t>(*getConstantCount()) < 1)
    return emitOpError() << "runs at least once, got count "
                         << static_cast<int32_t>(*getConstantCount());
  if (getIterArgs().size() != getInits().size() ||
      getNumResults() != getInits().size())
    return emitOpError() << "has " << getInits().size() << " inits, but "
                         << getIterArgs().size() << " arguments and "
                         << getNumResults() << " results";
  if (getDepth(*this) > 2)
    return emitOpError("is nested three deep, but the hardware has two loops");
  if (failed(verifyBody(*this)) || failed(verifyBehindInner(*this)))
    return failure();
  unsigned count = countInstructions(getBody().front());
  if (count < minBodySize || count > maxBodySize)
    return emitOpError() << "expects a body of " << minBodySize << " to "
                         << maxBodySize << " instructions, got " << count;
  return success();
}
