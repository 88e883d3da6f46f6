# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reading the snippet files: each label with "@ cycles N" begins one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from timing import elf
from tinyformer.simulators.decode import Instruction, decode
from tinyformer.toolchain import compile_object

_CASE = re.compile(r"^(\w+):\s*@ cycles (\d+(?:\.\d+)?)\s*$", re.MULTILINE)
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Snippet:
    """A straight run of instructions and what it should cost."""

    name: str
    cycles: float
    code: bytes
    instructions: tuple[Instruction, ...]


def names(file: str) -> list[str]:
    """The names of all snippets in `file`."""
    return [match.group(1) for match in _CASE.finditer((_HERE / file).read_text())]


def assemble(file: str, core: str, directory: Path) -> dict[str, Snippet]:
    """Assembles `file` and cuts it into its snippets."""
    path = compile_object(_HERE / file, directory / f"{file}.o", core)
    code = elf.sections(path)[".text"].data
    labels = {name: value & ~1 for name, value in elf.symbols(path).items()}
    cases = [(m.group(1), float(m.group(2))) for m in _CASE.finditer((_HERE / file).read_text())]
    starts = [labels[name] for name, _ in cases]
    ends = [*starts[1:], len(code)]
    return {
        name: Snippet(name, cycles, code[start:end], decode(code[start:end], start))
        for (name, cycles), start, end in zip(cases, starts, ends, strict=True)
    }


def decode_text(text: str, directory: Path) -> tuple[Instruction, ...]:
    """Assembles instructions given as text."""
    source = directory / "text.s"
    source.write_text(f".syntax unified\n.thumb\n{text}\n")
    path = compile_object(source, directory / "text.o", "cortex-m7")
    return decode(elf.sections(path)[".text"].data, 0)
