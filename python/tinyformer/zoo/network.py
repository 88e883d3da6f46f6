# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the zoo knows about a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class NetworkFiles:
    """A float model, and inputs of it by name, whose first axis counts samples."""

    model: Path
    samples: Path


@dataclass(frozen=True)
class PublishedRun:
    """What a paper says that a run costs, and of what: rarely of the very same layers."""

    target: str
    milliseconds: float
    energy_uj: float
    what: str


@dataclass(frozen=True)
class Network:
    """A network and where it comes from.

    `published` are the facts that its source gives, `assumed` what had to be chosen besides.
    `make` gives the ONNX model and samples for calibration.
    """

    name: str
    title: str
    source: str
    published: str
    assumed: str
    make: Callable[[], tuple[Any, Samples]]
    runs: tuple[PublishedRun, ...] = ()

    def write(self, directory: Path) -> NetworkFiles:
        """`<name>.onnx` and `<name>.npz` in `directory`, the same bytes each time."""
        import onnx

        model, samples = self.make()
        directory.mkdir(parents=True, exist_ok=True)
        files = NetworkFiles(directory / f"{self.name}.onnx", directory / f"{self.name}.npz")
        onnx.save(model, files.model)
        np.savez_compressed(files.samples, allow_pickle=False, **samples)
        return files
