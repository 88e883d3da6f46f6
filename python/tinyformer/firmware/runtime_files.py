# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the C files of the runtime are, installed or in a source checkout."""

from __future__ import annotations

from pathlib import Path

from tinyformer.errors import TinyFormerError

_PACKAGE = Path(__file__).resolve().parent.parent
_PROBE = Path("cortex-m") / "startup.c"


def runtime_dir() -> Path:
    """The directory with common/, cortex-m/, pulp/ and simulator/.

    An installed package carries it as `tinyformer/runtime`; in a checkout, where the package
    is imported from `python/`, it is `lib/Runtime`.
    """
    candidates = (_PACKAGE / "runtime", _PACKAGE.parent.parent / "lib" / "Runtime")
    for directory in candidates:
        if (directory / _PROBE).is_file():
            return directory
    tried = " or ".join(str(directory) for directory in candidates)
    raise TinyFormerError(f"the runtime's C files are not in {tried}; reinstall tinyformer")
