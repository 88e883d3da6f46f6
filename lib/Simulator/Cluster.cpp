// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Simulator/Cluster.h"

#include "TinyFormer/Simulator/Fault.h"

#include <algorithm>

using namespace tinyformer::pulp;

Cluster::Cluster(const Program &program, const ClusterConfig &config)
    : program(program), config(checkConfig(config)), l1(l1Base, config.l1Bytes),
      l2(l2Base, l2Bytes), caches(config.instructionCache),
      events([this](unsigned core,
                    uint32_t value) { cores[core]->wake(value, now); },
             [this](uint32_t met) { races.meet(met); }),
      dma([this](const Transfer &transfer) { noticeTransfer(transfer); },
          [this](const Transfer &transfer) { copyTransfer(transfer); }),
      races(config.raceGranule) {
  for (unsigned index = 0; index < coreSlots; ++index)
    cores.push_back(std::make_unique<Core>(*this, index));
  load();
  findStacks();
  const uint32_t none = uint32_t(program.functions().size());
  if (!config.layersOf.empty())
    topFunction =
        program.functionAt(program.symbol(config.layersOf).value_or(1));
  if (!config.layersOf.empty() && topFunction == none)
    throw SimulationFault("the program has no function '" + config.layersOf +
                          "' to count layers of");
  if (!config.measure.empty()) {
    if (!program.symbol(config.measure))
      throw SimulationFault("the program has no function '" + config.measure +
                            "' to measure");
    measuredEntry = *program.symbol(config.measure);
  }
}

void Cluster::load() {
  for (const Segment &segment : program.segments()) {
    uint8_t *to = memoryAt(segment.address, segment.memoryBytes);
    if (to == nullptr)
      throw SimulationFault(message(
          "the program wants %u bytes at 0x%08x, but %s has L2 of %u bytes at "
          "0x%08x and L1 of %u bytes at 0x%08x",
          segment.memoryBytes, segment.address, config.chip.c_str(), l2Bytes,
          l2Base, config.l1Bytes, l1Base));
    std::memcpy(to, segment.data.data(), segment.data.size());
    std::memset(to + segment.data.size(), 0,
                segment.memoryBytes - segment.data.size());
  }
}

/// The runtime's linker script has symbols for the stacks; in a program
/// without them, stacks are not checked.
void Cluster::findStacks() {
  const auto low = program.symbol("tf_cluster_stacks");
  const auto bytes = program.symbol("tf_cluster_stack_bytes");
  if (low && bytes)
    for (unsigned index = 0; index < config.cores; ++index) {
      cores[index]->stackLow = *low + index * *bytes;
      cores[index]->stackHigh = *low + (index + 1) * *bytes;
    }
  const auto fabricLow = program.symbol("tf_fabric_stack");
  const auto fabricHigh = program.symbol("tf_fabric_stack_top");
  if (fabricLow && fabricHigh) {
    cores[fabricIndex]->stackLow = *fabricLow;
    cores[fabricIndex]->stackHigh = *fabricHigh;
  }
}

uint8_t *Cluster::memoryAt(uint32_t address, uint32_t bytes) {
  if (l1.holds(address, bytes))
    return l1.at(address);
  return l2.holds(address, bytes) ? l2.at(address) : nullptr;
}

void Cluster::read(uint32_t address, uint8_t *bytes, uint32_t size) {
  const uint8_t *from = memoryAt(address, size);
  if (from == nullptr)
    throw SimulationFault(
        message("cannot read %u bytes at 0x%08x: no memory", size, address));
  std::memcpy(bytes, from, size);
}

void Cluster::write(uint32_t address, const uint8_t *bytes, uint32_t size) {
  uint8_t *to = memoryAt(address, size);
  if (to == nullptr)
    throw SimulationFault(
        message("cannot write %u bytes at 0x%08x: no memory", size, address));
  std::memcpy(to, bytes, size);
}

bool Cluster::isReadOnly(uint32_t address) const {
  for (const Segment &segment : program.segments())
    if ((!segment.isWritable || segment.isExecutable) &&
        address - segment.address < segment.memoryBytes)
      return true;
  return false;
}

//===-- Time --------------------------------------------------------------===//

bool Cluster::run(uint64_t slice) {
  if (cores[fabricIndex]->state == CoreState::Off) {
    for (const auto &core : cores)
      core->isTraced = static_cast<bool>(trace);
    cores[fabricIndex]->start(program.entry(), 0);
  }
  const uint64_t end = now + std::min(slice, config.cycleLimit - now);
  while (!hasExited && now < end) {
    if (scheduleChanged)
      findRunning();
    if (running.empty() && !dma.isBusy())
      failAsleep();
    if (running.size() == 1 && !banks.anyRequest())
      runAlone(*running.front(), end);
    else
      runCycle();
  }
  if (!hasExited)
    checkLimit();
  return hasExited;
}

void Cluster::findRunning() {
  running.clear();
  for (const auto &core : cores)
    if (core->state == CoreState::Running ||
        core->state == CoreState::Contending)
      running.push_back(core.get());
  scheduleChanged = false;
  now = std::max(now, nextCycle());
}

