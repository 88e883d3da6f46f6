@ Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
@ SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
@
@ Snippets for the in-order model of the Cortex-M7, counted by hand in their steady state: a bar
@ stands between cycles, a plus between instructions of one cycle.

.syntax unified
.thumb
.text

@ add + eor
alu_pair:                  @ cycles 1
  add r0, r1, r2
  eor r3, r4, r5

@ add | add + eor: the second needs the first.
alu_chain:                 @ cycles 2
  add r0, r1, r2
  add r3, r0, r4
  eor r5, r6, r7

@ One multiplication a cycle, also when the sum is the one before's: it is read late.
accumulate_same:           @ cycles 2
  smlad r0, r1, r2, r0
  smlad r0, r3, r4, r0

accumulate_long:           @ cycles 2
  smlald r0, r1, r2, r3
  smlald r0, r1, r4, r5

@ A product that is a factor is needed two cycles later.
product_as_factor:         @ cycles 4
  smuad r0, r1, r2
  smuad r1, r0, r3

@ smlad + ldr: the load is the younger one.
multiply_load:             @ cycles 1
  smlad r0, r1, r2, r0
  ldr r3, [r12]

@ smlad + ldr of the next round.
load_multiply:             @ cycles 1
  ldr r3, [r12]
  smlad r0, r1, r2, r0

@ smlad | sxtb16: each wants the first slot.
multiply_extend:           @ cycles 2
  smlad r0, r1, r2, r0
  sxtb16 r3, r4

extend_multiply:           @ cycles 2
  sxtb16 r3, r4, ror #8
  smlad r0, r1, r2, r0

pack_saturate:             @ cycles 4
  pkhbt r0, r1, r2, lsl #16
  ssat16 r3, #8, r4
  uxtb16 r5, r6
  usat16 r7, #8, r8

@ ssub8 | sel | qadd | smmulr | smmlar
dsp_in_first_slot:         @ cycles 5
  ssub8 r0, r1, r2
  sel r3, r4, r5
  qadd r6, r7, r8
  smmulr r9, r4, r5
  smmlar r10, r4, r5, r7

@ uxtb16 + mov | uxtb16 + mov
extend_move:               @ cycles 2
  uxtb16 r0, r1
  mov r2, r3
  uxtb16 r4, r5
  mov r6, r7

@ One shifted operand a cycle.
shifted_operands:          @ cycles 2
  add r0, r1, r2, lsl #2
  orr r3, r4, r5, lsr #3

extended_and_shifted:      @ cycles 2
  sxtb16 r0, r1
  add r3, r4, r5, lsl #2

@ An address is shifted elsewhere.
extended_and_indexed:      @ cycles 1
  sxtb16 r0, r1
  ldr r3, [r4, r5, lsl #2]

shifted_beside_plain:      @ cycles 1
  add r0, r1, r2, lsl #2
  orr r3, r4, r5

@ add | - | add + eor: a shifted operand is needed a cycle early.
shifted_operand_early:     @ cycles 3
  add r0, r1, r2
  add r1, r3, r0, lsl #1
  eor r5, r6, r7

@ ldr + ldr | ldr + ldr
loads:                     @ cycles 2
  ldr r0, [r12]
  ldr r1, [r12, #4]
  ldr r2, [r12, #8]
  ldr r3, [r12, #12]

@ add + ldr of the next round: a word is there after a cycle.
load_use:                  @ cycles 1
  ldr r0, [r12]
  add r1, r0, r2

@ add + ldrb of the next round | -: a byte is there after two.
byte_use:                  @ cycles 2
  ldrb r0, [r12]
  add r1, r0, r2

@ ldr | - | ldr | -: an address is needed a cycle early.
load_of_address:           @ cycles 4
  ldr r0, [r1]
  ldr r1, [r0]

@ ldr + add of the next round | -: the same for a computed address.
computed_address:          @ cycles 2
  add r0, r1, r2
  ldr r3, [r0]

@ str | str
stores:                    @ cycles 2
  str r0, [r12]
  str r1, [r12, #4]

@ add + str: data are stored late.
store_result:              @ cycles 1
  add r0, r1, r2
  str r0, [r12]

@ ldr | ldr: the base is known before what is loaded, in time for the next cycle.
writeback:                 @ cycles 2
  ldr r0, [r12], #4
  ldr r1, [r12], #4

@ ldr + ldr, and the base is known for the next two.
load_multiple_writeback:   @ cycles 1
  ldm r12!, {r0, r1}

store_double_writeback:    @ cycles 2
  strd r0, r1, [r12], #8

@ ldr + ldr | ldr + ldr: nothing waits for SP.
pops:                      @ cycles 2
  pop {r0, r1}
  pop {r2, r3}

@ The base does not change.
load_multiple:             @ cycles 2
  ldm r12, {r0, r1, r2, r3}

store_double:              @ cycles 2
  strd r0, r1, [r12]

@ Nothing beside it, and nothing for its seven cycles.
divide:                    @ cycles 8
  udiv r0, r1, r2
  add r3, r4, r5

@ vmov + vmov: two ports of the FPU's registers.
moves_to_fpu:              @ cycles 1
  vmov s0, r1
  vmov s1, r2

@ add + vmov of the next round | - | -: a move takes three cycles.
move_from_fpu:             @ cycles 3
  vmov r0, s1
  add r1, r0, r2

move_two:                  @ cycles 2
  vmov r0, r1, d0
  vmov r2, r3, d1

@ subs + smlad: branches are folded.
loop_end:                  @ cycles 1
  smlad r0, r1, r2, r0
  subs r3, r3, #1
  bne loop_end

return:                    @ cycles 1
  bx lr

@ smlad + ldr | smlad | sxtb16 | smlad + mov | smlad
kernel_step:               @ cycles 5
  smlad r4, r0, r2, r4
  ldr r1, [r12]
  smlad r5, r0, r3, r5
  sxtb16 r0, r0
  smlad r6, r0, r2, r6
  mov r9, r11
  smlad r7, r0, r3, r7

@ 8 products and 2 extensions, each alone in its first slot, with 4 loads beside them.
packed_pairs_step:         @ cycles 10
  smlad r6, r4, r3, r6
  ldr r5, [r1, #4]
  smlad r2, r4, r12, r2
  sxtb16 r4, r4
  smlad r8, r5, r3, r8
  smlad r9, r5, r12, r9
  sxtb16 r5, r5
  smlad r10, r4, r3, r10
  smlad r11, r4, r12, r11
  ldr r4, [r1]
  smlad r7, r5, r3, r7
  ldr r3, [r0, #4]
  smlad lr, r5, r12, lr
  ldr r12, [r0]

@ 8 products with 6 loads beside them.
wide_pairs_step:           @ cycles 8
  smlad r6, r4, r3, r6
  ldr r5, [r1, #4]
  smlad r7, r4, r12, r7
  ldr r4, [r1, #8]
  smlad r8, r5, r3, r8
  smlad r9, r5, r12, r9
  ldr r5, [r1, #12]
  smlad r10, r4, r3, r10
  smlad r11, r4, r12, r11
  ldr r4, [r1]
  smlad r2, r5, r3, r2
  ldr r3, [r0, #4]
  smlad lr, r5, r12, lr
  ldr r12, [r0]
