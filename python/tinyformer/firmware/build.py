# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From the compiler's LLVM IR to a linked program, and to a library for the user's firmware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyformer.errors import ToolchainError
from tinyformer.firmware.cluster import CLUSTER_CORE, link_cluster_network
from tinyformer.firmware.fit import check_fit, explain_link_failure
from tinyformer.firmware.glue import (
    GlueFiles,
    write_glue,
    write_library_glue,
    write_linker_script,
)
from tinyformer.firmware.image import FirmwareImage, read_image
from tinyformer.firmware.interface import NetworkInterface
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.targets import Target
from tinyformer.toolchain import (
    archive,
    cached_object,
    compile_object,
    keep_global,
    link_executable,
    link_relocatable,
    link_shared,
)

# Loops that copy must not become calls of the functions that they are.
_MEMORY_FLAGS = ("-fno-builtin",)

# Of the network alone. A cluster's kernels save no registers (ConvertToLLVM.cpp), and loops around
# blocks of assembly are not unrolled: cores share 4 KiB of instruction cache.
_NETWORK_FLAGS = {CLUSTER_CORE: ("-mllvm", "-enable-ipra", "-fno-unroll-loops")}


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
    network = _compile_network(interface, llvm_ir, target, directory, compile_flags)
    return _link_firmware(interface, network, target)


def build_library(
    interface: NetworkInterface,
    llvm_ir: str,
    target: Target,
    directory: Path,
    *,
    compile_flags: Sequence[str] = (),
) -> Library:
    """Builds `lib<name>.a` and `<name>.h`.

    The archive defines `<name>_run` and `<name>_run_in` and nothing else that other files see. It
    wants memcpy, memmove, memset and 64-bit division, if it uses them, from the user's compiler,
    which has them all; on a cluster also what tf_cluster.h declares.
    """
    network = _compile_network(interface, llvm_ir, target, directory, compile_flags)
    return _pack_library(interface, network, target)


def build_both(
    interface: NetworkInterface, llvm_ir: str, target: Target, directory: Path
) -> tuple[FirmwareImage, Library]:
    """The program and the library, of one object."""
    network = _compile_network(interface, llvm_ir, target, directory, ())
    library = _pack_library(interface, network, target)
    return _link_firmware(interface, network, target), library


def _compile_network(
    interface: NetworkInterface,
    llvm_ir: str,
    target: Target,
    directory: Path,
    compile_flags: Sequence[str],
) -> Path:
    """The network's object; it defines `interface.invoke_symbol`."""
    check_fit(interface, target)
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / f"{interface.name}_network.ll"
    source.write_text(llvm_ir, encoding="utf-8", newline="\n")
    flags = (*_NETWORK_FLAGS.get(target.core, ()), *compile_flags)
    return compile_object(source, source.with_suffix(".o"), target.core, flags)


def _link_firmware(interface: NetworkInterface, network: Path, target: Target) -> FirmwareImage:
    directory = network.parent
    glue = write_glue(interface, target, directory)
    entry = compile_object(glue.source, glue.source.with_suffix(".o"), target.core)
    if target.code_memory is None:
        path = directory / f"{interface.name}.so"
        link_shared([network, entry, _memory_object(target)], path, target.core)
    else:
        path = _link_program(interface, [network, entry], target, glue)
    return read_image(path, interface, target, glue.header)


def _pack_library(interface: NetworkInterface, network: Path, target: Target) -> Library:
    directory = network.parent
    glue = write_library_glue(interface, target, directory)
    run, run_in = (
        compile_object(source, source.with_suffix(".o"), target.core)
        for source in (glue.run, glue.run_in)
    )
    joined = directory / f"lib{interface.name}.o"
    link_relocatable([network, run_in], joined, target.core)
    keep_global(joined, [interface.run_in_symbol])
    path = archive([joined, run], directory / f"lib{interface.name}.a")
    return Library(archive=path, header=glue.header)


def _memory_object(target: Target) -> Path:
    return cached_object(runtime_dir() / "common" / "memory.c", target.core, _MEMORY_FLAGS)


def _link_program(
    interface: NetworkInterface, objects: Sequence[Path], target: Target, glue: GlueFiles
) -> Path:
    directory = glue.source.parent
    buffers = compile_object(glue.buffers, glue.buffers.with_suffix(".o"), target.core)
    link = link_cluster_network if target.core == CLUSTER_CORE else _link_cortex_m
    path = directory / f"{interface.name}.elf"
    try:
        link([*objects, buffers], path, target)
    except ToolchainError as error:
        raise explain_link_failure(error, interface, target) from error
    return path


def _link_cortex_m(objects: Sequence[Path], output: Path, target: Target) -> None:
    runtime = runtime_dir() / "cortex-m"
    names = ("startup.c", "main.c", "divide.c")
    runtime_objects = [
        *(cached_object(runtime / name, target.core) for name in names),
        cached_object(runtime_dir() / "common" / "divide.c", target.core),
        _memory_object(target),
    ]
    script = write_linker_script(target, output.parent / f"{target.name}.ld")
    link_executable([*runtime_objects, *objects], script, output, target.core)
