// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program of the simulator's firmware, on core 0: runs the network on the
// buffers tf_input_<i>, which the simulator filled before, and leaves the
// results in tf_output_<i>.

#include "tf_cluster.h"

// Generated with the network: calls <name>_run on the buffers.
void tf_run_network(void);

// How often. The simulator counts the last time and sets this to 2 for that,
// because what runs the first time is in no instruction cache yet.
volatile uint32_t tf_runs = 1;

int main(void) {
  for (uint32_t run = 0; run < tf_runs; ++run)
    tf_run_network();
  return 0;
}
