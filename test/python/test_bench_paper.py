# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer bench paper`: what it runs, what it says of it, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITS, ROOT, CliResult
from test_onnx_helpers import model_of, saved
from tinyformer import simulators, zoo
from tinyformer.bench import layers, paper
from tinyformer.bench.claims import claims
from tinyformer.bench.measure import Measurement, measure
from tinyformer.bench.page import Effort, page
from tinyformer.bench.paper import VARIANTS, Outcome, Peak
from tinyformer.bench.published import LAYERS, RIVALS, SOURCES
from tinyformer.bench.tables import comparisons, run_table
from tinyformer.bench.work import count_macs
from tinyformer.compiler import CompilerError
from tinyformer.onnx import load
from tinyformer.targets import get_target

Cli = Callable[..., CliResult]


def outcome(subject: str, target: str, fuse: str, tile: str, cycles: int) -> Outcome:
    return Outcome(
        subject,
        target,
        fuse,
        tile,
        chosen=(fuse, tile) == ("always", "auto"),
        macs=1000,
        cycles=cycles,
        milliseconds=1.0,
        energy_uj=2.0,
        arena_bytes=300,
        weight_bytes=75 if fuse == "always" else 100,
        timing_model="a model",
    )


def runs(subject: str, target: str = "stm32l4") -> list[Outcome]:
    cycles = (400, 300, 300, 200)
    pairs = zip(VARIANTS, cycles, strict=True)
    return [outcome(subject, target, *variant, count) for variant, count in pairs]


def test_command_runs_one_network(cli: Cli, tmp_path: Path) -> None:
    output = tmp_path / "benchmarks.md"
    result = cli(
        *("bench", "paper", "--network", "radar", "--target", "stm32l4", "--jobs", 1),
        *("-o", output, "--json"),
    )
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert [(run["fuse"], run["tile"]) for run in report["runs"]] == list(VARIANTS)
    assert sum(run["chosen"] for run in report["runs"]) == 1
    plain, tiled, fused, both = report["runs"]
    for run in report["runs"]:
        assert run["failure"] is None and run["timing_model"]
        assert run["macs_per_cycle"] == run["macs"] / run["cycles"]
        assert run["milliseconds"] == pytest.approx(run["cycles"] / 80e3)
        assert run["energy_uj"] == pytest.approx(run["cycles"] / 80e6 * 10e3)
    assert fused["weight_bytes"] < plain["weight_bytes"]
    assert both["arena_bytes"] < fused["arena_bytes"] and tiled["arena_bytes"]
    text = output.read_text()
    assert f"| **{both['cycles']:,}** |" in text
    effort = report["effort"]
    assert effort["processes"] == 1 and effort["cores"] >= 1 and effort["seconds"] > 0
    assert f"which took {Effort(**effort)}. **Cycles" in text
    assert "tinyformer bench paper --target stm32l4 --network radar" in text


def test_terminal_shows_all_numbers(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "run", lambda *_, **__: (runs("eegformer", "gap9"), []))
    result = cli("bench", "paper", "--network", "eegformer", "--target", "gap9")
    assert result.code == 0, result.err
    for text in ("eegformer", "FWSA DFT", "est. µJ", "MAC/cycle", "5.000", "13.7 ms", "a model"):
        assert text in result.out
    assert "…" not in result.out


@pytest.mark.slow
def test_processes_give_the_same_in_the_same_order() -> None:
    names, targets = ["4,32,32,8", "radar"], ["host", "gap9"]
    outcomes, peaks = paper.run(names, targets, processes=2)
    assert (outcomes, peaks) == paper.run(names, targets, processes=1)
    assert [(it.subject, it.target, it.fuse, it.tile) for it in outcomes] == [
        (name, target, *variant) for name in names for target in targets for variant in VARIANTS
    ]
    assert [(peak.subject, peak.target) for peak in peaks] == [
        ("4,32,32,8", "host"),
        ("4,32,32,8", "gap9"),
    ]


def test_what_does_not_fit_says_so() -> None:
    job = paper._Job("eegformer", "stm32l4", ("never", "none"))
    (found,) = [paper._do(job)]
    assert isinstance(found, Outcome)
    assert found.cycles is None and found.failure is not None
    assert found.failure.startswith("arena needs 1") and "bytes but 'sram1' holds" in found.failure
    row = run_table("", "", [found]).rows[0]
    assert row[2] == "does not fit" and row[-1] == found.failure


def test_another_error_is_not_about_memory() -> None:
    with pytest.raises(CompilerError, match="no such op"):
        paper._shortage(CompilerError("phase 'tile' failed: no such op"))


def test_other_bits_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = paper.measure

    def wrong(*arguments: object) -> Measurement:
        return replace(real(*arguments), bit_exact=False)  # type: ignore[arg-type]

    monkeypatch.setattr(paper, "measure", wrong)
    with pytest.raises(RuntimeError, match="4,32,32,8 on host, fuse never, tile none: other bits"):
        paper.run(["4,32,32,8"], ["host"], processes=1)


def test_all_outputs_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "y = MatMul(x, v) z = MatMul(x, w)"
    signature = "(float[3,8] x) => (float[3,4] y, float[3,5] z)"
    path = saved(tmp_path, model_of(signature, body, {"v": (8, 4), "w": (8, 5)}))
    samples = {"x": np.random.default_rng(0).normal(size=(4, 3, 8)).astype(np.float32)}
    layer = layers.Layer(load(path, calibrated=True).module, "two", samples, layers.Work(), {})
    assert measure(layer, get_target("host")).bit_exact
    real = simulators.simulate

    def other_bit(*arguments: object, **options: object) -> simulators.RunResult:
        result = real(*arguments, **options)  # type: ignore[arg-type]
        first, second = result.outputs
        return replace(result, outputs=[first, second ^ (np.arange(5) == 4)])

    monkeypatch.setattr(simulators, "simulate", other_bit)
    assert not measure(layer, get_target("host")).bit_exact


