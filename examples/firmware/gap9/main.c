// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads one image with the digits network on the cluster, and prints the digit.

#include <pmsis.h>
#include <stdio.h>

#include "digits.h"
#include "image.h"
// Cores, barriers and DMA for the library, in this file alone.
#include "tf_pmsis.h"

_Static_assert(sizeof image == DIGITS_INPUT_0_BYTES, "another model");

static PI_L2 int8_t pixels[DIGITS_INPUT_0_BYTES] __attribute__((aligned(4)));
PI_L2 int8_t logits[DIGITS_OUTPUT_0_BYTES] __attribute__((aligned(4)));

// On core 0 of the cluster; the library forks to the others. `arena` is in L1.
static void run(void *arena) { digits_run_in(pixels, logits, arena); }

// Grey values from 0 to 16 are 0 to 1 for the model, whose scale is 1/255 with
// zero point -128.
static int8_t quantize(int grey) {
  return (int8_t)((grey * 255 + 8) / 16 + DIGITS_INPUT_0_ZERO_POINT);
}

static int largest(const int8_t *values, int count) {
  int best = 0;
  for (int i = 1; i < count; ++i)
    if (values[i] > values[best])
      best = i;
  return best;
}

static void application(void) {
  struct pi_device cluster;
  struct pi_cluster_conf configuration;
  struct pi_cluster_task task;

  pi_cluster_conf_init(&configuration);
  pi_open_from_conf(&cluster, &configuration);
  if (pi_cluster_open(&cluster) != 0) {
    printf("the cluster does not start\n");
    pmsis_exit(1);
  }
  void *arena = pi_l1_malloc(&cluster, DIGITS_ARENA_L1_BYTES + 16);
  if (arena == NULL) {
    printf("there are no %d bytes in L1\n", DIGITS_ARENA_L1_BYTES);
    pmsis_exit(2);
  }
  for (int i = 0; i < DIGITS_INPUT_0_BYTES; ++i)
    pixels[i] = quantize(image[i]);

  void *aligned = (void *)(((uintptr_t)arena + 15) & ~(uintptr_t)15);
  pi_cluster_send_task_to_cl(&cluster, pi_cluster_task(&task, run, aligned));

  printf("this is a %d\n", largest(logits, DIGITS_OUTPUT_0_BYTES));
  pi_l1_free(&cluster, arena, DIGITS_ARENA_L1_BYTES + 16);
  pi_cluster_close(&cluster);
  pmsis_exit(0);
}

int main(void) { return pmsis_kickoff((void *)application); }
