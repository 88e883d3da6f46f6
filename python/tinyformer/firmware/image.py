# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A finished program: where it is, and how many bytes of which memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer.firmware.interface import NetworkInterface
from tinyformer.targets import Target

if TYPE_CHECKING:
    from elftools.elf.sections import Section

_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR = 1, 2, 4


@dataclass(frozen=True)
class FirmwareImage:
    """An ELF executable for the simulator (on the host a shared library), and its sizes in bytes.

    `code_bytes` is executable code with its literal pools, `weight_bytes` all constant data,
    `flash_bytes` everything that a flash holds: those two, the vector table, and the initial
    values of variables. `ram_bytes` has, for each memory, arena + stacks + static data, and code
    and constants where they lie in RAM. `cores` may run the network.
    """

    path: Path
    interface: NetworkInterface
    target_name: str
    header: Path
    code_bytes: int
    weight_bytes: int
    flash_bytes: int
    ram_bytes: Mapping[str, int]
    cores: int = 1


@dataclass(frozen=True)
class _Sizes:
    code: int
    constants: int
    flash: int
    ram: dict[str, int]


def read_image(
    path: Path, interface: NetworkInterface, target: Target, header: Path
) -> FirmwareImage:
    """Measures the linked program at `path`."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        sections = [s for s in ELFFile(file).iter_sections() if s["sh_flags"] & _SHF_ALLOC]
        sizes = _measure(sections, target)
    return FirmwareImage(
        path=path,
        interface=interface,
        target_name=target.name,
        header=header,
        code_bytes=sizes.code,
        weight_bytes=sizes.constants,
        flash_bytes=sizes.flash,
        ram_bytes=sizes.ram,
        cores=target.cores,
    )


def _measure(sections: list[Section], target: Target) -> _Sizes:
    code = constants = flash = 0
    ram: dict[str, int] = {m.name: 0 for m in target.memories if m.kind == "ram"}
    for section in sections:
        size, flags = section["sh_size"], section["sh_flags"]
        if flags & _SHF_EXECINSTR:
            code += size
        elif section.name.startswith(".rodata"):
            constants += size
        if section["sh_type"] != "SHT_NOBITS":
            flash += size
        memory = _memory_of(section["sh_addr"], target)
        if target.code_memory is None and not flags & _SHF_WRITE:
            continue
        if memory is not None and memory in ram:
            ram[memory] += size
    return _Sizes(code=code, constants=constants, flash=flash, ram=ram)


def _memory_of(address: int, target: Target) -> str | None:
    """The memory with this address; on the host, where libraries load anywhere, the only one."""
    if target.code_memory is None:
        return target.data_memory
    for memory in target.memories:
        if memory.base <= address < memory.end:
            return memory.name
    return None
