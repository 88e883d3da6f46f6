// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PrintAssembly.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::armdsp;

namespace {

class Printer {
public:
  Printer(const Registers &registers, raw_ostream &os)
      : registers(registers), os(os) {}

  void print(Block &block) {
    for (Operation &op : block) {
      if (auto loop = dyn_cast<LoopOp>(op))
        print(loop);
      else if (auto constant = dyn_cast<ConstantOp>(op))
        print(constant);
      else if (auto instruction = dyn_cast<InstructionOpInterface>(op))
        print(instruction);
    }
  }

private:
  StringRef name(Value value) const { return registers.names.lookup(value); }

  void print(LoopOp loop) {
    if (auto copies = registers.copies.find(loop);
        copies != registers.copies.end())
      for (auto [target, source] : copies->second)
        os << (target.starts_with("s") ? "vmov.f32 " : "mov ") << target << ", "
           << source << '\n';
    unsigned label = ++labels;
    os << label << ":\n";
    Block &body = loop.getBody().front();
    print(body);
    auto next = cast<NextOp>(body.getTerminator());
    os << "cmp " << name(next.getCurrent()) << ", "
       << (next.getEnd() ? name(next.getEnd()) : "#0") << '\n'
       << "bne " << label << "b\n";
  }

  void print(ConstantOp op) {
    uint32_t value = op.getValue();
    if (~value < 256) {
      os << "mvn " << name(op.getResult()) << ", #" << ~value << '\n';
      return;
    }
    os << "movw " << name(op.getResult()) << ", #" << (value & 0xffff) << '\n';
    if (value >> 16 != 0)
      os << "movt " << name(op.getResult()) << ", #" << (value >> 16) << '\n';
  }

  void print(InstructionOpInterface op) {
    std::string text = substitute(op);
    // The assembler does not take shifts by nothing.
    for (StringRef nothing : {", lsl #0", ", asr #0", ", ror #0"})
      if (size_t position = text.find(nothing); position != std::string::npos)
        text.erase(position, nothing.size());
    os << text << '\n';
  }

  /// The assembly with registers and numbers in the place of @ and %.
  std::string substitute(InstructionOpInterface op) const {
    std::string text;
    for (StringRef rest = op.getAssembly(); !rest.empty();) {
      char c = rest.front();
      rest = rest.drop_front();
      if (c == '@') {
        text += getOperand(op, rest.front() - '0');
        rest = rest.drop_front();
      } else if (c == '%') {
        StringRef attribute = rest.take_while(
            [](char c) { return llvm::isAlnum(c) || c == '_'; });
        text += std::to_string(getNumber(op, attribute));
        rest = rest.drop_front(attribute.size());
      } else {
        text += c;
      }
    }
    return text;
  }

  StringRef getOperand(Operation *op, unsigned number) const {
    unsigned results = op->getNumResults();
    if (number < results)
      return name(op->getResult(number));
    return name(op->getOperand(number - results));
  }

  static int64_t getNumber(Operation *op, StringRef attribute) {
    return op->getAttrOfType<IntegerAttr>(attribute).getInt();
  }

  const Registers &registers;
  raw_ostream &os;
  unsigned labels = 0;
};

} // namespace

std::string armdsp::printAssembly(BlockOp block, const Registers &registers) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Printer(registers, os).print(block.getBody().front());
  return text;
}
