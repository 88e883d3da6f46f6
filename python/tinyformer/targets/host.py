# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The machine that TinyFormer runs on, for debugging: same bits, no cycles."""

from tinyformer.targets.description import Memory, Target

HOST = Target(
    name="host",
    description="this machine (x86-64), for debugging",
    core="x86-64",
    isa="x86-64",
    cores=1,
    clock_hz=None,
    power_mw=None,
    memories=(Memory("ram", 0, 256 * 1024 * 1024, "ram"),),
    code_memory=None,
    constant_memory=None,
    arena_memories=("ram",),
    data_memory="ram",
    stack_memory="ram",
    stack_bytes=1024 * 1024,
)
