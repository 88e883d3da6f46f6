# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generated C: header and entry point of a network, and the simulator's buffers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer.firmware.interface import NetworkInterface
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.targets import Target

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class GlueFiles:
    """The generated files of a network for simulators."""

    header: Path
    source: Path
    buffers: Path


@dataclass(frozen=True)
class LibraryGlue:
    """The generated files of a library: its entry points in a file each, because a program that
    brings arenas must not link those of the other one."""

    header: Path
    run: Path
    run_in: Path


def write_glue(interface: NetworkInterface, target: Target, directory: Path) -> GlueFiles:
    """Writes `<name>.h` and `<name>.c` for the user and `<name>_buffers.c` for simulators."""
    name = interface.name
    files = GlueFiles(
        header=directory / f"{name}.h",
        source=directory / f"{name}.c",
        buffers=directory / f"{name}_buffers.c",
    )
    for template, path in (
        ("network.h.j2", files.header),
        ("network.c.j2", files.source),
        ("buffers.c.j2", files.buffers),
    ):
        _write(path, _render(template, interface, target))
    return files


def write_library_glue(interface: NetworkInterface, target: Target, directory: Path) -> LibraryGlue:
    """Writes `<name>.h`, `<name>_run.c` and `<name>_run_in.c`."""
    files = LibraryGlue(
        header=directory / f"{interface.name}.h",
        run=directory / f"{interface.run_symbol}.c",
        run_in=directory / f"{interface.run_in_symbol}.c",
    )
    for template, path in (
        ("network.h.j2", files.header),
        ("library_run.c.j2", files.run),
        ("library_run_in.c.j2", files.run_in),
    ):
        _write(path, _render(template, interface, target))
    return files


def write_linker_script(target: Target, path: Path) -> Path:
    """Writes the linker script with exactly `target`'s memories."""
    assert target.code_memory is not None, f"{target.name} links no programs"
    template = _environment().get_template("firmware.ld.j2")
    _write(path, template.render(target=target, flash=target.memory(target.code_memory)))
    return path


def _render(template: str, interface: NetworkInterface, target: Target) -> str:
    return render(template, net=interface, target=target)


def render(template: str, **values: object) -> str:
    """A template of this package with its values."""
    return _environment().get_template(template).render(values)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _c_float(value: float) -> str:
    """A float literal that C reads back as the same float."""
    digits = f"{value:.9g}"
    return f"{digits}f" if any(mark in digits for mark in ".e") else f"{digits}.0f"


def _one_line(text: str) -> str:
    """A model's own name, harmless in a // comment."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.rstrip("\\")


@functools.cache
def _environment() -> Environment:
    import jinja2

    folders = [str(_TEMPLATES), str(runtime_dir() / "cortex-m")]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["c_float"] = _c_float
    environment.filters["one_line"] = _one_line
    return environment
