# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What comes with a library: a CMake package, and a page that says how to use it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyformer.firmware.cluster import CLUSTER_CORE
from tinyformer.firmware.glue import render
from tinyformer.firmware.image import FirmwareImage
from tinyformer.firmware.interface import NetworkInterface
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.targets import Target

PMSIS_HEADER = "tf_pmsis.h"

# How GCC and Clang are told what the objects were made for.
_COMPILER_FLAGS = {
    "cortex-m4": "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
    "cortex-m7": "-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16",
    "ri5cy": "-march=rv32imc -mabi=ilp32",
    "x86-64": "",
}


def write_cmake_package(interface: NetworkInterface, target: Target, directory: Path) -> Path:
    """Writes `<name>-config.cmake`, with which `find_package(<name>)` finds the library."""
    path = directory / f"{interface.name}-config.cmake"
    text = render("config.cmake.j2", net=interface, target=target)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_cluster_header(target: Target, directory: Path) -> None:
    """Copies `tf_pmsis.h` for targets whose library asks for it."""
    if target.core == CLUSTER_CORE:
        shutil.copyfile(runtime_dir() / "pulp" / PMSIS_HEADER, directory / PMSIS_HEADER)


def write_readme(image: FirmwareImage, target: Target, directory: Path, *, report: bool) -> Path:
    """Writes `README.md`: the files, the memory, and how the library is called."""
    path = directory / "README.md"
    text = render(
        "readme.md.j2",
        net=image.interface,
        target=target,
        image=image,
        report=report,
        flags=_COMPILER_FLAGS[target.core],
        cluster=target.core == CLUSTER_CORE,
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