def test_automatic_fusion_is_the_compilers() -> None:
    chip = get_target("stm32l4")
    assert paper._automatic(layers.attention(81, 32, 32, 8, seed=0), chip) == "always"
    assert paper._automatic(layers.attention(66, 16, 2, 8, seed=0), chip) == "never"


def test_peak_with_tiles_is_lower() -> None:
    found = paper._do(paper._Job("66,16,2,8", "stm32l4", None))
    assert isinstance(found, Peak)
    assert 2 * 66 * 16 < found.smallest_bytes < found.untiled_bytes / 6


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (layers.attention(81, 32, 32, 8, seed=0), 6_013_440),
        (layers.attention(66, 16, 2, 8, seed=0), 206_976),
        (layers.linear(5, 7, 11, seed=0), 5 * 7 * 11),
        (layers.softmax(5, 7, seed=0), 0),
    ],
)
def test_multiply_accumulates(layer: layers.Layer, macs: int) -> None:
    assert count_macs(layer.module) == macs


def test_multiply_accumulates_of_a_network() -> None:
    patches, head = 16 * 48 * 4, 48 * 10
    attention = 4 * 17 * 48 * 48 + 2 * 17 * 17 * 48
    block = attention + 2 * 17 * 48 * 96
    module = load(DIGITS / "digits.onnx").module
    # All tokens go through the last block, one through the classifier.
    assert count_macs(module) == patches + 2 * block + head


def test_comparisons_take_what_the_compiler_chooses() -> None:
    (entry,) = comparisons(runs("81,32,32,8"))
    assert (entry.their_cycles, entry.our_cycles) == (46_989_119, 200)
    assert entry.factor == 46_989_119 / 200
    assert comparisons(runs("radar")) == []


def test_claims() -> None:
    peaks = [Peak("81,32,32,8", "stm32l4", 700, 100), Peak("4,32,32,8", "stm32l4", 200, 100)]
    found = {claim.what: (claim.published, claim.here) for claim in claims(runs("radar"), peaks)}
    assert found["memory peak with depth-first tiling (DFT)"] == (
        "up to 6.19x lower",
        "up to 7.00x lower (81/32/32/8, stm32l4); see below for what untiled means",
    )
    assert found["runtime with fused weights (FWSA)"] == (
        "up to 1.53x faster",
        "up to 1.50x faster (radar, stm32l4)",
    )
    assert found["parameters with fused weights (FWSA)"][1] == (
        "up to 25% fewer bytes (radar, stm32l4)"
    )


def test_claims_of_what_failed_are_left_out() -> None:
    failed = [replace(run, cycles=None, failure="does not fit") for run in runs("radar")]
    assert claims(failed, []) == []


def test_published_figures_refer_to_what_there_is() -> None:
    assert {rival.layer for rival in RIVALS} <= set(LAYERS)
    assert {rival.source for rival in RIVALS} <= set(SOURCES)
    for network in zoo.NETWORKS.values():
        assert {run.target for run in network.runs} <= set(paper.TARGETS)


def test_page_has_whole_tables() -> None:
    outcomes = [*runs("ecgformer"), *runs("4,32,32,8", "gap9")]
    outcomes[0] = replace(outcomes[0], cycles=None, failure="arena needs 2 bytes")
    text = page("a command", outcomes, [Peak("4,32,32,8", "gap9", 700, 100)])
    assert text == page("a command", outcomes, [Peak("4,32,32,8", "gap9", 700, 100)])
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 6
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block}) == 1
    assert "does not fit" in text and "arena needs 2 bytes" in text
    assert "4/32/32/8 is radar hand gestures." in text
    assert zoo.get_network("ecgformer").assumed in text
    assert "\n\n\n" not in text and text.endswith("|\n")


def test_page_says_what_it_took() -> None:
    outcomes = runs("ecgformer")
    text = page("a command", outcomes, [], Effort(502.4, 2, 2))
    assert "which took 8 min 22 s in 2 processes on a machine with 2 cores. **Cycles" in text
    assert "no package on PyPI was found that ships a labelled data set" in text
    assert str(Effort(7, 1, 1)) == "7 s in 1 process on a machine with 1 core"
    assert "which takes some minutes." in page("a command", outcomes, [])


def test_page_in_the_documentation_is_complete() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert "tinyformer bench paper -o docs/benchmarks.md" in text
    for name in (*zoo.NETWORKS, *(layer.replace(",", "/") for layer in LAYERS)):
        assert text.count(f"| {name} |") >= 1, name
    for target in paper.TARGETS:
        assert f"## Networks on {target}" in text and f"## Attention layers on {target}" in text


def test_errors(cli: Cli, tmp_path: Path) -> None:
    network = cli("bench", "paper", "--network", "bert")
    assert network.code == 2 and "unknown network 'bert'; there are eegformer" in network.err
    target = cli("bench", "paper", "--target", "z80")
    assert target.code == 2 and "unknown target 'z80'" in target.err
    output = cli("bench", "paper", "-o", tmp_path / "none" / "page.md")
    assert output.code == 2 and "there is no folder" in output.err
