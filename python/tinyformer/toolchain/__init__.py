# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The C compiler, linker and archiver of the `ziglang` package, for every target."""

from tinyformer.toolchain.cache import cache_directory
from tinyformer.toolchain.compiler import (
    archive,
    cached_object,
    compile_flags,
    compile_object,
    compile_to_ir,
    link_executable,
    link_relocatable,
    link_shared,
    native_library,
)
from tinyformer.toolchain.llvm import keep_global, llvm_tool
from tinyformer.toolchain.process import zig_version

__all__ = [
    "archive",
    "cache_directory",
    "cached_object",
    "compile_flags",
    "compile_object",
    "compile_to_ir",
    "keep_global",
    "link_executable",
    "link_relocatable",
    "link_shared",
    "llvm_tool",
    "native_library",
    "zig_version",
]
