// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names by which compilers for RISC-V call 64-bit division.

#include <stdint.h>

// common/divide.c
uint64_t tf_divide_unsigned(uint64_t numerator, uint64_t denominator,
                            uint64_t *remainder);
int64_t tf_divide_signed(int64_t numerator, int64_t denominator,
                         int64_t *remainder);

uint64_t __udivdi3(uint64_t numerator, uint64_t denominator);
uint64_t __umoddi3(uint64_t numerator, uint64_t denominator);
int64_t __divdi3(int64_t numerator, int64_t denominator);
int64_t __moddi3(int64_t numerator, int64_t denominator);

uint64_t __udivdi3(uint64_t numerator, uint64_t denominator) {
  uint64_t remainder;
  return tf_divide_unsigned(numerator, denominator, &remainder);
}

uint64_t __umoddi3(uint64_t numerator, uint64_t denominator) {
  uint64_t remainder;
  tf_divide_unsigned(numerator, denominator, &remainder);
  return remainder;
}

int64_t __divdi3(int64_t numerator, int64_t denominator) {
  int64_t remainder;
  return tf_divide_signed(numerator, denominator, &remainder);
}

int64_t __moddi3(int64_t numerator, int64_t denominator) {
  int64_t remainder;
  tf_divide_signed(numerator, denominator, &remainder);
  return remainder;
}
