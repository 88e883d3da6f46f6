@ Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
@ SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
@
@ Snippets whose steady state on the Cortex-M7 follows from the core's structure: two instructions a
@ cycle, two loads a cycle, one store, one multiply-accumulate.

.syntax unified
.thumb
.text

alu_pair:                  @ cycles 1
  add r0, r1, r2
  eor r3, r4, r5

multiply_accumulate:       @ cycles 4
  smlad r0, r1, r2, r3
  smlad r4, r1, r2, r3
  smlad r5, r1, r2, r3
  smlad r6, r1, r2, r3

@ All of these use the one SIMD unit.
unpack:                    @ cycles 6
  sxtb16 r0, r1
  sxtb16 r2, r1, ror #8
  uxtb16 r3, r1, ror #8
  uxtb r4, r1
  ssub8 r5, r1, r1
  sel r6, r1, r1

pack_and_saturate:         @ cycles 6
  pkhbt r0, r1, r2, lsl #16
  pkhtb r3, r1, r2, asr #16
  ssat16 r4, #8, r1
  usat16 r5, #8, r1
  qadd r6, r1, r2
  ssat r7, #8, r1, asr #2

products:                  @ cycles 6
  smuad r0, r1, r2
  smmulr r3, r1, r2
  smmlar r4, r1, r2, r12
  smulwb r5, r1, r2
  smlald r6, r7, r1, r2
  mla r8, r1, r2, r12

@ The sum is forwarded.
accumulate_same:           @ cycles 2
  smlad r0, r1, r2, r0
  smlad r0, r1, r2, r0

unpack_beside_multiply:    @ cycles 2
  sxtb16 r4, r5
  smlad r0, r1, r2, r3
  sxtb16 r6, r5, ror #8
  smlad r7, r1, r2, r3

moves_to_fpu:              @ cycles 2
  vmov s0, r0
  vmov s1, r1
  vmov s2, r2
  vmov s3, r3

single_loads:              @ cycles 2
  ldr r0, [r12]
  ldr r1, [r12, #4]
  ldr r2, [r12, #8]
  ldr r3, [r12, #12]

load_multiple_is_singles:  @ cycles 2
  ldm r12, {r0, r1, r2, r3}

@ ldr + ldr | adds | -: an address is needed a cycle early.
load_multiple_writeback:   @ cycles 3
  ldm r12!, {r0, r1}

load_double_writeback:     @ cycles 3
  ldrd r0, r1, [r12], #8

@ str | str | adds | -
store_double_writeback:    @ cycles 4
  strd r0, r1, [r12], #8

load_writeback:            @ cycles 2
  ldr r0, [r12], #4

pop_is_singles:            @ cycles 2
  pop {r0, r1, r2, r3}

load_doubles_are_singles:  @ cycles 2
  ldrd r0, r1, [r12]
  ldrd r2, r3, [r12, #8]

single_stores:             @ cycles 4
  str r0, [r12]
  str r1, [r12, #4]
  str r2, [r12, #8]
  str r3, [r12, #12]

push_is_singles:           @ cycles 4
  push {r0, r1, r2, r3}

store_double_is_singles:   @ cycles 2
  strd r0, r1, [r12]

it_is_free:                @ cycles 1
  ite ne
  addne r0, r1
  addeq r2, r3

nop_is_free:               @ cycles 1
  nop
  add r0, r1, r2
  eor r3, r4, r5

branch_is_free:            @ cycles 1
  adds r0, r1, r2
  eor r3, r4, r5
  bne alu_pair

loop_end:                  @ cycles 1
  smlad r0, r1, r2, r0
  bgt loop_end

call_alone:                @ cycles 1
  bl alu_pair

return:                    @ cycles 1
  bx lr
