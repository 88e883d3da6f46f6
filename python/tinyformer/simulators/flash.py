# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wait states of the STM32L4's flash, behind its accelerator: prefetch and two caches.

A read of the flash gives a word of 64 bits after `wait_states` more cycles. The hook follows which
words are cached (lib/Runtime/simulator/block_profile.c); here that becomes cycles. The model is
described, with its source and its limits, in docs/simulators.md.
"""

from __future__ import annotations

from tinyformer.errors import SimulationError
from tinyformer.simulators.block_profile import Edge
from tinyformer.targets import Target

WORD_BYTES = 8

# What the field LATENCY of FLASH_ACR takes.
LARGEST = 4


def check_wait_states(wait_states: int, target: Target) -> None:
    """Raises a SimulationError for wait states that no model knows."""
    if wait_states == 0:
        return
    if target.core != "cortex-m4":
        raise SimulationError(
            f"wait states are modelled for the flash of stm32l4 only, got {wait_states} for "
            f"{target.name}; leave --wait-states out"
        )
    if not 0 <= wait_states <= LARGEST:
        raise SimulationError(
            f"the flash of {target.name} has 0 to 4 wait states, got {wait_states}"
        )


def model_name(name: str, wait_states: int) -> str:
    """The name of a timing model that has no wait states, with those that it has."""
    if wait_states == 0:
        return name
    return name.replace("zero wait states", f"{wait_states} wait states behind caches and prefetch")


def stall_cycles(edge: Edge, block_cycles: float, wait_states: int) -> float:
    """What all executions of `edge` wait for flash; its target block takes `block_cycles` else.

    Behind a jump and for data, a miss waits in full. The word behind the last one was asked for
    when that one began, so that its instructions hide a part of the wait.
    """
    if not wait_states or not edge.size:
        return 0.0
    first, last = edge.target // WORD_BYTES, (edge.target + edge.size - 1) // WORD_BYTES
    hidden = block_cycles / (last - first + 1)
    waits = wait_states * (edge.missed_jumps + edge.missed_data)
    return waits + edge.missed_next * max(0.0, wait_states + 1 - hidden)
