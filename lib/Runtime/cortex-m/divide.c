// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names of the ARM run-time ABI for 64-bit division (IHI 0043, section
// 4.3.1): quotient in r0:r1 and remainder in r2:r3.

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
