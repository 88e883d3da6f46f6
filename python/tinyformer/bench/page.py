# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/benchmarks.md: the tables, and what has to be said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyformer import zoo
from tinyformer.bench.claims import claim_table, claims
from tinyformer.bench.paper import Outcome, Peak
from tinyformer.bench.published import LAYERS, PAPER, SOURCES
from tinyformer.bench.tables import (
    Table,
    by_target,
    comparison_table,
    comparisons,
    peak_table,
    run_table,
    subject_text,
)
from tinyformer.targets import get_target

_TEMPLATE = Path(__file__).with_name("benchmarks.md.j2")


def tables(outcomes: Sequence[Outcome], peaks: Sequence[Peak]) -> list[Table]:
    """All tables that have rows, in the order of the page."""
    found = [
        claim_table(claims(outcomes, peaks)),
        comparison_table(comparisons(outcomes)),
        *_run_tables(outcomes),
        peak_table(peaks),
    ]
    return [table for table in found if table.rows]


def _run_tables(outcomes: Sequence[Outcome]) -> list[Table]:
    found = []
    for target, runs in by_target(outcomes):
        networks = [run for run in runs if run.subject in zoo.NETWORKS]
        attention = [run for run in runs if run.subject not in zoo.NETWORKS]
        if networks:
            found.append(run_table(f"Networks on {target}", "network", networks))
        if attention:
            found.append(run_table(f"Attention layers on {target}", "layer", attention))
    return found


@dataclass(frozen=True)
class Effort:
    """What the runs took, by the clock."""

    seconds: float
    processes: int
    cores: int

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        processes = "process" if self.processes == 1 else "processes"
        cores = "core" if self.cores == 1 else "cores"
        return f"{time} in {self.processes} {processes} on a machine with {self.cores} {cores}"


def page(
    command: str,
    outcomes: Sequence[Outcome],
    peaks: Sequence[Peak],
    effort: Effort | None = None,
) -> str:
    """The page as Markdown; it depends on nothing but its arguments."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    subjects = dict.fromkeys(outcome.subject for outcome in outcomes)
    chips = [get_target(target) for target, _ in by_target(outcomes)]
    return template.render(
        command=command,
        effort=effort,
        tables=tables(outcomes, peaks),
        networks=[zoo.get_network(name) for name in subjects if name in zoo.NETWORKS],
        macs={outcome.subject: outcome.macs for outcome in outcomes},
        layers={
            subject_text(subject): LAYERS[subject] for subject in subjects if subject in LAYERS
        },
        chips=chips,
        models=models(outcomes),
        paper=PAPER,
        sources=SOURCES,
    )


def models(outcomes: Sequence[Outcome]) -> list[str]:
    """Where the cycles of each target come from."""
    lines = []
    for target, runs in by_target(outcomes):
        ran = next((run for run in runs if run.timing_model), None)
        if ran is None:
            continue
        worse = f"; pessimistic: {ran.pessimistic_model}" if ran.pessimistic_model else ""
        lines.append(f"{target}: {ran.timing_model}{worse}")
    return lines
