// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starting, decoding, counting, and messages.

#include "Retire.h"

#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

#include <algorithm>

using namespace tinyformer::pulp;

Core::Core(Cluster &cluster, unsigned index)
    : index(index), cluster(cluster),
      watchesRaces(cluster.configuration().raceDetector) {
  const size_t functions = cluster.executable().functions().size() + 1;
  counters.functionCycles.assign(functions, 0);
  counters.layerCycles.resize(functions);
  counters.functionMisaligned.assign(functions, 0);
  layer = uint32_t(functions) - 1;
}

void Core::start(uint32_t address, uint64_t now) {
  pc = address;
  turnPage();
  readyAt = profiledSince = now;
  state = CoreState::Running;
}

std::string Core::name() const {
  return isFabric() ? "the fabric controller" : "core " + std::to_string(index);
}

uint32_t Core::hart() const { return isFabric() ? fabricHart : index; }

int64_t Core::stackBytes() const {
  if (stackHigh == 0)
    return -1;
  return deepestStack == ~0u ? 0 : stackHigh - deepestStack;
}

void Core::fail(const std::string &what) const {
  throw SimulationFault(message("%s at %s in cycle %llu: %s", name().c_str(),
                                cluster.program.describe(pc).c_str(),
                                static_cast<unsigned long long>(readyAt),
                                what.c_str()));
}

void Core::clearCounters(uint64_t now) {
  counters.clear();
  performance.marks.fill(0);
  countedFrom = now;
  profiledSince = std::max(readyAt, now);
}

void Core::turnPage() {
  page = cluster.codeCache.page(pc);
  pageAddress = pc & ~(CodeCache::pageBytes - 1);
}

void Core::decodeInto(Instruction &i) {
  const uint8_t *code = cluster.memoryAt(pc, 2);
  if (code == nullptr || !cluster.program.isCode(pc))
    fail("execution where no code was loaded");
  const bool whole = cluster.memoryAt(pc, 4) != nullptr;
  uint32_t bits = 0;
  std::memcpy(&bits, code, whole ? 4 : 2);
  i = decode(bits, pc);
  i.function = cluster.program.functionAt(pc);
}

/// Asks the caches for both lines; whether they make the core wait.
bool Core::fetchLines(const Instruction &i) {
  const uint32_t current = lineAddress >> lineBits;
  const uint32_t first = pc >> lineBits;
  const uint32_t last = (pc + i.size - 1) >> lineBits;
  uint64_t cycles = 0;
  if (first != current)
    cycles += cluster.caches.fetch(index, first, readyAt);
  if (last != first)
    cycles += cluster.caches.fetch(index, last, readyAt + cycles);
  lineAddress = last << lineBits;
  if (cycles == 0)
    return false;
  fetchedPc = pc;
  stall(i, cycles, Event::FetchStalls);
  return true;
}

void Core::failInstruction(const Instruction &i) const {
  if (i.complaint == Complaint::Unknown)
    fail(message("illegal instruction 0x%08x", i.word));
  const char *reason =
      i.complaint == Complaint::LoadsOwnBase
          ? "the destination of a post-increment load is its base register, "
            "for which the core has no defined result"
          : "this instruction needs x0 in its field rs2; the core's result is "
            "undefined otherwise";
  fail(message("%s: %s", disassemble(i).c_str(), reason));
}

void Core::stall(const Instruction &i, uint64_t cycles, Event event) {
  counters[event] += cycles;
  charge(i, cycles);
}

void Core::settle() {
  if (readyAt <= profiledSince)
    return;
  counters.addCycles(profiled, layer, readyAt - profiledSince);
  profiledSince = readyAt;
}

void Core::profile(uint32_t function) {
  settle();
  profiled = function;
}

void Core::checkStack() {
  const uint32_t pointer = x[2];
  if (stackHigh == 0)
    return;
  if (pointer < stackLow)
    fail(message("stack overflow: sp is 0x%08x, %u bytes below the end of the "
                 "%u bytes from 0x%08x; recurse less, or keep buffers "
                 "elsewhere",
                 pointer, stackLow - pointer, stackHigh - stackLow, stackLow));
  if (pointer > stackHigh)
    fail(message("sp is 0x%08x, above the stack, which ends at 0x%08x", pointer,
                 stackHigh));
  deepestStack = std::min(deepestStack, pointer);
}
