# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Where the fabric controller and the cluster's cores begin. The fabric
# controller clears .bss, starts core 0 and sleeps; core 0 starts the others.
# The vectors would lie at the entry point: there are no interrupts.

  .option norelax

  .section .text.start, "ax"
  .globl _start
  .type _start, @function
_start:
  la t0, tf_fabric_stack_top  # in one step: the simulator watches sp
  mv sp, t0
  li t0, 0x1a108800           # the fabric controller's instruction cache
  li t1, 1
  sw t1, 0(t0)
  la a0, tf_bss_start
  la a1, tf_bss_end
  jal ra, tf_clear
  jal ra, tf_start_cluster
1:
  wfi
  j 1b
  .size _start, . - _start

  .section .text.cluster, "ax"
  .globl tf_cluster_start
  .type tf_cluster_start, @function
tf_cluster_start:
  csrr a0, 0xf14
  andi a0, a0, 31
  la t0, tf_cluster_stacks    # the stack of core i ends where that of i + 1 begins
  la t1, tf_cluster_stack_bytes
  addi t2, a0, 1
  mul t1, t1, t2
  add sp, t0, t1
  bnez a0, 2f
  la a0, tf_l1_bss_start
  la a1, tf_l1_bss_end
  jal ra, tf_clear
  jal ra, tf_first_core
2:
  jal ra, tf_other_core
  .size tf_cluster_start, . - tf_cluster_start

# Clears the words from a0 to a1.
  .section .text.clear, "ax"
  .type tf_clear, @function
tf_clear:
  beq a0, a1, 2f
1:
  sw zero, 0(a0)
  addi a0, a0, 4
  bne a0, a1, 1b
2:
  ret
  .size tf_clear, . - tf_clear
