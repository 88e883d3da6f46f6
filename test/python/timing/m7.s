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

single_loads:              @ cycles 2
  ldr r0, [r12]
  ldr r1, [r12, #4]
  ldr r2, [r12, #8]
  ldr r3, [r12, #12]

load_multiple_is_singles:  @ cycles 2
  ldm r12, {r0, r1, r2, r3}

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

call_alone:                @ cycles 1
  bl alu_pair

return:                    @ cycles 1
  bx lr
