// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the start-up code, the programs and the simulators agree on.

#ifndef TF_RUNTIME_H
#define TF_RUNTIME_H

#include <stdint.h>

// The values of tf_fault; simulators/faults.py has the same list.
enum {
  TF_FAULT_NONE = 0,
  TF_FAULT_NMI = 2,
  TF_FAULT_HARD = 3,
  TF_FAULT_MEMORY = 4,
  TF_FAULT_BUS = 5,
  TF_FAULT_USAGE = 6,
  TF_FAULT_UNEXPECTED = 255,
};

extern volatile uint32_t tf_fault;

int main(void);
_Noreturn void tf_exit(int status);

#endif
