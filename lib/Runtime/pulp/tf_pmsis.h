// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of tf_cluster.h that networks call, made of PMSIS: cores,
// barriers and DMA of GAP9's SDK and of the PULP SDK.
//
// They are defined here: include this in exactly one C file of an application.

#ifndef TF_PMSIS_H
#define TF_PMSIS_H

#include <pmsis.h>
#include <stddef.h>
#include <stdint.h>

// A command of the DMA stays in use until somebody waits for it. All transfers
// of a network are those of core 0, so that no lock is needed.
#ifndef TF_PMSIS_TRANSFERS
#define TF_PMSIS_TRANSFERS 8
#endif

enum {
  // A number for transfers that are over already.
  TF_PMSIS_DONE = TF_PMSIS_TRANSFERS,
  // What a command can move at most is less than 64 KiB on some chips.
  TF_PMSIS_LONGEST = 32 * 1024,
};

static PI_L1 pi_cl_dma_copy_t tf_pmsis_commands[TF_PMSIS_TRANSFERS];
static PI_L1 uint8_t tf_pmsis_busy[TF_PMSIS_TRANSFERS];

uint32_t tf_core_id(void) { return (uint32_t)pi_core_id(); }

void tf_cluster_fork(uint32_t cores, void (*work)(void *), void *arguments) {
  pi_cl_team_fork((int)cores, work, arguments);
}

void tf_barrier(void) { pi_cl_team_barrier(); }

static void tf_pmsis_start(pi_cl_dma_copy_t *command, uint32_t l1, uint32_t l2,
                           uint32_t bytes, pi_cl_dma_dir_e direction) {
  command->ext = l2;
  command->loc = l1;
  command->size = bytes;
  command->dir = direction;
  command->merge = 0;
  pi_cl_dma_memcpy(command);
}

// A command that nobody uses, or TF_PMSIS_DONE.
static uint32_t tf_pmsis_take(void) {
  uint32_t number = 0;
  while (number < TF_PMSIS_DONE && tf_pmsis_busy[number])
    ++number;
  if (number != TF_PMSIS_DONE)
    tf_pmsis_busy[number] = 1;
  return number;
}

// All but the last part of a long transfer is over when this returns, and so is
// one for which there is no command left.
static uint32_t tf_pmsis_transfer(uint32_t l1, uint32_t l2, uint32_t bytes,
                                  pi_cl_dma_dir_e direction) {
  pi_cl_dma_copy_t own;
  while (bytes > TF_PMSIS_LONGEST) {
    tf_pmsis_start(&own, l1, l2, TF_PMSIS_LONGEST, direction);
    pi_cl_dma_wait(&own);
    l1 += TF_PMSIS_LONGEST;
    l2 += TF_PMSIS_LONGEST;
    bytes -= TF_PMSIS_LONGEST;
  }
  if (bytes == 0)
    return TF_PMSIS_DONE;
  const uint32_t number = tf_pmsis_take();
  if (number == TF_PMSIS_DONE) {
    tf_pmsis_start(&own, l1, l2, bytes, direction);
    pi_cl_dma_wait(&own);
    return TF_PMSIS_DONE;
  }
  tf_pmsis_start(&tf_pmsis_commands[number], l1, l2, bytes, direction);
  return number;
}

uint32_t tf_dma_to_l1(void *l1, const void *l2, uint32_t bytes) {
  return tf_pmsis_transfer((uint32_t)l1, (uint32_t)l2, bytes,
                           PI_CL_DMA_DIR_EXT2LOC);
}

uint32_t tf_dma_to_l2(void *l2, const void *l1, uint32_t bytes) {
  return tf_pmsis_transfer((uint32_t)l1, (uint32_t)l2, bytes,
                           PI_CL_DMA_DIR_LOC2EXT);
}

void tf_dma_wait(uint32_t number) {
  if (number == TF_PMSIS_DONE)
    return;
  pi_cl_dma_wait(&tf_pmsis_commands[number]);
  tf_pmsis_busy[number] = 0;
}

#endif
