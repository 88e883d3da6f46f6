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

multiply_dsp:              @ cycles 16
  smlad r0, r1, r2, r0
  smladx r0, r1, r2, r0
  smlsd r0, r1, r2, r0
  smuad r0, r1, r2
  smusd r0, r1, r2
  smlald r0, r1, r2, r3
  smlabt r0, r1, r2, r3
  smulwb r0, r1, r2
  smlawt r0, r1, r2, r3
  smmul r0, r1, r2
  smmla r0, r1, r2, r3
  smmlar r0, r1, r2, r3
  smmlsr r0, r1, r2, r3
  umull r0, r1, r2, r3
  umlal r0, r1, r2, r3
  umaal r0, r1, r2, r3

unpack:                    @ cycles 7
  sxtb16 r0, r1
  sxtb16 r0, r1, ror #8
  uxtb16 r0, r1, ror #24
  sxtab16 r0, r1, r2, ror #16
  uxtab16 r0, r1, r2
  sxtb r0, r1
  uxth r0, r1, ror #8

pack_and_saturate:         @ cycles 8
  pkhbt r0, r1, r2, lsl #16
  pkhtb r0, r1, r2, asr #16
  ssat r0, #8, r1
  usat r0, #8, r1, asr #4
  ssat16 r0, #8, r1
  usat16 r0, #8, r1
  rev r0, r1
  ubfx r0, r1, #8, #8

parallel:                  @ cycles 9
  ssub8 r0, r1, r2
  sel r0, r1, r2
  uadd8 r0, r1, r2
  usub16 r0, r1, r2
  shadd8 r0, r1, r2
  qadd r0, r1, r2
  qdsub r0, r1, r2
  qsub8 r0, r1, r2
  usada8 r0, r1, r2, r3

product_as_address:        @ cycles 4
  smlald r0, r1, r2, r3
  ldr r4, [r1]

packed_address:            @ cycles 4
  pkhbt r0, r1, r2, lsl #16
  ldrh r3, [r4, r0, lsl #1]

saturated_address:         @ cycles 6
  usat16 r0, #8, r1
  ldrb r2, [r3, r0]
  sxtb16 r4, r2
  str r5, [r6]

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

load_double_writeback:     @ cycles 6
  ldrd r0, r1, [r2], #8
  ldrd r0, r1, [r2, #-8]!

store_double_writeback:    @ cycles 6
  strd r0, r1, [r2], #8
  strd r0, r1, [r2, #8]!

store_writeback:           @ cycles 2
  str r0, [r1], #4
  strh r0, [r1, #2]!

load_multiple_no_update:   @ cycles 6
  ldm r0, {r1, r2, r8}
  ldr r3, [r4]

load_multiple_before:      @ cycles 3
  ldmdb r0!, {r1, r8}

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

move_two_to_fpu:           @ cycles 8
  vmov d0, r1, r2
  vmov r1, r2, d0
  vmov s0, s1, r2, r3
  vmov r2, r3, s0, s1

move_inside_fpu:           @ cycles 4
  vmov.f32 s0, s1
  vmov.f32 s0, #1.0
  vmov.32 d0[1], r3
  vmov.32 r3, d0[1]

address_out_of_fpu:        @ cycles 4
  vmov r0, s1
  ldr r1, [r0]

load_fpu:                  @ cycles 5
  vldr s0, [r1]
  vldr d1, [r1, #8]

fpu_behind_load:           @ cycles 4
  ldr r0, [r1]
  vldr s0, [r2]

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
