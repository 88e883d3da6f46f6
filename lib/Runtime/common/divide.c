// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 64-bit division, which no core here has an instruction for. The names by
// which compilers call it are in the folders of the cores.
//
// One bit a step, about 600 cycles: networks divide once a row at most.

#include <stdint.h>

uint64_t tf_divide_unsigned(uint64_t numerator, uint64_t denominator,
                            uint64_t *remainder);
int64_t tf_divide_signed(int64_t numerator, int64_t denominator,
                         int64_t *remainder);

// Division by zero gives all ones, and the numerator as remainder.
__attribute__((used)) uint64_t tf_divide_unsigned(uint64_t numerator,
                                                  uint64_t denominator,
                                                  uint64_t *remainder) {
  uint64_t rest = 0;
  for (int step = 0; step < 64; step++) {
    uint64_t carry = rest >> 63;
    rest = rest << 1 | numerator >> 63;
    numerator <<= 1;
    if (carry || rest >= denominator) {
      rest -= denominator;
      numerator |= 1;
    }
  }
  *remainder = rest;
  return numerator;
}

__attribute__((used)) int64_t tf_divide_signed(int64_t numerator,
                                               int64_t denominator,
                                               int64_t *remainder) {
  uint64_t n = numerator < 0 ? -(uint64_t)numerator : (uint64_t)numerator;
  uint64_t d = denominator < 0 ? -(uint64_t)denominator : (uint64_t)denominator;
  uint64_t rest;
  uint64_t quotient = tf_divide_unsigned(n, d, &rest);
  *remainder = (int64_t)(numerator < 0 ? -rest : rest);
  return (int64_t)((numerator < 0) != (denominator < 0) ? -quotient : quotient);
}
