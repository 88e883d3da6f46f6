// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyFormer/Simulator/EventUnit.h"

#include "TinyFormer/Simulator/Fault.h"

using namespace tinyformer::pulp;

namespace {

enum Register : uint32_t {
  Mask = 0x00,
  MaskAnd = 0x04,
  MaskOr = 0x08,
  Buffer = 0x1c,
  BufferClear = 0x28,
  EventWait = 0x38,
  EventWaitClear = 0x3c,
  FirstBarrier = 0x200,
};
constexpr uint32_t barrierStride = 0x20;
enum BarrierRegister : uint32_t {
  TriggerMask = 0x00,
  TargetMask = 0x0c,
  TriggerWaitClear = 0x1c,
};

[[noreturn]] void failRegister(const char *access, uint32_t offset) {
  const bool waits =
      offset == EventWait || offset == EventWaitClear ||
      (offset >= FirstBarrier && offset % barrierStride == TriggerWaitClear);
  throw SimulationFault(
      message("cannot %s register 0x%03x of the event unit: %s", access, offset,
              waits ? "it is waited for, with p.elw" : "it is not modelled"));
}

} // namespace

uint32_t EventUnit::read(unsigned core, uint32_t offset) const {
  if (offset == Mask)
    return events[core].mask;
  if (offset == Buffer)
    return events[core].buffer;
  const uint32_t number = (offset - FirstBarrier) / barrierStride;
  if (offset >= FirstBarrier && number < barrierCount) {
    if (offset % barrierStride == TriggerMask)
      return barriers[number].trigger;
    if (offset % barrierStride == TargetMask)
      return barriers[number].target;
  }
  failRegister("read", offset);
}

void EventUnit::write(unsigned core, uint32_t offset, uint32_t value) {
  CoreEvents &own = events[core];
  const uint32_t number = (offset - FirstBarrier) / barrierStride;
  if (offset >= FirstBarrier && number < barrierCount) {
    if (offset % barrierStride == TriggerMask) {
      barriers[number].trigger = value;
      return;
    }
    if (offset % barrierStride == TargetMask) {
      barriers[number].target = value;
      return;
    }
  }
  switch (offset) {
  case Mask:
    own.mask = value;
    return;
  case MaskAnd:
    own.mask &= ~value;
    return;
  case MaskOr:
    own.mask |= value;
    return;
  case BufferClear:
    own.buffer &= ~value;
    return;
  default:
    failRegister("write", offset);
  }
}

void EventUnit::wait(unsigned core, uint32_t offset) {
  CoreEvents &own = events[core];
  const uint32_t number = (offset - FirstBarrier) / barrierStride;
  const bool atBarrier = offset >= FirstBarrier && number < barrierCount &&
                         offset % barrierStride == TriggerWaitClear;
  if (!atBarrier && offset != EventWait && offset != EventWaitClear)
    throw SimulationFault(message(
        "p.elw of register 0x%03x of the event unit: it cannot be waited for",
        offset));
  own.isWaiting = true;
  own.barrier = atBarrier ? int(number) : -1;
  own.clearedOnWake = atBarrier             ? 1u << barrierEvent
                      : offset == EventWait ? 0
                                            : own.mask;
  if (atBarrier)
    arrive(core, number);
  check(core);
}

void EventUnit::arrive(unsigned core, unsigned number) {
  Barrier &barrier = barriers[number];
  if ((barrier.trigger >> core & 1) == 0)
    throw SimulationFault(
        message("waits at barrier %u, whose trigger mask 0x%x does not have "
                "this core",
                number, barrier.trigger));
  barrier.arrived |= 1u << core;
  if ((barrier.arrived & barrier.trigger) != barrier.trigger)
    return;
  barrier.arrived = 0;
  meet(barrier.trigger | barrier.target);
  post(barrier.target, barrierEvent);
}

void EventUnit::post(uint32_t cores, unsigned event) {
  for (unsigned core = 0; core < maxClusterCores; ++core)
    if (cores >> core & 1) {
      events[core].buffer |= 1u << event;
      check(core);
    }
}

void EventUnit::check(unsigned core) {
  CoreEvents &own = events[core];
  const uint32_t pending = own.buffer & own.mask;
  if (!own.isWaiting || pending == 0)
    return;
  own.isWaiting = false;
  own.buffer &= ~own.clearedOnWake;
  wake(core, pending);
}

std::string EventUnit::describe(unsigned core) const {
  const CoreEvents &own = events[core];
  if (own.barrier < 0)
    return message("an event of its mask 0x%x", own.mask);
  const Barrier &barrier = barriers[size_t(own.barrier)];
  return message("barrier %d (arrived 0x%x of 0x%x; its event mask is 0x%x, "
                 "barriers are event %u)",
                 own.barrier, barrier.arrived, barrier.trigger, own.mask,
                 barrierEvent);
}
