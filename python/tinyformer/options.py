# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the user may choose about a compilation."""

from __future__ import annotations

from dataclasses import dataclass

from tinyformer.defaults import DEFAULT_PERCENTILE, DEFAULT_UNROLL
from tinyformer.errors import TinyFormerError

SCHEDULES = (
    "heads-context",
    "heads-accumulate",
    "rows-all",
    "rows-context",
    "rows-accumulate",
    "halves-accumulate",
    "quarters-accumulate",
)


class OptionError(TinyFormerError):
    """An option whose value makes no sense, alone or with the others."""


@dataclass(frozen=True)
class CompileOptions:
    """The options of the phases.

    `fuse` is auto, always or never; `tile` is auto, none, min or a number of rows; `optimize`, what
    the automatic choices save, is cycles or size; `schedule` names the one kind of schedule that
    tiling considers, if any; `percentile`: see `calibrate`; `unroll`: how many steps of an inner
    product a kernel of Cortex-M unrolls. With `explain` the passes leave what they considered in
    the module. Raises OptionError.
    """

    fuse: str = "auto"
    optimize: str = "cycles"
    percentile: float = DEFAULT_PERCENTILE
    tile: str = "auto"
    schedule: str | None = None
    explain: bool = False
    unroll: int = DEFAULT_UNROLL

    def __post_init__(self) -> None:
        _check_choice("fuse", self.fuse, ("auto", "always", "never"))
        _check_choice("optimize", self.optimize, ("cycles", "size"))
        if self.tile not in ("auto", "none", "min") and not self.tile.isdecimal():
            raise OptionError(
                f"--tile takes auto, none, min or a number of rows; got '{self.tile}'"
            )
        if not isinstance(self.unroll, int) or self.unroll < 1:
            raise OptionError(f"--unroll takes a positive number of steps; got {self.unroll!r}")
        if not isinstance(self.percentile, int | float) or not 50 < self.percentile <= 100:
            raise OptionError(f"percentile must lie in (50, 100], got {self.percentile!r}")
        if self.schedule is None:
            return
        _check_choice("schedule", self.schedule, SCHEDULES)
        if self.tile == "none":
            raise OptionError(f"--schedule {self.schedule} contradicts --tile none")

    def pipeline_arguments(self, phase: str) -> str:
        """`{name=value ...}` for the pipeline of a phase."""
        if phase == "fuse":
            return f"{{mode={self.fuse} optimize={self.optimize}}}"
        if phase == "tile":
            schedule = f" schedule={self.schedule}" if self.schedule else ""
            explain = " explain=true" if self.explain else ""
            return f"{{tile={self.tile} optimize={self.optimize}{schedule}{explain}}}"
        if phase == "kernels":
            return f"{{unroll={self.unroll}}}"
        if phase == "bufferize" and self.explain:
            return "{explain=true}"
        return ""


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"--{option} takes {', '.join(choices)}; got '{value}'")
