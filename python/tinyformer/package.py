# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder that `tinyformer compile` writes and `tinyformer run` reads."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyformer.errors import TinyFormerError

if TYPE_CHECKING:
    from tinyformer.compiler import Compilation
    from tinyformer.firmware import FirmwareImage

MANIFEST = "manifest.json"
FORMAT = 2


class PackageError(TinyFormerError):
    """A folder that cannot be written, or that `tinyformer compile` did not write."""


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """A scratch folder whose files move to `directory` only if the block succeeds."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        if directory.exists() and not directory.is_dir():
            raise PackageError(f"cannot write to '{directory}': it is not a directory")
        scratch = Path(tempfile.mkdtemp(prefix=".tinyformer-", dir=directory.parent))
        if directory.exists() and not os.access(directory, os.W_OK):
            scratch.rmdir()
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise PackageError(f"cannot write to '{directory}': {error.strerror}") from error
    try:
        yield scratch
        directory.mkdir(exist_ok=True)
        for path in scratch.iterdir():
            os.replace(path, directory / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write(compilation: Compilation, directory: Path) -> FirmwareImage:
    """Build the firmware and describe it; nothing is left behind on failure."""
    from dataclasses import replace

    compilation.run_to("llvm")
    assert compilation.quantized is not None
    with atomic_directory(directory) as scratch:
        image = compilation.build(scratch)
        reference = scratch / f"{compilation.name}.quantize.mlir"
        reference.write_text(
            str(compilation.quantized.operation.get_asm(enable_debug_info=True)), "utf-8"
        )
        manifest = _manifest(compilation, image)
        text = json.dumps(manifest, indent=2) + "\n"
        (scratch / MANIFEST).write_text(text, "utf-8")
    return replace(image, path=directory / image.path.name, header=directory / image.header.name)


def _manifest(compilation: Compilation, image: FirmwareImage) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": compilation.name,
        "target": compilation.target.name,
        "cores": image.cores,
        "program": image.path.name,
        "header": image.header.name,
        "reference": f"{compilation.name}.quantize.mlir",
        "inputs": [asdict(tensor) for tensor in image.interface.inputs],
        "outputs": [asdict(tensor) for tensor in image.interface.outputs],
        "arenas": dict(image.interface.arenas),
        "arena_lower_bounds": {arena.memory: arena.lower_bound for arena in compilation.arenas},
        "code_bytes": image.code_bytes,
        "weight_bytes": image.weight_bytes,
        "flash_bytes": image.flash_bytes,
        "ram_bytes": dict(image.ram_bytes),
    }


@dataclass(frozen=True)
class Package:
    """A compiled network on disk."""

    image: FirmwareImage
    reference: Path


def read(directory: Path) -> Package:
    """The package in `directory`."""
    from tinyformer.firmware import FirmwareImage, NetworkInterface, TensorInterface

    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackageError(
            f"'{directory}' holds no readable {MANIFEST} ({error}): "
            "give a folder that 'tinyformer compile' wrote"
        ) from error
    if manifest.get("format") != FORMAT:
        raise PackageError(
            f"'{path}' has format {manifest.get('format')}, this version reads {FORMAT}: "
            "compile the model again"
        )

    def tensors(key: str) -> tuple[TensorInterface, ...]:
        return tuple(
            TensorInterface(**{**entry, "shape": tuple(entry["shape"])}) for entry in manifest[key]
        )

    interface = NetworkInterface(
        manifest["name"],
        tensors("inputs"),
        tensors("outputs"),
        manifest["arenas"],
        manifest["cores"],
    )
    image = FirmwareImage(
        path=directory / manifest["program"],
        interface=interface,
        target_name=manifest["target"],
        header=directory / manifest["header"],
        code_bytes=manifest["code_bytes"],
        weight_bytes=manifest["weight_bytes"],
        flash_bytes=manifest["flash_bytes"],
        ram_bytes=manifest["ram_bytes"],
        cores=manifest["cores"],
    )
    return Package(image, directory / manifest["reference"])
