# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer bench paper`: the papers' networks on all targets, as a table."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyformer.cli.console import JsonOption, console, print_json, progress_bar
from tinyformer.errors import TinyFormerError
from tinyformer.files import write_text

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from tinyformer.bench.paper import Outcome, Peak
    from tinyformer.bench.tables import Table


def paper_command(
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="May be given several times."),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="NETWORK",
            help="One of tinyformer.zoo, or 'attention' for the papers' layers; may be given "
            "several times.",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes at a time; a core each, if not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the tables as Markdown."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Benchmark the papers' networks with weight fusion and depth-first tiling on and off."""
    from tinyformer.bench import paper
    from tinyformer.bench.page import Effort, models, page, tables
    from tinyformer.targets import get_target

    targets = [get_target(name).name for name in dict.fromkeys(target or paper.TARGETS)]
    subjects = paper.subjects(network or ())
    if output is not None and not output.parent.is_dir():
        raise TinyFormerError(f"cannot write '{output}': there is no folder '{output.parent}'")
    cores = len(os.sched_getaffinity(0))
    started = time.monotonic()
    with progress_bar("measuring", quiet=as_json) as progress:
        outcomes, peaks = paper.run(subjects, targets, processes=jobs, progress=progress)
    effort = Effort(time.monotonic() - started, jobs or cores, cores)
    if output is not None:
        write_text(output, page(_command(target, network, output), outcomes, peaks, effort))
    if as_json:
        print_json({**_describe(outcomes, peaks), "effort": asdict(effort)})
        return
    for table in tables(outcomes, peaks):
        _print(table)
    for line in models(outcomes):
        console.print(f"cycles of {line}", markup=False, soft_wrap=True)
    console.print(f"all runs: same bits as the reference; {effort}")


def _command(target: list[str] | None, network: list[str] | None, output: Path) -> str:
    """The command line, with what decides about the content."""
    words = ["tinyformer", "bench", "paper"]
    for name in target or ():
        words += ["--target", name]
    for name in network or ():
        words += ["--network", name]
    return shlex.join([*words, "-o", output.as_posix()])


def _describe(outcomes: list[Outcome], peaks: list[Peak]) -> dict[str, object]:
    from tinyformer import zoo
    from tinyformer.bench.claims import claims
    from tinyformer.bench.tables import comparisons

    names = dict.fromkeys(outcome.subject for outcome in outcomes)
    networks = [zoo.NETWORKS[name] for name in names if name in zoo.NETWORKS]
    return {
        "networks": [
            {
                "name": network.name,
                "source": network.source,
                "published": network.published,
                "assumed": network.assumed,
                "published_runs": [asdict(run) for run in network.runs],
            }
            for network in networks
        ],
        "runs": [
            {**asdict(outcome), "macs_per_cycle": outcome.macs_per_cycle} for outcome in outcomes
        ],
        "peaks": [asdict(peak) for peak in peaks],
        "comparisons": [
            {**asdict(entry), "factor": entry.factor} for entry in comparisons(outcomes)
        ],
        "claims": [asdict(entry) for entry in claims(outcomes, peaks)],
    }


def _print(table: Table) -> None:
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table as RichTable

    shown = RichTable(title=table.title, title_justify="left", box=box.SIMPLE)
    for index, column in enumerate(table.columns):
        right = table.is_number(index)
        # Neither names nor numbers are cut off, however narrow the terminal or the pipe.
        fixed = table.numbers > 0 and index < table.labels + table.numbers
        width = max(len(row[index]) for row in (table.columns, *table.rows))
        justify: JustifyMethod = "right" if right else "left"
        shown.add_column(column, justify=justify, min_width=width if fixed else min(width, 20))
    for row, strong in zip(table.rows, table.strong, strict=True):
        shown.add_row(*row, style="bold" if strong else None)
    needed = Measurement.get(console, console.options.update(width=1000), shown).minimum
    Console(width=max(console.width, needed), highlight=False, markup=False).print(shown)
