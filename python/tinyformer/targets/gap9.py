# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""GAP9: a cluster of eight RI5CY cores with XpulpV2, after the memory map of PULP's pulp-open.

L1 answers in one cycle, L2 in 15; DMA moves data between them. The two private banks of L2 in
front of the shared one hold the fabric controller's stack and are left out here. The clock and
power are those of the published measurements that the reports compare with.
"""

from tinyformer.targets.description import Dma, Memory, Target

GAP9 = Target(
    name="gap9",
    description="GAP9, cluster of 8 RI5CY cores at 370 MHz",
    core="ri5cy",
    isa="xpulpv2",
    cores=8,
    clock_hz=370_000_000,
    power_mw=35.0,
    memories=(
        Memory("l2", 0x1C01_0000, 1536 * 1024, "ram"),
        Memory("l1", 0x1000_0000, 128 * 1024, "ram"),
    ),
    code_memory="l2",
    constant_memory="l2",
    arena_memories=("l1", "l2"),
    data_memory="l2",
    stack_memory="l1",
    stack_bytes=1024,
    runtime_bytes=64,
    dma=Dma(setup_cycles=15, bytes_per_cycle=8),
)
