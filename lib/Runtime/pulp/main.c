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
#define IN_DATA __attribute__((section(".data")))
enum { MOST_PRINTED = 8 };
IN_DATA volatile struct {
  const uint8_t *bytes;
  uint32_t count;
} tf_printed[MOST_PRINTED] = {{0, 0}};

// Not among the network's constants, which are counted.
IN_DATA static char cycles_label[] = "tf cycles:",
                    output_label[] = "tf output ";

static uint32_t count_cycles(void) {
  uint32_t cycles;
  __asm volatile("csrr %0, 0xb00" : "=r"(cycles));
  return cycles;
}

static void put(char character) {
  const char text[] = {character, 0};
  tf_print(text);
}

static void print_memory(int32_t number, const uint8_t *bytes, uint32_t count) {
  tf_print(output_label);
  tf_print_number(number);
  put(':');
  for (uint32_t i = 0; i < count; ++i) {
    put(' ');
    tf_print_number(bytes[i]);
  }
  put('\n');
}

static void print_results(uint32_t cycles) {
  tf_print(cycles_label);
  put(' ');
  tf_print_number((int32_t)cycles);
  put('\n');
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
