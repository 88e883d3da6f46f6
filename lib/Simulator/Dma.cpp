// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Simulator/Dma.h"

#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

#include <algorithm>

using namespace tinyformer::pulp;

namespace {

enum Register : uint32_t { Command = 0, Status = 4 };

constexpr uint32_t lengthMask = 0x1ffff;
constexpr uint32_t toL1Flag = 1u << 17;
constexpr uint32_t incrementFlag = 1u << 18;
constexpr uint32_t eventFlag = 1u << 20;
constexpr uint32_t knownFlags =
    lengthMask | toL1Flag | incrementFlag | eventFlag;

bool overlaps(uint32_t a, uint32_t aBytes, uint32_t b, uint32_t bBytes) {
  return a < b + bBytes && b < a + aBytes;
}

} // namespace

uint32_t Dma::read(unsigned core, uint32_t offset) {
  if (offset == Command)
    return ports[core].id = allocate();
  if (offset != Status)
    throw SimulationFault(
        message("the DMA has no register at offset 0x%x", offset));
  forget([](const Transfer &) { return true; });
  return busyIds();
}

void Dma::write(unsigned core, uint32_t offset, uint32_t value, uint64_t now) {
  if (offset == Status)
    return free(value);
  if (offset != Command)
    throw SimulationFault(
        message("the DMA has no register at offset 0x%x", offset));
  Port &port = ports[core];
  if (port.words < port.partial.size()) {
    port.partial[port.words++] = value;
    return;
  }
  port.words = 0;
  start(core, port.partial[0], port.partial[1], value, now);
}

uint32_t Dma::allocate() {
  for (unsigned id = 0; id < idCount; ++id)
    if ((allocated >> id & 1) == 0) {
      allocated |= 1u << id;
      return id;
    }
  throw SimulationFault(message("all %u transfer ids of the DMA are in use; "
                                "free them by writing 1 << id to its status",
                                idCount));
}

void Dma::free(uint32_t ids) {
  if (ids & busyIds())
    throw SimulationFault(message("frees the DMA's ids 0x%x, of which 0x%x "
                                  "are still busy; wait for them first",
                                  ids, ids & busyIds()));
  allocated &= ~ids;
  forget([ids](const Transfer &each) { return ids >> each.id & 1; });
}

uint32_t Dma::busyIds() const {
  uint32_t ids = 0;
  for (const Transfer &transfer : transfers)
    if (!transfer.isComplete)
      ids |= 1u << transfer.id;
  return ids;
}

void Dma::start(unsigned core, uint32_t command, uint32_t l1Address,
                uint32_t l2Address, uint64_t now) {
  const unsigned id = ports[core].id;
  if (id == idCount || (allocated >> id & 1) == 0)
    throw SimulationFault("commands the DMA without a transfer id; read its "
                          "command register first");
  const uint32_t bytes = command & lengthMask;
  if ((command & ~knownFlags) || !(command & incrementFlag) || bytes == 0)
    throw SimulationFault(
        message("DMA command 0x%08x: only plain copies of 1 to %u bytes are "
                "modelled (bit 18 set, bits 19 and 21 to 31 clear)",
                command, lengthMask));
  Transfer transfer{};
  transfer.id = id;
  transfer.core = core;
  transfer.l1Address = l1Address;
  transfer.l2Address = l2Address;
  transfer.bytes = bytes;
  transfer.toL1 = command & toL1Flag;
  transfer.raisesEvent = command & eventFlag;
  if (l1Address - l1Base >= testAndSetBase - l1Base ||
      l2Address - l2Base >= l2Bytes)
    throw SimulationFault(message("DMA between 0x%08x and 0x%08x: the first "
                                  "must be in L1, the second in L2",
                                  l1Address, l2Address));
  started(transfer);
  uint64_t &bus = busFreeAt[transfer.toL1];
  bus = std::max(bus, now + timing::dmaSetup) +
        (bytes + timing::dmaBytesPerCycle - 1) / timing::dmaBytesPerCycle;
  transfer.finishesAt = bus;
  next = std::min(next, bus);
  transfers.push_back(transfer);
}

void Dma::advance(uint64_t now) {
  while (next <= now) {
    const uint64_t due = next;
    next = never;
    std::vector<Transfer> finished;
    for (Transfer &transfer : transfers) {
      if (transfer.isComplete)
        continue;
      if (transfer.finishesAt > due) {
        next = std::min(next, transfer.finishesAt);
        continue;
      }
      transfer.isComplete = true;
      finished.push_back(transfer);
    }
    // What this wakes may change the list.
    for (const Transfer &transfer : finished)
      copy(transfer);
  }
}

void Dma::observed(unsigned core) {
  forget([core](const Transfer &each) { return each.core == core; });
}

template <class Predicate> void Dma::forget(Predicate isKnown) {
  const auto isOver = [&](const Transfer &transfer) {
    return transfer.isComplete && isKnown(transfer);
  };
  transfers.erase(std::remove_if(transfers.begin(), transfers.end(), isOver),
                  transfers.end());
}

const Transfer *Dma::conflict(uint32_t address, uint32_t bytes,
                              bool isWrite) const {
  for (const Transfer &transfer : transfers) {
    if (overlaps(address, bytes, transfer.destination(), transfer.bytes))
      return &transfer;
    if (isWrite && overlaps(address, bytes, transfer.source(), transfer.bytes))
      return &transfer;
  }
  return nullptr;
}
