// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hardware loops and their rules.

#include "TinyFormer/Simulator/Cluster.h"
#include "TinyFormer/Simulator/Core.h"
#include "TinyFormer/Simulator/Fault.h"

using namespace tinyformer::pulp;

namespace {

constexpr uint32_t shortestBody = 3;
/// What the end of the outer loop must be behind that of the inner one.
constexpr uint32_t nestingDistance = 8;

bool transfersControl(const Instruction &i) {
  return i.kind == Kind::Branch || i.kind == Kind::Jump ||
         i.kind == Kind::JumpRegister;
}

bool contains(const HardwareLoop &loop, uint32_t pc) {
  return loop.count > 0 && loop.start <= pc && pc <= loop.end;
}

} // namespace

void Core::setLoop(const Instruction &i) {
  HardwareLoop &loop = loops[i.n];
  loop.isChecked = false;
  switch (i.kind) {
  case Kind::LoopStart:
    loop.start = i.target;
    return;
  case Kind::LoopEnd:
    loop.end = i.target;
    return;
  case Kind::LoopCount:
    loop.count = i.hasImmediate ? i.immediate : x[i.a];
    return;
  default:
    break;
  }
  loop.start = pc + 4;
  loop.end = i.target;
  loop.count = i.hasImmediate ? i.immediate : x[i.a];
  checkLoop(i.n);
}

/// Where to go behind the last instruction of a body. The inner loop, 0, has
/// priority. The last round leaves its count at 1, as the core does.
uint32_t Core::closeLoops(uint32_t next) {
  for (unsigned number = 0; number < loops.size(); ++number) {
    HardwareLoop &loop = loops[number];
    if (pc != loop.end || loop.count == 0)
      continue;
    if (!loop.isChecked)
      checkLoop(number);
    if (loop.count == 1)
      continue;
    --loop.count;
    return loop.start;
  }
  return next;
}

void Core::checkLoop(unsigned number) {
  HardwareLoop &loop = loops[number];
  const bool isKnown =
      loop.start == loop.checkedStart && loop.end == loop.checkedEnd;
  const std::string complaint = isKnown ? "" : bodyComplaint(loop);
  if (!complaint.empty())
    fail(message("hardware loop %u (0x%08x to 0x%08x): %s", number, loop.start,
                 loop.end, complaint.c_str()));
  loop.checkedStart = loop.start;
  loop.checkedEnd = loop.end;
  checkNesting();
  loop.isChecked = true;
}

/// The rule that a body breaks; empty if it keeps them all.
std::string Core::bodyComplaint(const HardwareLoop &loop) const {
  if (loop.start % 4 != 0)
    return "its body must begin at a multiple of 4";
  if (loop.end < loop.start || loop.end - loop.start < 4 * (shortestBody - 1))
    return message("its body must have at least %u instructions of 4 bytes; "
                   "the end is the address of the last one",
                   shortestBody);
  uint32_t bits = 0;
  for (uint32_t address = loop.start; address <= loop.end; address += 4) {
    const uint8_t *code = cluster.memoryAt(address, 4);
    if (code == nullptr)
      return "its body leaves memory";
    std::memcpy(&bits, code, 4);
    if (isCompressed(bits))
      return message("its body must not have the compressed instruction at "
                     "0x%08x",
                     address);
  }
  if ((loop.end - loop.start) % 4 != 0)
    return "its end is not the address of an instruction";
  const Instruction last = decode(bits, loop.end);
  if (transfersControl(last))
    return message("its last instruction must not be a jump or branch, but is "
                   "%s",
                   disassemble(last).c_str());
  return "";
}

void Core::checkNesting() const {
  const HardwareLoop &inner = loops[0], &outer = loops[1];
  if (inner.count == 0 || outer.count == 0)
    return;
  if (inner.start <= outer.start && outer.end < inner.end)
    fail("hardware loop 1 lies inside of loop 0, but 0 must be the inner one");
  const bool isNested = outer.start <= inner.start && inner.start <= outer.end;
  if (isNested && outer.end < inner.end + nestingDistance)
    fail(message("hardware loop 1 ends at 0x%08x, which must be at least %u "
                 "bytes behind the end of loop 0 at 0x%08x",
                 outer.end, nestingDistance, inner.end));
}

/// A call inside of a body: the callee must leave the loops as they are.
void Core::suspendLoops(uint32_t returnAddress) {
  const uint32_t callPc = returnAddress - 2;
  if (contains(loops[0], callPc) || contains(loops[1], callPc))
    suspended.push_back({returnAddress, x[2], callPc, loops});
}

void Core::resumeLoops(uint32_t target) {
  if (suspended.empty() || suspended.back().returnAddress != target ||
      suspended.back().stackPointer != x[2])
    return;
  const Suspended call = suspended.back();
  suspended.pop_back();
  for (unsigned number = 0; number < loops.size(); ++number) {
    const HardwareLoop &before = call.loops[number], &after = loops[number];
    const bool isSame = before.start == after.start &&
                        before.end == after.end && before.count == after.count;
    if (contains(before, call.callPc) && !isSame)
      fail(message("hardware loop %u, whose body called the function that "
                   "returned here, was changed by it; a callee must save and "
                   "restore the registers 0x7c0 to 0x7c6",
                   number));
  }
}
