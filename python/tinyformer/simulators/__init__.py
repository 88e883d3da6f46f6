# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running firmware: simulators for the Cortex-M and PULP targets, and the host itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tinyformer.errors import SimulationError
from tinyformer.firmware import FirmwareImage
from tinyformer.simulators.options import SimulatorOptions
from tinyformer.simulators.result import Int8Array, LayerCycles, RunResult
from tinyformer.targets import Target

__all__ = [
    "LayerCycles",
    "RunResult",
    "Session",
    "SimulatorOptions",
    "open_session",
    "simulate",
]

DEFAULT_OPTIONS = SimulatorOptions()


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
    options: SimulatorOptions = DEFAULT_OPTIONS,
) -> Session:
    """Loads `image` for many runs; `instruction_limit` ends a run that never would.

    On a cluster the limit is one of cycles.
    """
    if image.target_name != target.name:
        raise SimulationError(
            f"{image.path.name} was built for {image.target_name}, not for {target.name}; "
            "build it again for this target"
        )
    options.check(target)
    if target.core == "x86-64":
        from tinyformer.simulators.host import HostSession

        return HostSession(image)
    if options.simulator == "gvsoc":
        from tinyformer.simulators.gvsoc import GvsocSession

        return GvsocSession(image)
    if target.core == "ri5cy":
        from tinyformer.simulators.pulp import DEFAULT_CYCLE_LIMIT, ClusterOptions, PulpSession

        cluster = ClusterOptions(
            chip=target.name,
            cores=image.cores,
            l1_bytes=target.memory("l1").size,
            instruction_cache=options.instruction_cache,
            contention=options.contention,
            cycle_limit=DEFAULT_CYCLE_LIMIT if instruction_limit is None else instruction_limit,
        )
        return PulpSession(image, cluster)
    from tinyformer.simulators.cortex_m import DEFAULT_INSTRUCTION_LIMIT, CortexMSession

    limit = DEFAULT_INSTRUCTION_LIMIT if instruction_limit is None else instruction_limit
    return CortexMSession(image, target, instruction_limit=limit, wait_states=options.wait_states)


def simulate(
    image: FirmwareImage,
    target: Target,
    inputs: Sequence[Int8Array],
    *,
    profile: bool = False,
    options: SimulatorOptions = DEFAULT_OPTIONS,
) -> RunResult:
    """Runs `image` once on `inputs`; `profile` computes cycles as well."""
    return open_session(image, target, options=options).run(inputs, profile=profile)
