# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""STM32H743: Cortex-M7 with double-precision FPU (ST RM0433, memory map in section 2.3).

DTCM answers in one cycle and bypasses the caches, so it is where an arena should be; AXI SRAM
is four times as large and reached through the data cache. The clock and power are those of the
published measurements that the reports compare with.
"""

from tinyformer.targets.description import Memory, Target

STM32H7 = Target(
    name="stm32h7",
    description="STM32H743, Cortex-M7 at 480 MHz",
    core="cortex-m7",
    isa="armv7e-m",
    cores=1,
    clock_hz=480_000_000,
    power_mw=234.0,
    memories=(
        Memory("flash", 0x0800_0000, 2 * 1024 * 1024, "flash"),
        Memory("dtcm", 0x2000_0000, 128 * 1024, "ram"),
        Memory("axi_sram", 0x2400_0000, 512 * 1024, "ram"),
    ),
    code_memory="flash",
    constant_memory="flash",
    arena_memories=("dtcm", "axi_sram"),
    data_memory="axi_sram",
    stack_memory="dtcm",
    stack_bytes=4096,
)
