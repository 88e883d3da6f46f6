// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads and stores that do not simply hit L1; p.elw; races.

#include "Retire.h"
#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

using namespace tinyformer::pulp;

namespace {

constexpr uint32_t demuxBase = 0x10204000;
constexpr uint32_t demuxEnd = 0x10204400;

} // namespace

void Core::grant(uint64_t now) {
  if (needsSecondWord) {
    needsSecondWord = false;
    cluster.banks.request(Banks::bankOf(pendingAddress + 4), index);
    return;
  }
  const Instruction &i = *pending;
  const uint64_t cycles = now - pendingSince + 1;
  const unsigned alone = crossesWord(pendingAddress, i.bytes) ? 2 : 1;
  counters[Event::Contention] += cycles - alone;
  state = CoreState::Running;
  finishAccess(i, cluster.l1At(pendingAddress, i.bytes), cycles);
}

void Core::accessL2(const Instruction &i, bool crosses) {
  if (i.kind == Kind::Store && cluster.isReadOnly(pendingAddress))
    fail(accessText(i) + ", which is code or constant data of the program");
  const unsigned accesses = crosses ? 2 : 1;
  const unsigned cycles =
      accesses * (isFabric() ? timing::l2FromFabric : timing::l2FromCluster);
  countExternal(i, cycles);
  finishAccess(i, cluster.l2.at(pendingAddress), cycles);
}

void Core::countExternal(const Instruction &i, uint64_t cycles) {
  const bool loads = i.kind == Kind::Load;
  ++counters[loads ? Event::ExternalLoads : Event::ExternalStores];
  counters[loads ? Event::ExternalLoadCycles : Event::ExternalStoreCycles] +=
      cycles;
}

void Core::accessPeripheral(const Instruction &i) {
  const unsigned cycles = cluster.peripheralLatency(pendingAddress);
  if (cycles == 0)
    failAccess(i);
  const bool isPrint = i.kind == Kind::Store && pendingAddress >> 12 == 0x1a10f;
  if (!isPrint && (i.bytes != 4 || pendingAddress % 4 != 0))
    fail(accessText(i) + ": registers want aligned words");
  cluster.now = readyAt;
  if (i.kind == Kind::Store) {
    cluster.storePeripheral(*this, pendingAddress, x[i.rd]);
    return finishStore(i, cycles);
  }
  finishLoad(i, cluster.loadPeripheral(*this, pendingAddress), cycles);
}

void Core::eventLoad(const Instruction &i) {
  pending = &i;
  pendingAddress = x[i.a] + i.immediate;
  if (isFabric() || pendingAddress < demuxBase || pendingAddress >= demuxEnd)
    fail(message("p.elw at 0x%08x: only a cluster core's event unit at "
                 "0x%08x can be waited for; use lw for memory",
                 pendingAddress, demuxBase));
  ++counters[Event::EventLoads];
  state = CoreState::Asleep;
  pendingSince = readyAt;
  sleepsForDma = cluster.dma.isBusy();
  cluster.now = readyAt;
  cluster.changeSchedule();
  try {
    cluster.events.wait(index, pendingAddress - demuxBase);
  } catch (const SimulationFault &fault) {
    fail(fault.what());
  }
}

void Core::wake(uint32_t value, uint64_t now) {
  const Instruction &i = *pending;
  const bool atBarrier = cluster.events.waitsAtBarrier(index);
  // What it slept before the measurement began is not part of it.
  const uint64_t since = std::max(pendingSince, std::min(countedFrom, now));
  const uint64_t cycles = now - since + timing::eventLoad;
  readyAt = since;
  counters[atBarrier ? Event::BarrierCycles : Event::EventCycles] += cycles;
  if (!atBarrier && sleepsForDma)
    counters[Event::DmaWaitCycles] += cycles;
  if (!atBarrier)
    cluster.dma.observed(index);
  state = CoreState::Running;
  cluster.changeSchedule();
  next = pc + i.size;
  finishLoad(i, value, cycles);
}

void Core::checkTransfers(const Instruction &i) {
  const bool isWrite = i.kind == Kind::Store;
  if (const Transfer *transfer =
          cluster.dma.conflict(pendingAddress, i.bytes, isWrite))
    failTransfer(i, *transfer);
}

void Core::findRace(const Instruction &i) {
  if (isTestAndSet())
    return cluster.races.acquire(index,
                                 pendingAddress - testAndSetBase + l1Base);
  const bool isWrite = i.kind == Kind::Store;
  Race race;
  if (cluster.races.access(index, pendingAddress, i.bytes, isWrite, pc, race))
    failRace(i, race);
}

void Core::failTransfer(const Instruction &i, const Transfer &transfer) const {
  fail(message("%s races with the DMA transfer of %u bytes from 0x%08x to "
               "0x%08x (id %u) that core %u started and nobody has waited for",
               accessText(i).c_str(), transfer.bytes, transfer.source(),
               transfer.destination(), transfer.id, transfer.core));
}

void Core::failRace(const Instruction &i, const Race &race) const {
  fail(message("race: %s, which %s %s at %s, with no barrier between them",
               accessText(i).c_str(),
               cluster.cores[race.otherCore]->name().c_str(),
               race.otherWrote ? "wrote" : "read",
               cluster.program.describe(race.otherPc).c_str()));
}

std::string Core::accessText(const Instruction &i) const {
  return message("%s of %u byte%s at 0x%08x",
                 i.kind == Kind::Store ? "store" : "load", i.bytes,
                 i.bytes == 1 ? "" : "s", pendingAddress);
}

void Core::failAccess(const Instruction &i) const {
  const char *where = pendingAddress < nullPageBytes
                          ? "a null pointer"
                          : "where the chip has nothing";
  if (stackHigh != 0 && pendingAddress < stackLow &&
      stackLow - pendingAddress < nullPageBytes)
    where = "below the stack: it has overflowed";
  fail(accessText(i) + ", " + where);
}
