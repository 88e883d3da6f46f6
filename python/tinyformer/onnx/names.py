# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names: of networks, which become C identifiers, and of attention layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from tinyformer.onnx.layers import Mhsa

C_KEYWORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
    ]
)

# A network m would come as libm.a, which the linker takes for the C library's where its folder is
# searched first.
LIBRARIES = frozenset(
    [
        *("atomic", "c", "c_nano", "crypt", "dl", "g", "g_nano", "gcc", "gcc_eh", "gcc_s"),
        *("gomp", "m", "nosys", "pmsis", "pthread", "rdimon", "resolv", "rt", "ssp", "util"),
    ]
)
# The same with headers: string.h, and main.h, which projects of STM32CubeMX have.
HEADERS = frozenset(
    [
        *("arm_math", "assert", "complex", "ctype", "errno", "fenv", "float", "inttypes"),
        *("iso646", "limits", "locale", "main", "malloc", "math", "memory", "pmsis", "sched"),
        *("semaphore", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool"),
        *("stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "strings", "tf_pmsis"),
        *("tgmath", "threads", "time", "uchar", "unistd", "wchar", "wctype"),
    ]
)
TAKEN = C_KEYWORDS | LIBRARIES | HEADERS


def network_name(path: Path) -> str:
    """A C identifier in lower case out of a file's stem, which can name a library and a header."""
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    if not name or not name[0].isalpha() or name in TAKEN:
        return f"model_{name}".rstrip("_")
    return name


def module_path(name: str) -> str:
    """A node's or initializer's name as a path with dots: `/a/a.0/b` is a.0.b."""
    parts: list[str] = []
    for part in name.strip("/").split("/"):
        # TorchScript names an item of a list after the list: blocks/blocks.0.
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    return ".".join(parts)


def parameter_path(node: str) -> str:
    """The path of the module that a node belongs to, which is where its parameters are."""
    path, slash, _ = node.rpartition("/")
    return module_path(path) if slash and path else module_path(node)


def attention_name(mhsa: Mhsa) -> str:
    """The path that the projections have in common, or else the name of the last one's node.

    TorchScript puts the module's path into the names of nodes; the newer exporter keeps it only
    in the names of parameters.
    """
    if all("/" in name for name in mhsa.nodes):
        return _common(mhsa.nodes) or mhsa.name
    parameters = [name for name in mhsa.parameters if "." in name and "::" not in name]
    return _common(parameters) or mhsa.name


def _common(names: Sequence[str]) -> str:
    """The longest path that leads to all names."""
    paths = [module_path(name).split(".")[:-1] for name in names]
    common = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return ".".join(parts[0] for parts in common)
