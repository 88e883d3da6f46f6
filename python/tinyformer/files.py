# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writing files: what the system refuses is an error of the user's machine, not of ours."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyformer.errors import TinyFormerError

_FULL = (errno.ENOSPC, errno.EDQUOT)
STORAGE = (*_FULL, errno.EFBIG, errno.EIO, errno.EROFS)
"""Errors of a disk that is full, broken or read-only, whichever program writes to it."""


class OutputError(TinyFormerError):
    """A file or a folder cannot be written."""


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turns errors of the system into an OutputError about `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to '{path}': {reason(error)}") from error


def write_text(path: Path, text: str) -> None:
    """Writes a file that is complete or not there; folders are made. Raises OutputError."""
    with writing_to(path):
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # /dev/stdout
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """What the system says, where, and what to do about it."""
    said = error.strerror or str(error)
    if error.filename is not None:
        said = f"{said}: '{error.filename}'"
    if error.errno in _FULL:
        said += f"; make room there or in '{tempfile.gettempdir()}', where programs are linked"
    return said
