# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The native tools of the package, as commands of the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn


def tool_path(name: str) -> Path:
    """Where a native tool lies: in the package, or in a CMake build tree."""
    package = Path(__file__).parent
    return package / "bin" / name


def opt() -> NoReturn:
    """`tinyformer-opt`: replaces this process."""
    _execute("tinyformer-opt")


def lsp_server() -> NoReturn:
    """`tinyformer-lsp-server`: replaces this process."""
    _execute("tinyformer-lsp-server")


def _execute(name: str) -> NoReturn:
    path = tool_path(name)
    os.execv(path, [str(path), *sys.argv[1:]])
