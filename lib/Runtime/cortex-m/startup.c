// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vector table, reset and fault handlers for ARMv7E-M (Cortex-M4 and M7).
//
// The clock stays at its reset value: a board's firmware that wants another one
// sets it before it calls the network. Interrupts are never enabled.

#include <stdint.h>

#include "tf_runtime.h"

// From the linker script.
extern uint32_t tf_stack_top[];
extern uint32_t tf_data_start[], tf_data_end[];
extern const uint32_t tf_data_load[];
extern uint32_t tf_bss_start[], tf_bss_end[];

// Coprocessor Access Control Register (ARMv7-M ARM, B3.2.20): full access to
// CP10 and CP11.
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_FPU_FULL_ACCESS (0xFu << 20)

// In .noinit, or a fault before .bss is cleared would be forgotten.
__attribute__((section(".noinit.tf_fault"), used)) volatile uint32_t tf_fault;

void Reset_Handler(void);

// The kernels may keep integers in FPU registers, so it is switched on first.
void Reset_Handler(void) {
  CPACR |= CPACR_FPU_FULL_ACCESS;
  __asm volatile("dsb\n isb" ::: "memory");
  tf_fault = TF_FAULT_NONE;
  const uint32_t *from = tf_data_load;
  for (volatile uint32_t *to = tf_data_start; to != tf_data_end;)
    *to++ = *from++;
  for (volatile uint32_t *to = tf_bss_start; to != tf_bss_end;)
    *to++ = 0;
  tf_exit(main());
}

// Where every program ends. A debugger or simulator stops here; tf_fault says
// how it went.
__attribute__((noinline, used)) void tf_exit(int status) {
  (void)status;
  for (;;)
    __asm volatile("wfi");
}

static _Noreturn void fail(uint32_t reason) {
  tf_fault = reason;
  tf_exit(1);
}

#define HANDLER(name, reason)                                                  \
  _Noreturn void name(void);                                                   \
  _Noreturn void name(void) { fail(reason); }

HANDLER(NMI_Handler, TF_FAULT_NMI)
HANDLER(HardFault_Handler, TF_FAULT_HARD)
HANDLER(MemManage_Handler, TF_FAULT_MEMORY)
HANDLER(BusFault_Handler, TF_FAULT_BUS)
HANDLER(UsageFault_Handler, TF_FAULT_USAGE)
HANDLER(Unexpected_Handler, TF_FAULT_UNEXPECTED)

typedef void (*handler_t)(void);

// ARMv7-M ARM, B1.5.3. The first word is the initial stack pointer, not a
// function.
__attribute__((section(".vectors"),
               used)) static const handler_t vectors[16] = {
    (handler_t)tf_stack_top,
    Reset_Handler,
    NMI_Handler,
    HardFault_Handler,
    MemManage_Handler,
    BusFault_Handler,
    UsageFault_Handler,
    0,
    0,
    0,
    0,
    Unexpected_Handler,
    Unexpected_Handler,
    0,
    Unexpected_Handler,
    Unexpected_Handler,
};
