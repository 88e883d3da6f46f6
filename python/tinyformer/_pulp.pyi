# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The PULP cluster simulator (lib/Simulator, python/bindings/PulpExtension.cpp)."""

from collections.abc import Callable
from typing import TypedDict

class SimulationError(RuntimeError): ...

class CoreReport(TypedDict):
    """What a core counted; `stack_bytes` is -1 where the program does not say where stacks are.

    `layers` has the cycles of each layer by function.
    """

    name: str
    hart: int
    events: dict[str, int]
    functions: dict[str, int]
    layers: dict[str, dict[str, int]]
    misaligned: dict[str, int]
    stack_bytes: int

def instructions() -> list[tuple[str, int, int]]: ...
def disassemble(word: int, pc: int = 0) -> str: ...

class Machine:
    def __init__(
        self,
        elf: bytes,
        *,
        chip: str = "gap9",
        cores: int = 8,
        l1_bytes: int = 0,
        instruction_cache: bool = True,
        contention: bool = True,
        race_detector: bool = True,
        race_granule: int = 4,
        cycle_limit: int = 10_000_000_000,
        measure: str = "",
        layers_of: str = "",
    ) -> None: ...
    def run(self) -> None: ...
    def set_trace(self, sink: Callable[[str], object]) -> None: ...
    def read(self, address: int, size: int) -> bytes: ...
    def write(self, address: int, data: bytes) -> None: ...
    def symbol(self, name: str) -> int | None: ...
    def core_reports(self) -> list[CoreReport]: ...
    @property
    def cycles(self) -> int: ...
    @property
    def was_measured(self) -> bool: ...
    @property
    def output(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def l1_bytes(self) -> int: ...
