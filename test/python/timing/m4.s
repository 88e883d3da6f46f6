@ Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
@ SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
@
@ Straight-line snippets with the cycles that the Cortex-M4 TRM gives them, one rule each.

.syntax unified
.thumb
.text

alu:                       @ cycles 3
  add r0, r1, r2
  eor r3, r0, r1, lsl #3
  ssat r0, #8, r3, asr #2

multiply:                  @ cycles 6
  mul r0, r1, r2
  mla r0, r1, r2, r3
  smull r0, r1, r2, r3
  smlal r0, r1, r2, r3
  smlad r0, r1, r2, r3
  smmulr r0, r1, r2

divide:                    @ cycles 24
  udiv r0, r1, r2
  sdiv r0, r1, r2

it_block:                  @ cycles 3
  ite ne
  addne r0, r1
  addeq r0, r2

load:                      @ cycles 2
  ldr r0, [r1]

loads_pipelined:           @ cycles 5
  ldr r0, [r1]
  ldrb r2, [r3]
  ldrsh r4, [r5, #2]
  ldr r6, [r7, r8]

load_after_alu:            @ cycles 3
  add r0, r1, r2
  ldr r3, [r4]

load_of_loaded_address:    @ cycles 4
  ldr r0, [r1]
  ldr r2, [r0]

load_of_loaded_index:      @ cycles 4
  ldr r0, [r1]
  ldrb r2, [r3, r0]

load_pc_relative:          @ cycles 4
  add r0, r1
  ldr r2, [pc, #4]
  add r0, r2

load_of_computed_address:  @ cycles 4
  add r0, r1, r2
  ldr r3, [r0]

store_to_computed_address: @ cycles 3
  add r0, r1, r2
  str r3, [r0]

computed_one_before_last:  @ cycles 4
  add r0, r1, r2
  add r5, r6, r7
  ldr r3, [r0]

push_after_sp_change:      @ cycles 5
  sub sp, #8
  push {r4, r5}

load_post_index:           @ cycles 4
  ldr r0, [r1], #4
  ldr r2, [r3]

load_pre_index:            @ cycles 4
  ldr r2, [r3]
  ldr r0, [r1, #4]!

store_immediate:           @ cycles 2
  str r0, [r1]
  strb r0, [r1, #7]

store_register:            @ cycles 2
  str r0, [r1, r2]

store_register_piped:      @ cycles 3
  ldr r0, [r1]
  str r0, [r2, r3]

store_then_load:           @ cycles 3
  str r0, [r1]
  ldr r2, [r3]

store_register_dependent:  @ cycles 4
  ldr r0, [r1]
  str r2, [r3, r0]

load_double:               @ cycles 5
  ldrd r0, r1, [r2]
  ldr r3, [r4]

load_then_double:          @ cycles 5
  ldr r3, [r4]
  ldrd r0, r1, [r2]

store_double:              @ cycles 3
  strd r0, r1, [r2, #8]

load_multiple:             @ cycles 5
  ldm r0!, {r1, r2, r3, r4}

store_multiple:            @ cycles 4
  stm r0!, {r1, r2, r3}

push_pop:                  @ cycles 11
  push {r4, r5, r6, lr}
  nop
  pop {r4, r5, r6, lr}

table_branch:              @ cycles 3
  tbb [pc, r0]

move_to_fpu:               @ cycles 2
  vmov s0, r1
  vmov r2, s0

move_two_to_fpu:           @ cycles 2
  vmov d0, r1, r2

load_fpu:                  @ cycles 5
  vldr s0, [r1]
  vldr d1, [r1, #8]

store_fpu:                 @ cycles 5
  vstr s0, [r1]
  vstr d1, [r1, #8]

load_multiple_fpu:         @ cycles 10
  vldmia r0!, {s0-s3}
  vpush {d8, d9}

float_arithmetic:          @ cycles 32
  vadd.f32 s0, s1, s2
  vfma.f32 s0, s1, s2
  vdiv.f32 s0, s1, s2
  vsqrt.f32 s3, s4
