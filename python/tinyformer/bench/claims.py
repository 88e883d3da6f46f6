# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The paper's claims beside what was measured here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from tinyformer.bench import published
from tinyformer.bench.paper import Outcome, Peak
from tinyformer.bench.tables import Comparison, Table, comparisons, subject_text


@dataclass(frozen=True)
class Claim:
    """What the paper says of its own kernels, and the same of ours, in words and figures."""

    what: str
    published: str
    here: str


def claims(outcomes: Sequence[Outcome], peaks: Sequence[Peak]) -> list[Claim]:
    """All claims that these runs say something about."""
    found = comparisons(outcomes)
    return [
        *_latency(found, "CMSIS-NN", "STM32H7 and STM32L4", published.FACTOR_CMSIS),
        *_latency(found, "PULP-NN", "GAP9", published.FACTOR_PULP),
        *_memory(peaks),
        *_fusion(outcomes),
    ]


def claim_table(entries: Sequence[Claim]) -> Table:
    """A row for each claim."""
    rows = tuple((entry.what, entry.published, entry.here) for entry in entries)
    columns = ("claim", "published", "here")
    return Table("The paper's claims", columns, 3, 0, rows, (False,) * len(rows))


def _latency(
    found: Sequence[Comparison], library: str, chips: str, factor: float
) -> Iterator[Claim]:
    sources = dict.fromkeys(entry.source for entry in found if entry.library == library)
    for source in sources:
        factors = [
            entry.factor for entry in found if (entry.library, entry.source) == (library, source)
        ]
        yield Claim(
            f"latency against {library} on {chips}, average",
            f"{factor:.2f}x lower",
            f"{mean(factors):.2f}x lower than {library}, {source}: {min(factors):.2f}x to "
            f"{max(factors):.2f}x, {len(factors)} layers",
        )


def _memory(peaks: Sequence[Peak]) -> Iterator[Claim]:
    if not peaks:
        return
    best = max(peaks, key=lambda peak: peak.untiled_bytes / peak.smallest_bytes)
    yield Claim(
        "memory peak with depth-first tiling (DFT)",
        f"up to {published.FACTOR_MEMORY:.2f}x lower",
        f"up to {best.untiled_bytes / best.smallest_bytes:.2f}x lower "
        f"({subject_text(best.subject)}, {best.target}); see below for what untiled means",
    )


def _fusion(outcomes: Sequence[Outcome]) -> Iterator[Claim]:
    pairs = _fusion_pairs(outcomes)
    if not pairs:
        return
    plain, fused = max(pairs, key=lambda pair: _speedup(*pair))
    yield Claim(
        "runtime with fused weights (FWSA)",
        f"up to {published.FACTOR_FUSION:.2f}x faster",
        f"up to {_speedup(plain, fused):.2f}x faster ({_where(fused)})",
    )
    plain, fused = max(pairs, key=lambda pair: _saved(*pair))
    yield Claim(
        "parameters with fused weights (FWSA)",
        f"{published.SAVED_WEIGHTS:.0%} fewer",
        f"up to {_saved(plain, fused):.0%} fewer bytes ({_where(fused)})",
    )


def _where(outcome: Outcome) -> str:
    return f"{subject_text(outcome.subject)}, {outcome.target}"


def _speedup(plain: Outcome, fused: Outcome) -> float:
    assert plain.cycles is not None and fused.cycles is not None
    return plain.cycles / fused.cycles


def _saved(plain: Outcome, fused: Outcome) -> float:
    assert plain.weight_bytes is not None and fused.weight_bytes is not None
    return 1 - fused.weight_bytes / plain.weight_bytes


def _fusion_pairs(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """The tiled runs without and with fusion, where both have cycles."""
    tiled = {
        (outcome.subject, outcome.target, outcome.fuse): outcome
        for outcome in outcomes
        if outcome.tile == "auto" and outcome.cycles is not None
    }
    return [
        (plain, tiled[subject, target, "always"])
        for (subject, target, fuse), plain in tiled.items()
        if fuse == "never" and (subject, target, "always") in tiled
    ]
