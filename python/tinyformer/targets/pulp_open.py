# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pulp-open, the open cluster that GVSoC models: half of GAP9's L1.

It is no chip that one can buy and has no clock or power of its own; it takes those of GAP9.
"""

from dataclasses import replace

from tinyformer.targets.description import Memory
from tinyformer.targets.gap9 import GAP9

PULP_OPEN = replace(
    GAP9,
    name="pulp-open",
    description="pulp-open, cluster of 8 RI5CY cores, with GAP9's clock",
    memories=(GAP9.memory("l2"), Memory("l1", 0x1000_0000, 64 * 1024, "ram")),
)
