# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From the compiler's LLVM IR to a linked program, and to a library for the user's firmware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyformer.errors import ToolchainError
from tinyformer.firmware.fit import check_fit, explain_link_failure
from tinyformer.firmware.glue import GlueFiles, write_glue, write_linker_script
from tinyformer.firmware.image import FirmwareImage, read_image
from tinyformer.firmware.interface import NetworkInterface
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.targets import Target
from tinyformer.toolchain import (
    archive,
    cached_object,
    compile_object,
    link_executable,
    link_shared,
)

# Loops that copy must not become calls of the functions that they are.
_MEMORY_FLAGS = ("-fno-builtin",)


@dataclass(frozen=True)
class Library:
    """What the user adds to a firmware of their own: one archive and one header."""

    archive: Path
    header: Path


def build_firmware(
    interface: NetworkInterface,
    llvm_ir: str,
    target: Target,
    directory: Path,
    *,
    compile_flags: Sequence[str] = (),
) -> FirmwareImage:
    """Builds the program for `target`'s simulator in `directory` (made if missing).

    `llvm_ir` defines `interface.invoke_symbol`; `compile_flags` are added to the compilation
    of it alone. Raises DoesNotFitError when memory of the target is too small.
    """
    check_fit(interface, target)
    directory.mkdir(parents=True, exist_ok=True)
    glue = write_glue(interface, target, directory)
    objects = _network_objects(interface, llvm_ir, target, glue, compile_flags)
    if target.flash is None:
        path = directory / f"{interface.name}.so"
        link_shared([*objects, _memory_object(target)], path, target.core)
    else:
        path = _link_firmware(interface, objects, target, glue)
    return read_image(path, interface, target, glue.header)


def build_library(
    interface: NetworkInterface,
    llvm_ir: str,
    target: Target,
    directory: Path,
    *,
    compile_flags: Sequence[str] = (),
) -> Library:
    """Builds `lib<name>.a` and `<name>.h`.

    The archive wants memcpy, memmove, memset and 64-bit division, if it uses them, from the user's
    compiler, which has them all.
    """
    check_fit(interface, target)
    directory.mkdir(parents=True, exist_ok=True)
    glue = write_glue(interface, target, directory)
    objects = _network_objects(interface, llvm_ir, target, glue, compile_flags)
    path = archive(objects, directory / f"lib{interface.name}.a")
    return Library(archive=path, header=glue.header)


def _network_objects(
    interface: NetworkInterface,
    llvm_ir: str,
    target: Target,
    glue: GlueFiles,
    compile_flags: Sequence[str],
) -> list[Path]:
    """The network itself and its entry point, compiled."""
    directory = glue.source.parent
    source = directory / f"{interface.name}_network.ll"
    source.write_text(llvm_ir, encoding="utf-8", newline="\n")
    return [
        compile_object(source, source.with_suffix(".o"), target.core, compile_flags),
        compile_object(glue.source, glue.source.with_suffix(".o"), target.core),
    ]


def _memory_object(target: Target) -> Path:
    return cached_object(runtime_dir() / "common" / "memory.c", target.core, _MEMORY_FLAGS)


def _link_firmware(
    interface: NetworkInterface, objects: Sequence[Path], target: Target, glue: GlueFiles
) -> Path:
    directory = glue.source.parent
    runtime = runtime_dir() / "cortex-m"
    buffers = compile_object(glue.buffers, glue.buffers.with_suffix(".o"), target.core)
    runtime_objects = [
        cached_object(runtime / "startup.c", target.core),
        cached_object(runtime / "main.c", target.core),
        cached_object(runtime / "divide.c", target.core),
        _memory_object(target),
    ]
    script = write_linker_script(target, directory / f"{target.name}.ld")
    path = directory / f"{interface.name}.elf"
    try:
        link_executable([*runtime_objects, *objects, buffers], script, path, target.core)
    except ToolchainError as error:
        raise explain_link_failure(error, interface, target) from error
    return path
