// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Printing and the end of a program. Models of pulp-open show what is written
// to a core's stdout register; chips have nothing there.

#include "tf_cluster.h"

#define STDOUT(core) (*(volatile uint32_t *)(0x1a10f000 + 8 * (core)))
#define CORE_STATUS (*(volatile uint32_t *)0x1a1040a0)
#define STATUS_IS_FINAL 0x80000000u

static void put(char character) { STDOUT(tf_core_id()) = (uint8_t)character; }

void tf_print(const char *text) {
  while (*text)
    put(*text++);
}

void tf_print_number(int32_t value) {
  char digits[10];
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  int count = 0;
  do
    digits[count++] = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0)
    put('-');
  while (count > 0)
    put(digits[--count]);
}

void tf_exit(int status) {
  CORE_STATUS = STATUS_IS_FINAL | (uint32_t)status;
  for (;;)
    __asm volatile("wfi");
}
