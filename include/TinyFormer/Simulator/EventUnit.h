// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The event unit: events that cores wait for with p.elw, and barriers.

#ifndef TINYFORMER_SIMULATOR_EVENTUNIT_H
#define TINYFORMER_SIMULATOR_EVENTUNIT_H

#include "TinyFormer/Simulator/Config.h"

#include <array>
#include <functional>
#include <string>

namespace tinyformer::pulp {

constexpr unsigned dmaEvent = 8;
constexpr unsigned barrierEvent = 16;

class EventUnit {
public:
  static constexpr unsigned barrierCount = 8;

  /// `wake(core, value)` ends a p.elw; `meet(cores)` tells that a barrier
  /// opened for a set of cores.
  EventUnit(std::function<void(unsigned, uint32_t)> wake,
            std::function<void(uint32_t)> meet)
      : wake(std::move(wake)), meet(std::move(meet)) {}

  /// Registers at `offset` of the core's own window. Throws SimulationFault
  /// where there is none.
  uint32_t read(unsigned core, uint32_t offset) const;
  void write(unsigned core, uint32_t offset, uint32_t value);
  /// A p.elw: the core waits until `wake`, which may come at once.
  void wait(unsigned core, uint32_t offset);

  /// Sets an event in each core of a set.
  void post(uint32_t cores, unsigned event);

  /// Whether `core` waits at a barrier, and not for another event.
  bool waitsAtBarrier(unsigned core) const { return events[core].barrier >= 0; }
  /// What `core` waits for, for messages.
  std::string describe(unsigned core) const;

private:
  struct CoreEvents {
    uint32_t mask = 0;
    uint32_t buffer = 0;
    uint32_t clearedOnWake = 0;
    bool isWaiting = false;
    int barrier = -1;
  };
  struct Barrier {
    uint32_t trigger = 0;
    uint32_t target = 0;
    uint32_t arrived = 0;
  };

  void arrive(unsigned core, unsigned number);
  void check(unsigned core);

  std::function<void(unsigned, uint32_t)> wake;
  std::function<void(uint32_t)> meet;
  std::array<CoreEvents, maxClusterCores> events;
  std::array<Barrier, barrierCount> barriers;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_EVENTUNIT_H
