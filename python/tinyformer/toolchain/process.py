# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running the tools out of the `ziglang` package, and turning failures into messages."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tinyformer.errors import ToolchainError


@functools.cache
def zig_version() -> str:
    """The version of the `ziglang` package, for cache keys and reports."""
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolchainError(
            "the package 'ziglang' (the bundled C compiler and linker) is not installed in "
            f"{sys.prefix}; install it with '{sys.executable} -m pip install ziglang'"
        ) from error


@functools.cache
def zig_command() -> tuple[str, ...]:
    """How to start zig: its binary when it is where the package puts it, else the module.

    Starting the binary saves the 30 ms of a Python interpreter per call.
    """
    zig_version()
    spec = importlib.util.find_spec("ziglang")
    if spec is not None and spec.origin is not None:
        name = "zig.exe" if sys.platform == "win32" else "zig"
        binary = Path(spec.origin).parent / name
        if binary.is_file():
            return (str(binary),)
    return (sys.executable, "-m", "ziglang")


def run_zig(arguments: Sequence[str], what: str, directory: Path | None = None) -> str:
    """Runs zig with `arguments` in `directory` and returns its standard output.

    `what` completes the sentence "<what> failed" of the error message.
    """
    command = [*zig_command(), *arguments]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        said = result.stderr.strip() or result.stdout.strip() or "it said nothing"
        raise ToolchainError(f"{what} failed (zig {zig_version()}):\n{said}")
    return result.stdout
