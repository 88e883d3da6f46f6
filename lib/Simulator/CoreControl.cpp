// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Jumps, calls, control registers and the debugger's instruction.

#include "Retire.h"
#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

using namespace tinyformer::pulp;

namespace {

constexpr unsigned returnAddressRegister = 1;
constexpr unsigned stackPointerRegister = 2;

enum Control : uint32_t {
  VectorBase = 0x305,
  FirstCounter = 0x780,
  AllCounters = 0x79f,
  FirstLoop = 0x7c0,
  Selection = 0x7e0,
  Mode = 0x7e1,
  CycleMachine = 0xb00,
  Cycle = 0xc00,
  SelectionUser = 0xcc0,
  ModeUser = 0xcc1,
  Hart = 0xf14,
  HartUser = 0x014,
};

/// The words around an ebreak that make it a call of the host.
constexpr uint32_t semihostingBefore = 0x01f01013;
constexpr uint32_t semihostingAfter = 0x40705013;

} // namespace

void Core::branch(const Instruction &i) {
  ++counters[Event::Branches];
  if (!i.compute(x[i.a], secondOperand(i), 0, 0))
    return retire(i, timing::branchNotTaken);
  ++counters[Event::TakenBranches];
  next = i.target;
  retire(i, timing::branchTaken);
}

void Core::jump(const Instruction &i, uint32_t target) {
  ++counters[Event::Jumps];
  const uint32_t returnAddress = pc + i.size;
  writeRegister(i.rd, returnAddress);
  next = target;
  retire(i, timing::jump);
  if (i.rd == returnAddressRegister)
    suspendLoops(returnAddress);
  if (i.kind == Kind::JumpRegister)
    leaveFunction(target);
  enterFunction(i, target);
}

void Core::enterFunction(const Instruction &i, uint32_t target) {
  const uint32_t none = uint32_t(counters.layerCycles.size()) - 1;
  if (target == cluster.measuredEntry)
    cluster.beginMeasurement(*this, x[returnAddressRegister],
                             x[stackPointerRegister]);
  if (layer != none || i.function != cluster.topFunction)
    return;
  const uint32_t callee = cluster.program.functionAt(target);
  if (callee == none || callee == cluster.topFunction ||
      cluster.program.functions()[callee].address != target)
    return;
  // A last call may be a jump: then ra is the top-level function's own.
  settle();
  layer = callee;
  layerReturn = x[returnAddressRegister];
  layerStack = x[stackPointerRegister];
}

void Core::leaveFunction(uint32_t target) {
  resumeLoops(target);
  const uint32_t stack = x[stackPointerRegister];
  if (target == layerReturn && stack == layerStack) {
    settle();
    layer = uint32_t(counters.layerCycles.size()) - 1;
  }
  if (cluster.measurement == Cluster::Measurement::Running &&
      index == cluster.measuringCore && target == cluster.measureReturn &&
      stack == cluster.measureStack)
    cluster.endMeasurement(*this);
}

void Core::breakpoint(const Instruction &i) {
  const uint8_t *before = cluster.memoryAt(pc - 4, 4);
  const uint8_t *after = cluster.memoryAt(pc + 4, 4);
  uint32_t words[2] = {0, 0};
  if (before != nullptr && after != nullptr) {
    std::memcpy(&words[0], before, 4);
    std::memcpy(&words[1], after, 4);
  }
  if (words[0] != semihostingBefore || words[1] != semihostingAfter)
    fail("ebreak: no debugger is there");
  semihosting();
  retire(i, 1);
}

/// The two calls of the protocol that programs use: print and exit.
void Core::semihosting() {
  constexpr uint32_t writeString = 0x04, exitCall = 0x18, success = 0x20026;
  const uint32_t call = x[10], argument = x[11];
  if (call == exitCall)
    return cluster.exit(argument == success ? 0 : 1);
  if (call != writeString)
    fail(message("semihosting call 0x%x: only 0x4 (print) and 0x18 (exit) are "
                 "modelled",
                 call));
  for (uint32_t address = argument;; ++address) {
    const uint8_t *character = cluster.memoryAt(address, 1);
    if (character == nullptr)
      fail(message("semihosting prints a string that leaves memory at 0x%08x",
                   address));
    if (*character == 0)
      return;
    cluster.output += char(*character);
  }
}

void Core::controlRegister(const Instruction &i) {
  enum { Write = 1, Set = 2, Clear = 3 };
  const uint32_t operand = i.hasImmediate ? i.target : x[i.a];
  const uint32_t old = readControl(i.immediate);
  const bool writes =
      i.n == Write || (i.hasImmediate ? i.target != 0 : i.a != 0);
  if (writes)
    writeControl(i.immediate, i.n == Write ? operand
                              : i.n == Set ? old | operand
                                           : old & ~operand);
  writeRegister(i.rd, old);
  retire(i, 1);
}

uint32_t *Core::loopRegister(uint32_t number) {
  const uint32_t loop = (number - FirstLoop) / 4, field = number & 3;
  if (number < FirstLoop || loop > 1 || field == 3)
    return nullptr;
  return field == 0   ? &loops[loop].start
         : field == 1 ? &loops[loop].end
                      : &loops[loop].count;
}

uint32_t Core::readControl(uint32_t number) {
  counters[Event::Cycles] = readyAt - countedFrom;
  performance.synchronise(counters);
  if (const uint32_t *loop = loopRegister(number))
    return *loop;
  if (number >= FirstCounter && number < FirstCounter + performanceCounterCount)
    return performance.values[number - FirstCounter];
  switch (number) {
  case Hart:
  case HartUser:
    return hart();
  case CycleMachine:
  case Cycle:
    return uint32_t(readyAt);
  case VectorBase:
    return vectorBase;
  case AllCounters:
    return 0;
  case Selection:
  case SelectionUser:
    return performance.selected;
  case Mode:
  case ModeUser:
    return performance.mode;
  default:
    fail(message("control register 0x%03x is not modelled", number));
  }
}

void Core::writeControl(uint32_t number, uint32_t value) {
  if (uint32_t *loop = loopRegister(number)) {
    *loop = value;
    loops[(number - FirstLoop) / 4].isChecked = false;
    return;
  }
  if (number >= FirstCounter &&
      number < FirstCounter + performanceCounterCount) {
    performance.values[number - FirstCounter] = value;
    return;
  }
  switch (number) {
  case VectorBase:
    vectorBase = value & ~0xffu;
    return;
  case AllCounters:
    performance.values.fill(value);
    return;
  case Selection:
  case SelectionUser:
    performance.selected = value;
    return;
  case Mode:
  case ModeUser:
    performance.mode = value;
    return;
  default:
    fail(message("control register 0x%03x cannot be written", number));
  }
}
