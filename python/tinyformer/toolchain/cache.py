# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The user's cache directory, for objects that never change between two builds."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path


def cache_directory() -> Path:
    """Where TinyFormer keeps what it can build again: the platform's place for that."""
    explicit = os.environ.get("XDG_CACHE_HOME")
    if explicit:
        return Path(explicit) / "tinyformer"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "tinyformer"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tinyformer"
    return Path.home() / ".cache" / "tinyformer"


def cache_key(parts: Sequence[str | bytes]) -> str:
    """A file name that changes when any of `parts` does."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:32]


def cached_file(name: str, build: Callable[[Path], None]) -> Path:
    """The file `name` in the cache; `build(path)` writes it if it is not there yet.

    The file appears under its name at once and complete (written beside it, then renamed), so
    processes that build the same file at the same time do not disturb each other.
    """
    directory = _writable_cache()
    path = directory / name
    if path.is_file():
        return path
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        unfinished = Path(scratch) / name
        build(unfinished)
        unfinished.replace(path)
    return path


def _writable_cache() -> Path:
    """The cache directory, or one in the temporary directory where home is read-only."""
    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        directory = Path(tempfile.gettempdir()) / "tinyformer-cache"
        directory.mkdir(parents=True, exist_ok=True)
    if os.access(directory, os.W_OK):
        return directory
    fallback = Path(tempfile.gettempdir()) / "tinyformer-cache"
    fallback.mkdir(parents=True, exist_ok=True)
    return fallback
