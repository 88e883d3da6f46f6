// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What programs on a PULP cluster have: cores, barriers, DMA, printing, exit.
//
// main() runs on core 0 of the cluster. The other cores wait for
// tf_cluster_fork. All follow the memory map of PULP's pulp-open.

#ifndef TF_CLUSTER_H
#define TF_CLUSTER_H

#include <stdint.h>

/// Data in L1; everything else lies in L2.
#define TF_L1 __attribute__((section(".l1.data")))
#define TF_L1_ZERO __attribute__((section(".l1.bss")))

int main(void);

/// The cores that the program was linked for, and the one that asks.
uint32_t tf_core_count(void);
uint32_t tf_core_id(void);

/// Runs `work(arguments)` on cores 0 to `cores` - 1 and returns when the last
/// one is done. Core 0 calls it, outside of another fork.
void tf_cluster_fork(uint32_t cores, void (*work)(void *), void *arguments);

/// Waits for the other cores of the fork.
void tf_barrier(void);

/// Copies between L2 and L1. The number of the transfer is for tf_dma_wait,
/// which every transfer needs.
uint32_t tf_dma_to_l1(void *l1, const void *l2, uint32_t bytes);
uint32_t tf_dma_to_l2(void *l2, const void *l1, uint32_t bytes);
void tf_dma_wait(uint32_t transfer);

/// Lines appear when they are complete.
void tf_print(const char *text);
void tf_print_number(int32_t value);

_Noreturn void tf_exit(int status);

#endif
