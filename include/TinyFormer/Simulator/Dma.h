// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The DMA between L2 and L1. One bus each way: transfers in one direction
// follow one another, those in the other direction run beside them.

#ifndef TINYFORMER_SIMULATOR_DMA_H
#define TINYFORMER_SIMULATOR_DMA_H

#include "TinyFormer/Simulator/Config.h"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace tinyformer::pulp {

struct Transfer {
  unsigned id;
  unsigned core;
  uint32_t l1Address;
  uint32_t l2Address;
  uint32_t bytes;
  bool toL1;
  bool raisesEvent;
  uint64_t finishesAt;
  /// The bytes are there, but no core has seen that yet.
  bool isComplete = false;

  uint32_t source() const { return toL1 ? l2Address : l1Address; }
  uint32_t destination() const { return toL1 ? l1Address : l2Address; }
};

class Dma {
public:
  static constexpr unsigned idCount = 16;
  static constexpr uint64_t never = ~uint64_t(0);

  /// `started` sees a transfer when it is commanded, `copy` when its last byte
  /// arrives.
  Dma(std::function<void(const Transfer &)> started,
      std::function<void(const Transfer &)> copy)
      : started(std::move(started)), copy(std::move(copy)) {}

  /// Registers of the core's own window; throw SimulationFault.
  uint32_t read(unsigned core, uint32_t offset);
  void write(unsigned core, uint32_t offset, uint32_t value, uint64_t now);

  /// Completes what finishes until `now`.
  void advance(uint64_t now);
  /// When the next transfer finishes.
  uint64_t nextFinish() const { return next; }
  bool isBusy() const { return next != never; }

  /// `core` was woken: it knows now that its complete transfers are.
  void observed(unsigned core);

  /// The transfer that an access must not meet, or null: one that nobody has
  /// waited for, which writes these bytes, or reads them while they are
  /// written.
  const Transfer *conflict(uint32_t address, uint32_t bytes,
                           bool isWrite) const;
  bool hasUnobserved() const { return !transfers.empty(); }

private:
  struct Port {
    unsigned id = idCount;
    unsigned words = 0;
    std::array<uint32_t, 2> partial{};
  };
  uint32_t allocate();
  uint32_t busyIds() const;
  void free(uint32_t ids);
  /// Drops the complete transfers for which a core has the proof.
  template <class Predicate> void forget(Predicate isKnown);
  void start(unsigned core, uint32_t command, uint32_t l1Address,
             uint32_t l2Address, uint64_t now);

  std::function<void(const Transfer &)> started;
  std::function<void(const Transfer &)> copy;
  std::array<Port, coreSlots> ports;
  std::vector<Transfer> transfers;
  uint32_t allocated = 0;
  std::array<uint64_t, 2> busFreeAt{};
  uint64_t next = never;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_DMA_H
