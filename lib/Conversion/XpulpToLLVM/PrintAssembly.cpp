// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PrintAssembly.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::xpulp;

/// A field of the instruction: an attribute, or some of its six bits.
static int64_t getNumber(Operation *op, StringRef field) {
  auto [name, bits] = field.split('.');
  int64_t value = op->getAttrOfType<IntegerAttr>(name).getInt();
  if (bits == "high")
    return value >> 1 & 31;
  return bits == "low" ? value & 1 : value;
}

/// The assembly with registers and numbers in the place of @ and %.
static std::string substitute(InstructionOpInterface op,
                              llvm::function_ref<std::string(unsigned)> name) {
  std::string text;
  for (StringRef rest = op.getAssembly(); !rest.empty();) {
    char c = rest.front();
    rest = rest.drop_front();
    if (c == '@') {
      text += name(rest.front() - '0');
      rest = rest.drop_front();
    } else if (c == '%') {
      StringRef field =
          rest.take_while([](char c) { return llvm::isAlpha(c) || c == '.'; });
      text += std::to_string(getNumber(op, field));
      rest = rest.drop_front(field.size());
    } else {
      text += c;
    }
  }
  return text;
}

std::string xpulp::printInstruction(InstructionOpInterface op) {
  return substitute(
      op, [](unsigned number) { return "$" + std::to_string(number); });
}

namespace {

class Printer {
public:
  Printer(const Slots &slots, ArrayRef<unsigned> operands, raw_ostream &os)
      : slots(slots), operands(operands), os(os) {}

  void print(Block &body) {
    for (Operation &op : body) {
      for (Copy copy : slots.copies.lookup(&op))
        os << "mv " << name(copy.target) << ", " << name(copy.source) << '\n';
      if (auto loop = dyn_cast<HwloopOp>(op))
        print(loop);
      else if (auto li = dyn_cast<LiOp>(op))
        printConstant(name(li.getResult()), li.getValue());
      else if (auto instruction = dyn_cast<InstructionOpInterface>(op))
        os << substitute(instruction, [&](unsigned number) {
          unsigned results = op.getNumResults();
          return name(number < results ? Value(op.getResult(number))
                                       : op.getOperand(number - results));
        }) << '\n';
    }
  }

private:
  std::string name(unsigned slot) const {
    return "$" + std::to_string(operands[slot]);
  }
  std::string name(Value value) const {
    return name(slots.numbers.lookup(value));
  }

  void printConstant(StringRef target, int32_t value) {
    if (countInstructions(value) == 1) {
      os << "li " << target << ", " << value << '\n';
      return;
    }
    int32_t low = llvm::SignExtend32<12>(value);
    uint32_t high = (uint32_t(value) - uint32_t(low)) >> 12;
    os << "lui " << target << ", " << high << '\n'
       << "addi " << target << ", " << target << ", " << low << '\n';
  }

  void print(HwloopOp loop) {
    // Within a loop everything is aligned, and nothing is compressed.
    bool isOuter = !loop->getParentOfType<HwloopOp>();
    auto counter = slots.counters.find(loop);
    if (counter != slots.counters.end())
      printConstant(name(counter->second), *loop.getConstantCount());
    if (isOuter)
      os << ".p2align 2\n.option push\n.option norvc\n";
    printSetup(loop);
    print(loop.getBody().front());
    if (isOuter)
      os << ".option pop\n";
  }

  /// lp.setup, or lp.setupi where the number of rounds fits: the distance to
  /// the last instruction is counted in halves of instructions.
  void printSetup(HwloopOp loop) {
    bool hasInner = !loop.getBody().getOps<HwloopOp>().empty();
    unsigned end = 2 * slots.lengths.lookup(loop);
    os << ".insn i 0x7b, ";
    if (loop.getConstantCount() && !slots.counters.contains(loop)) {
      os << "5, x" << hasInner << ", x" << end << ", "
         << llvm::SignExtend32<12>(*loop.getConstantCount()) << '\n';
      return;
    }
    os << "4, x" << hasInner << ", "
       << (loop.getCount() ? name(loop.getCount())
                           : name(slots.counters.lookup(loop)))
       << ", " << llvm::SignExtend32<12>(end) << '\n';
  }

  const Slots &slots;
  ArrayRef<unsigned> operands;
  raw_ostream &os;
};

} // namespace

std::string xpulp::printBlock(BlockOp block, const Slots &slots,
                              ArrayRef<unsigned> operands) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Printer(slots, operands, os).print(block.getBody().front());
  return text;
}
