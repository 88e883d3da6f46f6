# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder that `tinyformer compile` writes and `tinyformer run` reads."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyformer.errors import InterfaceError, TinyFormerError
from tinyformer.files import writing_to
from tinyformer.versions import BUILD_TOOLS, version

if TYPE_CHECKING:
    from tinyformer.compiler import Compilation
    from tinyformer.evaluation import Evaluation
    from tinyformer.firmware import FirmwareImage, TensorInterface

MANIFEST = "manifest.json"
REPORT = "report.html"
FORMAT = 4


class PackageError(TinyFormerError):
    """A folder that cannot be written, or that `tinyformer compile` did not write."""


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """A scratch folder whose files move to `directory` only if the block succeeds.

    With a manifest among them, what an earlier compilation left there goes away. Files that are not
    ours stay: PackageError if one of them is in the way.
    """
    with writing_to(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        if directory.exists() and not directory.is_dir():
            raise PackageError(f"cannot write to '{directory}': it is not a directory")
        # Inside of a folder that exists: that is the same file system, even at a mount point.
        place = directory if directory.exists() else directory.parent
        scratch = Path(tempfile.mkdtemp(prefix=".tinyformer-", dir=place))
    try:
        with writing_to(directory):
            yield scratch
            _move(scratch, directory)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move(scratch: Path, directory: Path) -> None:
    """All files at once where the folder is new; else the manifest, which names them, last."""
    if not directory.exists():
        mask = os.umask(0)
        os.umask(mask)
        scratch.chmod(0o777 & ~mask)
        scratch.rename(directory)
        return
    written = sorted((path.name for path in scratch.iterdir()), key=lambda name: name == MANIFEST)
    earlier = _files_of(directory)
    _check_replaced(directory, written, earlier)
    for name in written:
        os.replace(scratch / name, directory / name)
    if MANIFEST in written:
        for name in earlier - set(written):
            (directory / name).unlink(missing_ok=True)


def _check_replaced(directory: Path, written: Sequence[str], earlier: Set[str]) -> None:
    """A library replaces a library; a module alone does not replace a part of one."""
    for name in written:
        if not os.path.lexists(directory / name):
            continue
        if MANIFEST not in written and name in earlier:
            raise PackageError(
                f"'{directory / name}' belongs to the library in this folder, whose "
                f"{MANIFEST} describes it: give another folder"
            )
        if not (name in earlier or _is_module(name) or (name == MANIFEST and earlier)):
            raise PackageError(
                f"'{directory / name}' would be replaced, but is not of an earlier compilation: "
                "give another folder, or move this file"
            )


def _is_module(name: str) -> bool:
    """What --emit writes: no manifest lists it, but its name says whose it is."""
    from tinyformer.compiler import PHASES

    return name.endswith(tuple(f".{phase}.mlir" for phase in PHASES))


def _files_of(directory: Path) -> Set[str]:
    """What the manifest in a folder says was written with it."""
    try:
        files = json.loads((directory / MANIFEST).read_text("utf-8"))["files"]
        return {name for name in files if Path(name).name == name and files[name]["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def write(
    compilation: Compilation, directory: Path, evaluation: Evaluation | None = None
) -> FirmwareImage:
    """Build program and library and describe them; nothing is left behind on failure.

    A compilation with the option `explain` also gives a report, which includes `evaluation`.
    """
    from tinyformer.firmware import delivery

    with (
        atomic_directory(directory) as scratch,
        tempfile.TemporaryDirectory(prefix="tinyformer-") as work,
    ):
        image, library = compilation.build_with_library(Path(work))
        for path in (image.path, library.archive, library.header):
            shutil.copy(path, scratch / path.name)
        assert compilation.quantized is not None
        reference = str(compilation.quantized.operation.get_asm(enable_debug_info=True))
        (scratch / f"{compilation.name}.quantize.mlir").write_text(reference, "utf-8")
        delivery.write_cmake_package(image.interface, compilation.target, scratch)
        delivery.write_cluster_header(compilation.target, scratch)
        delivery.write_readme(
            image, compilation.target, scratch, report=compilation.options.explain
        )
        if compilation.options.explain:
            _write_report(compilation, image, evaluation, scratch)
        manifest = {**_manifest(compilation, image), "files": _hashes(scratch)}
        text = json.dumps(manifest, indent=2) + "\n"
        (scratch / MANIFEST).write_text(text, "utf-8")
    return replace(image, path=directory / image.path.name, header=directory / image.header.name)


def _write_report(
    compilation: Compilation,
    image: FirmwareImage,
    evaluation: Evaluation | None,
    directory: Path,
) -> None:
    from tinyformer.report.measurement import measure
    from tinyformer.report.report import report_page

    page = report_page(measure(compilation, image, evaluation))
    (directory / REPORT).write_text(page, encoding="utf-8", newline="\n")


def _hashes(directory: Path) -> dict[str, dict[str, Any]]:
    files = {}
    for path in sorted(directory.iterdir()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        files[path.name] = {"bytes": len(content), "sha256": digest}
    return files


def _manifest(compilation: Compilation, image: FirmwareImage) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": compilation.name,
        "target": compilation.target.name,
        "cores": image.cores,
        "program": image.path.name,
        "header": image.header.name,
        "library": f"lib{compilation.name}.a",
        "reference": f"{compilation.name}.quantize.mlir",
        "inputs": [asdict(tensor) for tensor in image.interface.inputs],
        "outputs": [asdict(tensor) for tensor in image.interface.outputs],
        "arenas": dict(image.interface.arenas),
        "arena_lower_bounds": {arena.memory: arena.lower_bound for arena in compilation.arenas},
        "code_bytes": image.code_bytes,
        "weight_bytes": image.weight_bytes,
        "flash_bytes": image.flash_bytes,
        "ram_bytes": dict(image.ram_bytes),
        "layers": dict(compilation.layers),
        "options": asdict(compilation.options),
        "tools": {name: version(name) for name in BUILD_TOOLS},
    }


@dataclass(frozen=True)
class Package:
    """A compiled network on disk; `layers` are those of the model, by function."""

    image: FirmwareImage
    reference: Path
    layers: Mapping[str, str]


def read(directory: Path) -> Package:
    """The package in `directory`."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackageError(
            f"'{directory}' holds no readable {MANIFEST} ({error}): "
            "give a folder that 'tinyformer compile' wrote"
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise PackageError(
            f"'{path}' has format {found}, this version reads {FORMAT}: compile the model again"
        )
    try:
        package = _package(directory, manifest)
        for file in (package.image.path, package.image.header, package.reference):
            _check_hash(file, manifest["files"][file.name]["sha256"])
    except (KeyError, TypeError, AttributeError, InterfaceError) as error:
        raise PackageError(
            f"'{path}' is damaged ({type(error).__name__}: {error}): compile the model again"
        ) from error
    return package


def _check_hash(path: Path, expected: str) -> None:
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise PackageError(
            f"cannot read '{path}' ({error.strerror}), which {MANIFEST} lists: compile the model "
            "again"
        ) from error
    if actual != expected:
        raise PackageError(
            f"'{path}' has the hash {actual[:12]}, {MANIFEST} says {expected[:12]}: compile the "
            "model again"
        )


def _package(directory: Path, manifest: dict[str, Any]) -> Package:
    from tinyformer.firmware import FirmwareImage, NetworkInterface

    interface = NetworkInterface(
        manifest["name"],
        _tensors(manifest["inputs"]),
        _tensors(manifest["outputs"]),
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
    return Package(image, directory / manifest["reference"], dict(manifest["layers"]))


def _tensors(entries: Sequence[dict[str, Any]]) -> tuple[TensorInterface, ...]:
    from tinyformer.firmware import TensorInterface

    return tuple(TensorInterface(**{**entry, "shape": tuple(entry["shape"])}) for entry in entries)