/// When something happens next.
uint64_t Cluster::nextCycle() {
  if (banks.anyRequest())
    return now + 1;
  uint64_t next = dma.nextFinish();
  for (const Core *core : running)
    next = std::min(next, core->readyAt);
  return next == Dma::never ? now : next;
}

/// Without others, cycles need not be counted one by one.
void Cluster::runAlone(Core &core, uint64_t end) {
  const uint64_t until = std::min(dma.nextFinish(), end);
  isAlone = true;
  core.runAlone(until);
  isAlone = false;
  now = std::max(now, std::min(core.readyAt, until));
  dma.advance(now);
}

void Cluster::runCycle() {
  dma.advance(now);
  for (Core *core : running)
    if (core->state == CoreState::Running && core->readyAt <= now)
      core->step();
  if (banks.anyRequest())
    banks.arbitrate([this](unsigned core) { cores[core]->grant(now); });
  if (!scheduleChanged)
    now = std::max(now, nextCycle());
}

void Cluster::checkLimit() const {
  if (now < config.cycleLimit)
    return;
  const Core &core = running.empty() ? *cores[fabricIndex] : *running.front();
  core.fail(message("the program did not end within %llu cycles; it loops for "
                    "ever, or the limit is too small for it",
                    static_cast<unsigned long long>(config.cycleLimit)));
}

void Cluster::failAsleep() const {
  std::string text = "nothing can happen any more:";
  for (const auto &core : cores) {
    if (core->state == CoreState::Asleep)
      text += message("\n  %s at %s waits for %s", core->name().c_str(),
                      program.describe(core->pc).c_str(),
                      events.describe(core->index).c_str());
    if (core->state == CoreState::Halted)
      text += message("\n  %s is in wfi", core->name().c_str());
  }
  throw SimulationFault(text);
}

//===-- DMA ---------------------------------------------------------------===//

/// For the race detector, the core that starts a transfer makes its accesses.
void Cluster::noticeTransfer(const Transfer &transfer) {
  const Core &core = *cores[transfer.core];
  if (memoryAt(transfer.source(), transfer.bytes) == nullptr ||
      memoryAt(transfer.destination(), transfer.bytes) == nullptr)
    core.fail(message("DMA of %u bytes from 0x%08x to 0x%08x leaves memory",
                      transfer.bytes, transfer.source(),
                      transfer.destination()));
  if (!transfer.toL1 && isReadOnly(transfer.l2Address))
    core.fail(message("DMA writes to 0x%08x, which is code or constant data of "
                      "the program",
                      transfer.l2Address));
  if (!config.raceDetector)
    return;
  Race race;
  if (races.access(transfer.core, transfer.source(), transfer.bytes, false,
                   core.pc, race) ||
      races.access(transfer.core, transfer.destination(), transfer.bytes, true,
                   core.pc, race))
    core.fail(message(
        "race: DMA of %u bytes from 0x%08x to 0x%08x, of which %s %s a part at "
        "%s, with no barrier between them",
        transfer.bytes, transfer.source(), transfer.destination(),
        cores[race.otherCore]->name().c_str(),
        race.otherWrote ? "wrote" : "read",
        program.describe(race.otherPc).c_str()));
}

void Cluster::copyTransfer(const Transfer &transfer) {
  now = std::max(now, transfer.finishesAt);
  std::memmove(memoryAt(transfer.destination(), transfer.bytes),
               memoryAt(transfer.source(), transfer.bytes), transfer.bytes);
  if (transfer.raisesEvent && transfer.core != fabricIndex)
    events.post(1u << transfer.core, dmaEvent);
}

//===-- Measuring and tracing ---------------------------------------------===//

void Cluster::beginMeasurement(const Core &core, uint32_t returnAddress,
                               uint32_t stackPointer) {
  // The last call counts; not one inside of another.
  if (measurement == Measurement::Running)
    return;
  measurement = Measurement::Running;
  measuringCore = core.index;
  measureReturn = returnAddress;
  measureStack = stackPointer;
  measuredFrom = core.readyAt;
  for (const auto &each : cores)
    each->clearCounters(measuredFrom);
}

void Cluster::endMeasurement(const Core &core) {
  now = std::max(now, core.readyAt);
  measured = report();
  measured.cycles = core.readyAt - measuredFrom;
  measurement = Measurement::Done;
}

Report Cluster::report() const {
  if (measurement == Measurement::Done)
    return measured;
  Report total;
  total.cycles = now - measuredFrom;
  for (unsigned index = 0; index < coreSlots; ++index) {
    cores[index]->settle();
    total.counters[index] = cores[index]->counters;
    if (cores[index]->state != CoreState::Off)
      total.counters[index][Event::Cycles] = now - measuredFrom;
  }
  return total;
}

void Cluster::traceInstruction(const Core &core, const Instruction &i,
                               uint32_t result) {
  const std::string registers =
      i.kind == Kind::Store || i.rd == 0
          ? ""
          : message(" ; %s = 0x%08x", registerName(i.rd), result);
  trace(message("%10llu %-2s %s: %s%s",
                static_cast<unsigned long long>(core.readyAt),
                core.isFabric() ? "fc" : std::to_string(core.index).c_str(),
                program.describe(core.pc).c_str(), disassemble(i).c_str(),
                registers.c_str()));
}
