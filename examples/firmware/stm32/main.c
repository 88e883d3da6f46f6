// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads one image with the digits network. A debugger finds the result in
// `digit`, and the outputs in `logits`.

#include "digits.h"
#include "image.h"

_Static_assert(sizeof image == DIGITS_INPUT_0_BYTES, "another model");

static int8_t pixels[DIGITS_INPUT_0_BYTES] __attribute__((aligned(4)));
int8_t logits[DIGITS_OUTPUT_0_BYTES] __attribute__((aligned(4)));
volatile int digit = -1;

// The network's memory. digits_run(pixels, logits) would bring its own.
static uint8_t arena[DIGITS_ARENA_SRAM1_BYTES] __attribute__((aligned(16)));

// round(real / SCALE) + ZERO_POINT, saturated. Here the real value is a grey
// value divided by 16, never negative.
static int8_t quantize(float real) {
  const int32_t value =
      (int32_t)(real / DIGITS_INPUT_0_SCALE + 0.5f) + DIGITS_INPUT_0_ZERO_POINT;
  return (int8_t)(value > 127 ? 127 : value);
}

// The place of the largest output; its scale does not matter for that.
static int largest(const int8_t *values, int count) {
  int best = 0;
  for (int i = 1; i < count; ++i)
    if (values[i] > values[best])
      best = i;
  return best;
}

int main(void) {
  for (int i = 0; i < DIGITS_INPUT_0_BYTES; ++i)
    pixels[i] = quantize((float)image[i] / 16.0f);
  digits_run_in(pixels, logits, arena);
  digit = largest(logits, DIGITS_OUTPUT_0_BYTES);
  return 0;
}
