# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tables of the papers' benchmark, as texts, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyformer import zoo
from tinyformer.bench.paper import Outcome, Peak
from tinyformer.bench.published import RIVALS

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Behind `labels` columns of text there are `numbers` ones of numbers. A row is `strong` where
    the compiler, left to itself, gives this one."""

    title: str
    columns: Row
    labels: int
    numbers: int
    rows: tuple[Row, ...]
    strong: tuple[bool, ...]

    def is_number(self, column: int) -> bool:
        """True if the column is to be aligned at the right."""
        return self.labels <= column < self.labels + self.numbers

    def markdown(self) -> str:
        """The table alone, without its title."""
        rule = ["---:" if self.is_number(i) else "---" for i in range(len(self.columns))]
        lines = [_line(self.columns), _line(rule)]
        for row, strong in zip(self.rows, self.strong, strict=True):
            lines.append(_line([f"**{cell}**" if strong and cell else cell for cell in row]))
        return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def run_table(title: str, first: str, outcomes: Sequence[Outcome]) -> Table:
    """A row for each run on one target; the name of a network is in the first of its rows."""
    pessimistic = any(outcome.cycles_pessimistic is not None for outcome in outcomes)
    rows: list[Row] = []
    shown = ""
    for outcome in outcomes:
        name = "" if outcome.subject == shown else subject_text(outcome.subject)
        rows.append((name, _means(outcome), *_costs(outcome, pessimistic), _note(outcome)))
        shown = outcome.subject
    cycles = ("cycles", "pessimistic") if pessimistic else ("cycles",)
    costs = (*cycles, "ms", "est. µJ", "arena", "weights", "MAC/cycle")
    strong = tuple(outcome.chosen for outcome in outcomes)
    return Table(title, (first, "with", *costs, "note"), 2, len(costs), tuple(rows), strong)


def subject_text(subject: str) -> str:
    """A network by its name, a layer by its sizes."""
    return subject.replace(",", "/")


def _means(outcome: Outcome) -> str:
    means = []
    if outcome.fuse != "never":
        means.append("FWSA" if outcome.fuse == "always" else "FWSA in part")
    if outcome.tile == "auto":
        means.append("DFT")
    return " ".join(means) or "neither"


def _costs(outcome: Outcome, pessimistic: bool) -> Row:
    cycles = [outcome.cycles, *([outcome.cycles_pessimistic] if pessimistic else [])]
    if outcome.failure is not None:
        return ("does not fit", *[""] * (len(cycles) + 4))
    return (
        *(_number(count, 0) for count in cycles),
        _number(outcome.milliseconds, 3),
        _number(outcome.energy_uj, 1),
        _number(outcome.arena_bytes, 0),
        _number(outcome.weight_bytes, 0),
        _number(outcome.macs_per_cycle, 3),
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _note(outcome: Outcome) -> str:
    """Why there are no figures, or what a paper has for this network."""
    if outcome.failure is not None:
        return outcome.failure
    if not outcome.chosen or outcome.subject not in zoo.NETWORKS:
        return ""
    return "; ".join(
        f"published: {run.milliseconds:g} ms, {run.energy_uj:g} µJ ({run.what})"
        for run in zoo.get_network(outcome.subject).runs
        if run.target == outcome.target
    )


@dataclass(frozen=True)
class Comparison:
    """A layer by another library, and by us as the compiler chooses."""

    target: str
    subject: str
    library: str
    source: str
    their_cycles: int
    our_cycles: int

    @property
    def factor(self) -> float:
        """How many times faster ours is."""
        return self.their_cycles / self.our_cycles


def comparisons(outcomes: Sequence[Outcome]) -> list[Comparison]:
    """Every figure of another library for which there is one of ours."""
    ours = {
        (outcome.target, outcome.subject): outcome.cycles
        for outcome in outcomes
        if outcome.chosen and outcome.cycles is not None
    }
    found = []
    for rival in RIVALS:
        cycles = ours.get((rival.target, rival.layer))
        if cycles is None:
            continue
        found.append(
            Comparison(rival.target, rival.layer, rival.library, rival.source, rival.cycles, cycles)
        )
    return found


def comparison_table(found: Sequence[Comparison]) -> Table:
    """A row for each figure of another library."""
    rows = tuple(
        (
            subject_text(entry.subject),
            entry.target,
            f"{entry.library}, {entry.source}",
            f"{entry.their_cycles:,}",
            f"{entry.our_cycles:,}",
            f"{entry.factor:.2f}x",
        )
        for entry in found
    )
    columns = ("layer", "target", "library, source", "its cycles", "cycles", "faster")
    return Table("Against other libraries", columns, 3, 3, rows, (False,) * len(rows))


def peak_table(peaks: Sequence[Peak]) -> Table:
    """What depth-first tiling saves of a layer's memory."""
    rows = tuple(
        (
            subject_text(peak.subject),
            peak.target,
            f"{peak.untiled_bytes:,}",
            f"{peak.smallest_bytes:,}",
            f"{peak.untiled_bytes / peak.smallest_bytes:.2f}x",
        )
        for peak in peaks
    )
    columns = ("layer", "target", "untiled", "tiled, smallest", "less")
    return Table("Memory peak of attention", columns, 2, 3, rows, (False,) * len(rows))


def by_target(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """The runs of each target, in their order."""
    for target in dict.fromkeys(outcome.target for outcome in outcomes):
        yield target, [outcome for outcome in outcomes if outcome.target == target]
