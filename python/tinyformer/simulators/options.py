# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What of a chip a run is to model, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.errors import SimulationError
from tinyformer.simulators.flash import check_wait_states
from tinyformer.targets import Target


@dataclass(frozen=True)
class SimulatorOptions:
    """`wait_states` are those of the flash, which the model of stm32l4 has. Without
    `instruction_cache` every fetch of a cluster's core hits, without `contention` every bank of its
    L1 serves all cores at once. `simulator` is "builtin" or, for a cluster, "gvsoc".
    """

    wait_states: int = 0
    instruction_cache: bool = True
    contention: bool = True
    simulator: str = "builtin"

    def check(self, target: Target) -> None:
        """Raises a SimulationError for what the simulator of `target` does not model."""
        check_wait_states(self.wait_states, target)
        self._check_simulator(target)
        if target.core == "ri5cy" or (self.instruction_cache and self.contention):
            return
        option = "contention" if self.instruction_cache else "instruction-cache"
        raise SimulationError(
            f"only the simulator of a cluster models this, not that of {target.name}; "
            f"leave --no-{option} out"
        )

    def _check_simulator(self, target: Target) -> None:
        if self.simulator == "builtin":
            return
        if self.simulator != "gvsoc" or target.core != "ri5cy":
            raise SimulationError(
                f"--simulator takes builtin, or gvsoc for a target with a cluster; got "
                f"'{self.simulator}' for {target.name}"
            )
        if not (self.instruction_cache and self.contention):
            raise SimulationError(
                "GVSoC models the instruction cache and contention as it does; leave "
                "--no-instruction-cache and --no-contention out"
            )
