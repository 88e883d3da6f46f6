// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starting the cluster, forks and barriers, DMA. Registers are those of PULP's
// pulp-open: cluster control, event unit and MCHAN.

#include "tf_cluster.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define FETCH_ENABLE REGISTER(0x10200008)
#define BOOT_ADDRESS(core) REGISTER(0x10200040 + 4 * (core))
#define CLUSTER_CACHE_ENABLE REGISTER(0x10201400)

#define EVENT_MASK_OR REGISTER(0x10204008)
#define EVENT_BARRIER (1u << 16)
#define EVENT_DMA (1u << 8)
#define EVENT_WAIT_CLEAR 0x1020403c
#define BARRIER_TRIGGER(number) REGISTER(0x10204200 + 0x20 * (number))
#define BARRIER_TARGET(number) REGISTER(0x1020420c + 0x20 * (number))
#define BARRIER_WAIT(number) (0x1020421c + 0x20 * (number))

#define DMA_COMMAND REGISTER(0x10204400)
#define DMA_STATUS REGISTER(0x10204404)
#define DMA_TO_L1 (1u << 17)
#define DMA_INCREMENT (1u << 18)
#define DMA_EVENT (1u << 20)
#define DMA_LONGEST 0x1fff8u

// Core 0 and all others: the ends of a fork. Those that take part in it: its
// inner barriers.
enum { FORK_BARRIER = 0, TEAM_BARRIER = 1 };

// From the linker script; the addresses are the values.
extern const char tf_cores[];

void tf_start_cluster(void);
_Noreturn void tf_first_core(void);
_Noreturn void tf_other_core(void);
void tf_cluster_start(void);

static TF_L1_ZERO struct {
  void (*work)(void *);
  void *arguments;
  uint32_t cores;
} job;

static uint32_t all_cores(void) { return (1u << tf_core_count()) - 1; }

// p.elw: loads a register of the event unit and sleeps until it answers.
static inline uint32_t event_load(uint32_t address) {
  uint32_t value;
  __asm volatile(".insn i 0x03, 6, %0, 0(%1)"
                 : "=r"(value)
                 : "r"(address)
                 : "memory");
  return value;
}

void tf_start_cluster(void) {
  for (uint32_t core = 0; core < tf_core_count(); ++core)
    BOOT_ADDRESS(core) = (uint32_t)tf_cluster_start;
  CLUSTER_CACHE_ENABLE = 1;
  FETCH_ENABLE = 1;
}

// FETCH_ENABLE cannot be read, so all bits are written again.
void tf_first_core(void) {
  EVENT_MASK_OR = EVENT_BARRIER;
  BARRIER_TRIGGER(FORK_BARRIER) = all_cores();
  BARRIER_TARGET(FORK_BARRIER) = all_cores();
  FETCH_ENABLE = all_cores();
  tf_exit(main());
}

void tf_other_core(void) {
  EVENT_MASK_OR = EVENT_BARRIER;
  for (;;) {
    event_load(BARRIER_WAIT(FORK_BARRIER));
    if (tf_core_id() < job.cores)
      job.work(job.arguments);
    event_load(BARRIER_WAIT(FORK_BARRIER));
  }
}

uint32_t tf_core_count(void) { return (uint32_t)tf_cores; }

uint32_t tf_core_id(void) {
  uint32_t hart;
  __asm("csrr %0, 0xf14" : "=r"(hart));
  return hart & 31;
}

void tf_cluster_fork(uint32_t cores, void (*work)(void *), void *arguments) {
  const uint32_t team = (1u << cores) - 1;
  BARRIER_TRIGGER(TEAM_BARRIER) = team;
  BARRIER_TARGET(TEAM_BARRIER) = team;
  job.work = work;
  job.arguments = arguments;
  job.cores = cores;
  event_load(BARRIER_WAIT(FORK_BARRIER));
  work(arguments);
  event_load(BARRIER_WAIT(FORK_BARRIER));
}

void tf_barrier(void) { event_load(BARRIER_WAIT(TEAM_BARRIER)); }

// A command has 17 bits for the length; longer transfers are several commands
// under one number.
static uint32_t transfer(uint32_t l1, uint32_t l2, uint32_t bytes,
                         uint32_t direction) {
  const uint32_t number = DMA_COMMAND;
  while (bytes != 0) {
    const uint32_t part = bytes < DMA_LONGEST ? bytes : DMA_LONGEST;
    DMA_COMMAND = part | direction | DMA_INCREMENT | DMA_EVENT;
    DMA_COMMAND = l1;
    DMA_COMMAND = l2;
    l1 += part;
    l2 += part;
    bytes -= part;
  }
  return number;
}

uint32_t tf_dma_to_l1(void *l1, const void *l2, uint32_t bytes) {
  return transfer((uint32_t)l1, (uint32_t)l2, bytes, DMA_TO_L1);
}

uint32_t tf_dma_to_l2(void *l2, const void *l1, uint32_t bytes) {
  return transfer((uint32_t)l1, (uint32_t)l2, bytes, 0);
}

// The event is in the mask here only: it must not end the sleep at a barrier.
void tf_dma_wait(uint32_t number) {
  while (DMA_STATUS & 1u << number) {
    REGISTER(0x10204008) = EVENT_DMA;
    event_load(EVENT_WAIT_CLEAR);
    REGISTER(0x10204004) = EVENT_DMA;
  }
  DMA_STATUS = 1u << number;
}
