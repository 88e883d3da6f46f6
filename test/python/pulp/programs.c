// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs for the simulated cluster, one chosen by PROGRAM. The tests fill
// `input` and compare `output` with what the host computes.

#include "tf_cluster.h"

#define NOINIT __attribute__((section(".noinit")))

NOINIT uint8_t input[4096];
NOINIT uint8_t output[4096];

#define WORDS 256
#define in ((uint32_t *)input)
#define out ((uint32_t *)output)

#if PROGRAM == 1
// Quicksort of signed words.
__attribute__((noinline)) static void sort(int32_t *first, int32_t *last) {
  if (last - first < 2)
    return;
  const int32_t pivot = first[(last - first) / 2];
  int32_t *low = first, *high = last - 1;
  while (low <= high) {
    while (*low < pivot)
      ++low;
    while (*high > pivot)
      --high;
    if (low > high)
      break;
    const int32_t held = *low;
    *low++ = *high;
    *high-- = held;
  }
  sort(first, high + 1);
  sort(low, last);
}
static void work(void) {
  for (int i = 0; i < WORDS; ++i)
    out[i] = in[i];
  sort((int32_t *)out, (int32_t *)out + WORDS);
}
#elif PROGRAM == 2
// 16 x 16 product of signed bytes.
static void work(void) {
  const int8_t *a = (int8_t *)input, *b = a + 256;
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) {
      int32_t sum = 0;
      for (int k = 0; k < 16; ++k)
        sum += a[16 * i + k] * b[16 * k + j];
      out[16 * i + j] = (uint32_t)sum;
    }
}
#elif PROGRAM == 3
// CRC-32, bit by bit.
static void work(void) {
  uint32_t crc = ~0u;
  for (int i = 0; i < 4096; ++i) {
    crc ^= input[i];
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  out[0] = ~crc;
}
#elif PROGRAM == 4
// Division, remainder and wide products of neighbours.
static void work(void) {
  for (int i = 0; i + 1 < 64; ++i) {
    const int32_t x = (int32_t)in[i], y = (int32_t)(in[i + 1] >> (i & 31)) | 1;
    out[4 * i] = (uint32_t)(x / y);
    out[4 * i + 1] = in[i] % in[i + 1];
    out[4 * i + 2] = (uint32_t)((uint64_t)((int64_t)x * y) >> 32);
    out[4 * i + 3] = (uint32_t)((uint64_t)in[i] * in[i + 1] >> 32);
  }
}
#elif PROGRAM == 5
// Each core copies its part to L1 by DMA, adds its number and copies it back.
static TF_L1_ZERO uint8_t copy[4096];
static void add_core(void *unused) {
  (void)unused;
  const uint32_t core = tf_core_id(), size = 4096 / tf_core_count();
  uint8_t *const part = copy + core * size;
  tf_dma_wait(tf_dma_to_l1(part, input + core * size, size));
  for (uint32_t i = 0; i < size; ++i)
    part[i] += core;
  tf_dma_wait(tf_dma_to_l2(output + core * size, part, size));
}
static void work(void) { tf_cluster_fork(tf_core_count(), add_core, 0); }
#elif PROGRAM == 6
// Rounds of a sum in which each core needs what its neighbour had.
static TF_L1 uint32_t ring[2][8];
static void turn(void *rounds) {
  const uint32_t core = tf_core_id(), next = (core + 1) % tf_core_count();
  ring[0][core] = core + 1;
  for (uint32_t i = 0; i < *(uint32_t *)rounds; ++i) {
    tf_barrier();
    ring[~i & 1][core] = ring[i & 1][core] + 3 * ring[i & 1][next];
#ifdef RACE
    ring[~i & 1][next] = 0;
#endif
  }
}
static void work(void) {
  static TF_L1 uint32_t rounds = 12;
  tf_cluster_fork(tf_core_count(), turn, &rounds);
  for (uint32_t i = 0; i < tf_core_count(); ++i)
    out[i] = ring[0][i];
}
#elif PROGRAM == 7
// Two layers; the second calls a helper, so that layers and functions differ.
static volatile uint32_t sink;
__attribute__((noinline)) void helper(void) {
  for (int i = 0; i < 100; ++i)
    sink = i;
}
__attribute__((noinline)) void layer_first(void) {
  for (int i = 0; i < 50; ++i)
    sink = i;
}
__attribute__((noinline)) void layer_second(void) {
  helper();
  helper();
  sink = 0;
}
void tf_net_invoke(const int8_t *from, int8_t *to);
__attribute__((noinline)) void tf_net_invoke(const int8_t *from, int8_t *to) {
  layer_first();
  layer_second();
  for (int i = 0; i < 6; ++i)
    to[i] = from[i] + 1;
}
NOINIT int8_t tf_input_0[6];
NOINIT int8_t tf_output_0[6];
void net_run(const int8_t *from, int8_t *to);
__attribute__((noinline)) void net_run(const int8_t *from, int8_t *to) {
  tf_net_invoke(from, to);
  sink = 1;
}
static void work(void) { net_run(tf_input_0, tf_output_0); }
#elif PROGRAM == 8
// Recursion without end.
__attribute__((noinline)) static uint32_t dig(uint32_t depth) {
  volatile uint32_t hole[8] = {depth};
  return depth == ~0u ? 0 : dig(depth + 1) + hole[0];
}
static void work(void) { out[0] = dig(in[0]); }
#else
#error "PROGRAM is 1 to 8"
#endif

int main(void) {
  work();
  tf_print("cores ");
  tf_print_number((int32_t)tf_core_count());
  tf_print(", lowest ");
  tf_print_number(-2147483647 - 1);
  tf_print("\n");
  return 0;
}
