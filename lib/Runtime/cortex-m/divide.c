// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 64-bit division, which ARMv7E-M has no instruction for and the compiler calls
// by the names of the ARM run-time ABI (IHI 0043, section 4.3.1): quotient in
// r0:r1 and remainder in r2:r3.
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

// The remainder's address goes on the stack as fifth word, and the remainder
// behind it.
#define AEABI_DIVISION(name, function)                                         \
  void name(void);                                                             \
  __attribute__((naked)) void name(void) {                                     \
    __asm("push {r6, lr}\n"                                                    \
          "sub sp, sp, #16\n"                                                  \
          "add r6, sp, #8\n"                                                   \
          "str r6, [sp]\n"                                                     \
          "bl " #function "\n"                                                 \
          "ldrd r2, r3, [sp, #8]\n"                                            \
          "add sp, sp, #16\n"                                                  \
          "pop {r6, pc}\n");                                                   \
  }

AEABI_DIVISION(__aeabi_uldivmod, tf_divide_unsigned)
AEABI_DIVISION(__aeabi_ldivmod, tf_divide_signed)
