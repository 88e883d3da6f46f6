# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Linking programs for a PULP cluster with the runtime that boots it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyformer.errors import ToolchainError
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.targets import Target
from tinyformer.toolchain import cached_object, link_executable

CLUSTER_CORE = "ri5cy"

_MOST_CORES = 8


@dataclass(frozen=True)
class ClusterLayout:
    """What a program is linked for: its cores, and how L1 is divided.

    `stack_bytes` is the stack of each core; the stacks lie at the bottom of L1. Constants and
    buffers (what is in sections .noinit) lie in "l2" or "l1".
    """

    cores: int = 8
    l1_bytes: int = 128 * 1024
    stack_bytes: int = 2048
    constants: str = "l2"
    buffers: str = "l2"

    def __post_init__(self) -> None:
        if not 1 <= self.cores <= _MOST_CORES:
            raise ToolchainError(f"a cluster has 1 to {_MOST_CORES} cores, not {self.cores}")
        if self.stack_bytes <= 0 or self.stack_bytes % 16 != 0:
            raise ToolchainError(
                f"a core's stack of {self.stack_bytes} bytes; it must be a multiple of 16"
            )


def link_cluster_program(
    objects: Sequence[Path], output: Path, layout: ClusterLayout | None = None
) -> Path:
    """Links `objects`, which define main(), with the cluster's runtime to the ELF `output`."""
    layout = layout or ClusterLayout()
    script = write_cluster_script(layout, output.with_suffix(".ld"))
    link_executable([*_runtime_objects(), *objects], script, output, CLUSTER_CORE)
    return output


def link_cluster_network(objects: Sequence[Path], output: Path, target: Target) -> None:
    """Links a network with its buffers to the program that runs it once on core 0."""
    assert target.constant_memory is not None
    layout = ClusterLayout(
        cores=target.cores,
        l1_bytes=target.memory("l1").size,
        stack_bytes=target.stack_bytes,
        constants=target.constant_memory,
        buffers=target.data_memory,
    )
    main = cached_object(runtime_dir() / "pulp" / "main.c", CLUSTER_CORE)
    link_cluster_program([main, *objects], output, layout)


def _runtime_objects() -> list[Path]:
    runtime = runtime_dir() / "pulp"
    common = runtime_dir() / "common"
    names = ("start.s", "cluster.c", "console.c", "divide.c")
    return [
        *(cached_object(runtime / name, CLUSTER_CORE) for name in names),
        cached_object(common / "divide.c", CLUSTER_CORE),
        # Loops that copy must not become calls of the functions that they are.
        cached_object(common / "memory.c", CLUSTER_CORE, ("-fno-builtin",)),
    ]


def write_cluster_script(layout: ClusterLayout, path: Path) -> Path:
    """Writes the linker script of a cluster divided as `layout` says."""
    import jinja2

    template = jinja2.Template(
        (runtime_dir() / "pulp" / "cluster.ld.j2").read_text("utf-8"),
        undefined=jinja2.StrictUndefined,
    )
    text = template.render(asdict(layout))
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
