# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A linked firmware in memory: what lies in flash, and which symbol is where."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path

from tinyformer.errors import SimulationError


@dataclass(frozen=True)
class Symbol:
    """A function or object with its address (without the Thumb bit) and size in bytes."""

    name: str
    address: int
    size: int
    is_function: bool


@dataclass(frozen=True)
class Program:
    """The loadable bytes and the symbols of an ELF file."""

    path: Path
    segments: tuple[tuple[int, bytes], ...]
    functions: tuple[Symbol, ...]
    symbols: dict[str, Symbol]

    def symbol(self, name: str) -> Symbol:
        """The symbol called `name`, which the firmware must have."""
        if name in self.symbols:
            return self.symbols[name]
        raise SimulationError(
            f"{self.path.name} has no symbol {name!r}; it was not built by build_firmware, or "
            "was stripped"
        )

    def function_at(self, address: int) -> Symbol | None:
        """The function that has `address` inside; one without a size reaches to the next."""
        index = bisect.bisect_right(self.functions, address, key=lambda s: s.address) - 1
        if index < 0:
            return None
        function = self.functions[index]
        if function.size == 0 or address < function.address + function.size:
            return function
        return None

    def function_name(self, address: int) -> str:
        """The name of the function at `address`, or the address where there is none."""
        function = self.function_at(address)
        return function.name if function else f"0x{address:08x}"

    def function_size(self, name: str) -> int:
        """Bytes of the function called `name`, with its literals; 0 where there is none."""
        symbol = self.symbols.get(name)
        return symbol.size if symbol else 0

    def describe(self, address: int) -> str:
        """An address as "function+offset (0x...)", for messages."""
        function = self.function_at(address)
        if function is None:
            return f"0x{address:08x} (in no function)"
        return f"{function.name}+0x{address - function.address:x} (0x{address:08x})"


def load_program(path: Path) -> Program:
    """Reads segments and symbols of the ELF file at `path`."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with path.open("rb") as file:
        elf = ELFFile(file)
        segments = tuple(
            (int(segment["p_paddr"]), bytes(segment.data()))
            for segment in elf.iter_segments()
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"] > 0
        )
        table = elf.get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            raise SimulationError(f"{path.name} has no symbols; the simulator needs them")
        symbols = [
            _symbol(entry)
            for entry in table.iter_symbols()
            if entry.name and entry["st_shndx"] != "SHN_UNDEF" and not entry.name.startswith("$")
        ]
    functions = sorted((s for s in symbols if s.is_function), key=lambda s: (s.address, s.name))
    return Program(path, segments, tuple(functions), {s.name: s for s in symbols})


def _symbol(entry: object) -> Symbol:
    is_function = entry["st_info"]["type"] == "STT_FUNC"  # type: ignore[index]
    value = int(entry["st_value"])  # type: ignore[index]
    address = value & ~1 if is_function else value
    size = int(entry["st_size"])  # type: ignore[index]
    return Symbol(entry.name, address, size, is_function)  # type: ignore[attr-defined]
