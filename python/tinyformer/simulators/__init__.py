# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running firmware: a simulator for the Cortex-M targets, and the host itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tinyformer.errors import SimulationError
from tinyformer.firmware import FirmwareImage
from tinyformer.simulators.result import Int8Array, LayerCycles, RunResult
from tinyformer.targets import Target

__all__ = ["LayerCycles", "RunResult", "Session", "open_session", "simulate"]


class Session(Protocol):
    """A loaded program that runs again and again."""

    def run(self, inputs: Sequence[Int8Array], *, profile: bool = False) -> RunResult:
        """Runs the network on one set of inputs."""

    def check_alignment(self, inputs: Sequence[Int8Array]) -> dict[str, int]:
        """Runs the network slowly; unaligned accesses by symbol, or an error where one faults."""


def open_session(
    image: FirmwareImage,
    target: Target,
    *,
    instruction_limit: int | None = None,
    wait_states: int = 0,
) -> Session:
    """Loads `image` for many runs; `instruction_limit` ends a run that never would.

    `wait_states` are those of the flash, where a model of it exists (`stm32l4`).
    """
    if image.target_name != target.name:
        raise SimulationError(
            f"{image.path.name} was built for {image.target_name}, not for {target.name}; "
            "build it again for this target"
        )
    if target.core == "x86-64":
        from tinyformer.simulators.flash import check_wait_states
        from tinyformer.simulators.host import HostSession

        check_wait_states(wait_states, target)
        return HostSession(image)
    from tinyformer.simulators.cortex_m import DEFAULT_INSTRUCTION_LIMIT, CortexMSession

    limit = DEFAULT_INSTRUCTION_LIMIT if instruction_limit is None else instruction_limit
    return CortexMSession(image, target, instruction_limit=limit, wait_states=wait_states)


def simulate(
    image: FirmwareImage,
    target: Target,
    inputs: Sequence[Int8Array],
    *,
    profile: bool = False,
    wait_states: int = 0,
) -> RunResult:
    """Runs `image` once on `inputs`; `profile` computes cycles as well."""
    return open_session(image, target, wait_states=wait_states).run(inputs, profile=profile)
