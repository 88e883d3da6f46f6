# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""STM32L476: Cortex-M4 with FPU (ST RM0351, memory map in section 2.2).

SRAM1 and SRAM2 are not contiguous at these addresses (SRAM2 is not mirrored behind SRAM1 on
this chip), so an arena lies in one of them; a network that needs both has an arena in each. The
clock and power are those of the published measurements that the reports compare with.
"""

from tinyformer.targets.description import Memory, Target

STM32L4 = Target(
    name="stm32l4",
    description="STM32L476, Cortex-M4 at 80 MHz",
    core="cortex-m4",
    isa="armv7e-m",
    cores=1,
    clock_hz=80_000_000,
    power_mw=10.0,
    memories=(
        Memory("flash", 0x0800_0000, 1024 * 1024, "flash"),
        Memory("sram1", 0x2000_0000, 96 * 1024, "ram"),
        Memory("sram2", 0x1000_0000, 32 * 1024, "ram"),
    ),
    code_memory="flash",
    constant_memory="flash",
    arena_memories=("sram1", "sram2"),
    data_memory="sram2",
    stack_memory="sram2",
    stack_bytes=4096,
)
