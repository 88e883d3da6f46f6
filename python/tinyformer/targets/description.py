# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a target is: cores, clock, and memories with their addresses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tinyformer.errors import TinyFormerError

MemoryKind = Literal["flash", "ram"]


@dataclass(frozen=True)
class Memory:
    """One contiguous memory of a chip; `base` is an address, `size` is in bytes."""

    name: str
    base: int
    size: int
    kind: MemoryKind

    @property
    def end(self) -> int:
        """The first address behind this memory."""
        return self.base + self.size


@dataclass(frozen=True)
class Dma:
    """What copies between `constant_memory` and the first arena memory while cores compute.

    A transfer of n bytes takes `setup_cycles + n / bytes_per_cycle` cycles.
    """

    setup_cycles: int
    bytes_per_cycle: int


@dataclass(frozen=True)
class Target:
    """One chip (or the host), as the compiler, the linker and the simulators see it.

    `clock_hz` and `power_mw` are published figures of measurement setups; an energy computed
    from them is an estimate. `host` has neither.

    Code lies in `code_memory` (None on the host), weights and tables in `constant_memory`.
    `arena_memories` names the memories that may hold an arena, the preferred one first.
    Static data other than arenas (inputs, outputs, .data, .bss) goes to `data_memory`.
    The stacks, `stack_bytes` for each core, lie at the very bottom of `stack_memory` and grow down
    towards addresses at which the chip has nothing, so that an overflow of the first one is a
    fault and not a silent corruption; behind them are `runtime_bytes` of the runtime. A network may
    use all `cores`.
    """

    name: str
    description: str
    core: str
    isa: str
    cores: int
    clock_hz: int | None
    power_mw: float | None
    memories: tuple[Memory, ...]
    code_memory: str | None
    constant_memory: str | None
    arena_memories: tuple[str, ...]
    data_memory: str
    stack_memory: str
    stack_bytes: int
    runtime_bytes: int = 0
    dma: Dma | None = None

    def memory(self, name: str) -> Memory:
        """The memory called `name`."""
        for memory in self.memories:
            if memory.name == name:
                return memory
        known = ", ".join(repr(memory.name) for memory in self.memories)
        raise TinyFormerError(f"target {self.name!r} has no memory {name!r}; it has {known}")

    def arena_capacity(self, name: str) -> int:
        """Bytes of memory `name` that an arena can have at most: all but the stacks in it.

        Inputs, outputs, weights and code are not subtracted: they depend on the network.
        """
        if name not in self.arena_memories:
            known = ", ".join(repr(memory) for memory in self.arena_memories)
            raise TinyFormerError(
                f"memory {name!r} of target {self.name!r} cannot hold an arena; these can: {known}"
            )
        reserved = self.reserved_bytes if name == self.stack_memory else 0
        return self.memory(name).size - reserved

    @property
    def reserved_bytes(self) -> int:
        """What `stack_memory` holds besides: the stacks of all cores, and the runtime's data."""
        return self.stack_bytes * self.cores + self.runtime_bytes

    @property
    def l1_bytes(self) -> int | None:
        """The size of a cluster's L1; None where there is no cluster."""
        return next((memory.size for memory in self.memories if memory.name == "l1"), None)

    def with_cores(self, cores: int | None) -> Target:
        """The same chip for a network that uses `cores` of its cores; None means all of them."""
        if cores is None:
            return self
        if not isinstance(cores, int) or not 1 <= cores <= self.cores:
            raise TinyFormerError(
                f"target {self.name!r} has {self.cores} core(s), --cores asks for {cores!r}"
            )
        return replace(self, cores=cores)

    def milliseconds(self, cycles: int) -> float | None:
        """The time that `cycles` take at the clock of the target; None on the host."""
        return None if self.clock_hz is None else 1e3 * cycles / self.clock_hz

    def energy_mj(self, cycles: int) -> float | None:
        """An estimate in millijoules: cycles at the published clock and power."""
        if self.clock_hz is None or self.power_mw is None:
            return None
        return cycles / self.clock_hz * self.power_mw
