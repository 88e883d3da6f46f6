// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program of the simulators' firmware, on core 0: runs the network on the
// buffers tf_input_<i>, which the simulator filled before, and leaves the
// results in tf_output_<i>.

#include "tf_cluster.h"

// Generated with the network: calls <name>_run on the buffers.
void tf_run_network(void);

// How often. The simulator counts the last time and sets this to 2 for that,
// because what runs the first time is in no instruction cache yet.
volatile uint32_t tf_runs = 1;

// Address and size of memory that is printed at the end, for simulators that
// show nothing else. None unless the simulator puts something here: not in
// .bss, which is cleared at the start.
enum { MOST_PRINTED = 8 };
__attribute__((section(".data"))) volatile struct {
  const uint8_t *bytes;
  uint32_t count;
} tf_printed[MOST_PRINTED] = {{0, 0}};

static uint32_t count_cycles(void) {
  uint32_t cycles;
  __asm volatile("csrr %0, 0xb00" : "=r"(cycles));
  return cycles;
}

static void print_memory(int32_t number, const uint8_t *bytes, uint32_t count) {
  tf_print("tf output ");
  tf_print_number(number);
  tf_print(":");
  for (uint32_t i = 0; i < count; ++i) {
    tf_print(" ");
    tf_print_number(bytes[i]);
  }
  tf_print("\n");
}

static void print_results(uint32_t cycles) {
  tf_print("tf cycles: ");
  tf_print_number((int32_t)cycles);
  tf_print("\n");
  for (int32_t i = 0; i < MOST_PRINTED && tf_printed[i].count != 0; ++i)
    print_memory(i, tf_printed[i].bytes, tf_printed[i].count);
}

int main(void) {
  uint32_t cycles = 0;
  for (uint32_t run = 0; run < tf_runs; ++run) {
    const uint32_t start = count_cycles();
    tf_run_network();
    cycles = count_cycles() - start;
  }
  if (tf_printed[0].count != 0)
    print_results(cycles);
  return 0;
}
