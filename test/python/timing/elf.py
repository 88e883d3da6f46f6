# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests want to know of an ELF file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Section(NamedTuple):
    """Where a section lies, its size, its type and its bytes."""

    address: int
    size: int
    kind: str
    data: bytes


def sections(path: Path) -> dict[str, Section]:
    """All sections by name."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        return {
            s.name: Section(s["sh_addr"], s["sh_size"], s["sh_type"], bytes(s.data()))
            for s in ELFFile(file).iter_sections()
        }


def symbols(path: Path) -> dict[str, int]:
    """The values of all symbols by name."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {s.name: int(s["st_value"]) for s in table.iter_symbols()}
