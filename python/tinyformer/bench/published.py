# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the papers and other libraries are said to need: figures to stand beside ours.

Only figures that could be read are here. The paper's own tables for each platform could not.
"""

from __future__ import annotations

from dataclasses import dataclass

LAYERS: dict[str, str] = {
    "81,32,32,8": "EEGFormer",
    "66,16,2,8": "ECGFormer",
    "4,32,32,8": "radar hand gestures",
    "32,64,64,16": "the larger layer of COINS 2021",
}
"""The attention layers of the papers: tokens, width, head width, heads."""


@dataclass(frozen=True)
class Rival:
    """Cycles of an attention layer by another library; `layer` is a key of LAYERS, `source` one of
    SOURCES."""

    target: str
    layer: str
    library: str
    cycles: int
    source: str


SOURCES = {
    "2021": (
        "A. Burrello et al., A Microcontroller is All You Need, COINS 2021: measured on STM32L4, "
        "STM32H7 and GAP8 (8 cores, data in L2); GAP8 has the cores of GAP9, and less memory"
    ),
    "2026": (
        "CMSIS-NN of November 2026, its batched matrix kernels, V computed transposed, "
        "copies not counted; gcc 12 -Ofast, on an earlier version of the timing models used here"
    ),
}

RIVALS = (
    Rival("stm32l4", "81,32,32,8", "CMSIS-NN", 46_989_119, "2026"),
    Rival("stm32l4", "66,16,2,8", "CMSIS-NN", 22_662_623, "2026"),
    Rival("stm32l4", "4,32,32,8", "CMSIS-NN", 657_746, "2026"),
    Rival("stm32l4", "4,32,32,8", "CMSIS-NN", 1_373_492, "2021"),
    Rival("stm32l4", "32,64,64,16", "CMSIS-NN", 34_211_220, "2026"),
    Rival("stm32l4", "32,64,64,16", "CMSIS-NN", 103_593_384, "2021"),
    Rival("stm32h7", "81,32,32,8", "CMSIS-NN", 32_041_518, "2026"),
    Rival("stm32h7", "66,16,2,8", "CMSIS-NN", 15_847_638, "2026"),
    Rival("stm32h7", "4,32,32,8", "CMSIS-NN", 342_067, "2026"),
    Rival("stm32h7", "4,32,32,8", "CMSIS-NN", 768_315, "2021"),
    Rival("stm32h7", "32,64,64,16", "CMSIS-NN", 22_434_663, "2026"),
    Rival("stm32h7", "32,64,64,16", "CMSIS-NN", 56_997_470, "2021"),
    Rival("gap9", "4,32,32,8", "PULP-NN", 39_071, "2021"),
    Rival("gap9", "32,64,64,16", "PULP-NN", 1_952_342, "2021"),
)

PAPER = (
    "V. J. B. Jung et al., Optimizing the Deployment of Tiny Transformers on Low-Power MCUs, "
    "arXiv 2404.02945"
)
FACTOR_CMSIS, FACTOR_PULP = 4.79, 2.0
FACTOR_MEMORY, FACTOR_FUSION, SAVED_WEIGHTS = 6.19, 1.53, 0.25
"""The paper's claims: latency against CMSIS-NN and PULP-NN, on average; memory peak, runtime and
share of parameters, at best."""
