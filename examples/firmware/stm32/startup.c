// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The least that a Cortex-M4 needs before main(). In a project of yours this
// is the chip maker's file, which must switch on the FPU too.

#include <stdint.h>

#define CPACR (*(volatile uint32_t *)0xE000ED88u)

extern uint32_t stack_top[], data_start[], data_end[], bss_start[], bss_end[];
extern const uint32_t data_load[];

int main(void);
void Reset_Handler(void);
_Noreturn void finished(void);

void Reset_Handler(void) {
  CPACR |= 0xFu << 20; // Kernels keep integers in the FPU's registers.
  __asm volatile("dsb\n isb" ::: "memory");
  const uint32_t *from = data_load;
  for (volatile uint32_t *to = data_start; to != data_end;)
    *to++ = *from++;
  for (volatile uint32_t *to = bss_start; to != bss_end;)
    *to++ = 0;
  main();
  finished();
}

__attribute__((noinline)) _Noreturn void finished(void) {
  for (;;)
    __asm volatile("wfi");
}

static void fault(void) {
  for (;;)
    __asm volatile("bkpt 0");
}

typedef void (*handler_t)(void);

__attribute__((section(".vectors"),
               used)) static const handler_t vectors[16] = {
    (handler_t)stack_top, Reset_Handler, fault, fault, fault, fault, fault,
};
