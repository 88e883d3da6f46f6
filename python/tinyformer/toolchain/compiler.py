# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling C, LLVM IR and assembly, linking and archiving, for every core.

All calls are deterministic: no debug information, no build identifier, and the working
directory is that of the source, so that no absolute path reaches an output.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyformer.errors import ToolchainError
from tinyformer.toolchain.cache import cache_key, cached_file
from tinyformer.toolchain.process import run_zig, zig_version

# The FPU is named explicitly because zig's model of these cores has none. Integer code is free
# to keep values in its registers (VMOV is one cycle); nothing calls a float routine.
_CORE_FLAGS: dict[str, tuple[str, ...]] = {
    "cortex-m4": ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
    "cortex-m7": ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m7+fp_armv8d16"),
    # Hardware loops, written as raw instructions, must not move: hence no relaxation.
    "ri5cy": (
        "-target",
        "riscv32-freestanding-none",
        "-mcpu=generic_rv32+m+c",
        "-mabi=ilp32",
        "-mno-relax",
    ),
    "x86-64": ("-target", "x86_64-freestanding-none", "-mcpu=x86_64", "-fPIC", "-mno-red-zone"),
}

_LINKER_EMULATIONS: dict[str, str] = {
    "cortex-m4": "armelf",
    "cortex-m7": "armelf",
    "ri5cy": "elf32lriscv",
    "x86-64": "elf_x86_64",
}

# zig turns -O3 into -O2, hence the second, explicit one. Sanitisers, frame pointers, unwind
# tables and debug information are on in zig's defaults and cost cycles, registers or bytes.
_COMMON_FLAGS: tuple[str, ...] = (
    "-O3",
    "-Xclang",
    "-O3",
    "-std=c11",
    "-ffreestanding",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
    "-g0",
    "-Wno-unused-command-line-argument",
    "-Wno-override-module",
)

_C_WARNINGS: tuple[str, ...] = ("-Wall", "-Wextra", "-Werror")


def compile_flags(core: str) -> tuple[str, ...]:
    """The flags with which everything for `core` is compiled."""
    if core not in _CORE_FLAGS:
        known = ", ".join(_CORE_FLAGS)
        raise ToolchainError(f"no compiler flags are known for core {core!r}; known: {known}")
    return (*_CORE_FLAGS[core], *_COMMON_FLAGS)


def compile_object(source: Path, output: Path, core: str, flags: Sequence[str] = ()) -> Path:
    """Compiles one `.c`, `.ll` or `.s` file to the object file `output`."""
    warnings = _C_WARNINGS if source.suffix == ".c" else ()
    arguments = ["cc", *compile_flags(core), *warnings, *flags, "-c", source.name]
    run_zig(
        [*arguments, "-o", str(output.resolve())],
        f"compiling {source.name} for {core}",
        directory=source.resolve().parent,
    )
    return output


def compile_to_ir(source: Path, output: Path, core: str, flags: Sequence[str] = ()) -> Path:
    """Compiles one C file to textual LLVM IR, as the compiler would hand it over."""
    arguments = ["cc", *compile_flags(core), *_C_WARNINGS, *flags, "-S", "-emit-llvm", source.name]
    run_zig(
        [*arguments, "-o", str(output.resolve())],
        f"compiling {source.name} to LLVM IR for {core}",
        directory=source.resolve().parent,
    )
    return output


def cached_object(source: Path, core: str, flags: Sequence[str] = ()) -> Path:
    """The object of a source that never changes (the runtime), compiled once per user."""
    headers = [header.read_bytes() for header in sorted(source.parent.glob("*.h"))]
    contents = [source.read_bytes(), *headers]
    key = cache_key([*contents, *compile_flags(core), *flags, zig_version()])

    def build(path: Path) -> None:
        compile_object(source, path, core, flags)

    return cached_file(f"{source.stem}-{core}-{key}.o", build)


def link_executable(objects: Sequence[Path], script: Path, output: Path, core: str) -> Path:
    """Links an ELF executable with the memory map in `script`."""
    arguments = ["-T", str(script), "--gc-sections", "--build-id=none", "--fatal-warnings"]
    return _link(objects, [*arguments, "-z", "max-page-size=4"], output, core)


def link_shared(objects: Sequence[Path], output: Path, core: str) -> Path:
    """Links a shared library that needs no other library, to be loaded into this process.

    -Bsymbolic keeps its memcpy its own instead of the process's, as on the device.
    """
    arguments = ["-shared", "-Bsymbolic", "--build-id=none", "--no-undefined", "--gc-sections"]
    return _link(objects, arguments, output, core)


def link_relocatable(objects: Sequence[Path], output: Path, core: str) -> Path:
    """Joins objects to one, in which all their symbols are."""
    return _link(objects, ["-r", "--build-id=none"], output, core)


def _link(objects: Sequence[Path], arguments: Sequence[str], output: Path, core: str) -> Path:
    emulation = _LINKER_EMULATIONS[core]
    paths = [str(path) for path in objects]
    run_zig(
        ["ld.lld", "-m", emulation, *arguments, *paths, "-o", str(output)],
        f"linking {output.name}",
    )
    return output


def archive(objects: Sequence[Path], output: Path) -> Path:
    """Packs `objects` into the static library `output`, without dates and owners."""
    output.unlink(missing_ok=True)
    run_zig(["ar", "rcsD", str(output), *(str(path) for path in objects)], f"making {output.name}")
    return output


def native_library(source: Path) -> Path:
    """A C file as a shared library for the running Python, compiled once per user."""
    flags = ("-shared", "-fPIC", "-nostdlib", *_COMMON_FLAGS, *_C_WARNINGS)
    key = cache_key([source.read_bytes(), *flags, zig_version()])

    def build(path: Path) -> None:
        run_zig(
            ["cc", *flags, source.name, "-o", str(path)],
            f"compiling {source.name} for this machine",
            directory=source.resolve().parent,
        )

    return cached_file(f"{source.stem}-native-{key}.so", build)
