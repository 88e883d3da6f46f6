# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands print."""

from __future__ import annotations

import json

import pytest
from tinyformer.bench import layers


@pytest.mark.parametrize("target", ["host", "stm32l4", "stm32h7"])
def test_bench_attention(cli, target: str) -> None:
    result = cli("bench", "attention", "--shape", "17,48,12,4", "--target", target, "--json")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures["bit_exact"] is True
    assert figures["macs"] == 4 * 17 * 48 * 12 * 4 + 2 * 17 * 17 * 12 * 4
    assert figures["peak_bytes"] == figures["arena_bytes"] + 2 * 17 * 48
    assert figures["weight_bytes"] > 4 * 48 * 48
    if target == "host":
        assert figures["cycles"] is None
        return
    assert figures["cycles"] == sum(figures["kernels"].values())
    assert figures["macs_per_cycle"] == pytest.approx(figures["macs"] / figures["cycles"])
    clock = {"stm32l4": 80e6, "stm32h7": 480e6}[target]
    assert figures["milliseconds"] == pytest.approx(1e3 * figures["cycles"] / clock)
    assert figures["timing_model"]


@pytest.mark.parametrize(("kind", "shape"), [("linear", "5,7,9"), ("softmax", "3,11")])
def test_other_benchmarks(cli, kind: str, shape: str) -> None:
    result = cli("bench", kind, "--shape", shape, "--target", "stm32l4", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["bit_exact"] is True


def test_seed_makes_the_weights() -> None:
    def text(seed: int) -> str:
        return str(layers.linear(3, 4, 5, seed).module)

    assert text(1) == text(1) != text(2)


def test_targets(cli) -> None:
    described = json.loads(cli("targets", "--json").out)
    assert [target["name"] for target in described] == ["stm32l4", "stm32h7", "host"]
    assert "cortex-m7" in cli("targets").out


def test_doctor(cli) -> None:
    result = cli("doctor", "--json")
    report = json.loads(result.out)
    assert result.code == 0
    assert report["healthy"] is True
    assert set(report["problems"].values()) == {None}
    assert report["versions"]["ziglang"] == "0.17.1"


def test_tables_for_people(cli) -> None:
    result = cli("bench", "linear", "--shape", "5,7,9", "--target", "stm32l4")
    assert "same bits as the reference" in result.out
    assert "Cortex-M4" in result.out


@pytest.mark.parametrize(
    ("fuse", "optimize", "outcome"),
    [
        ("never", "cycles", "not fused (--fuse never)"),
        ("always", "cycles", "fused (--fuse always)"),
        ("auto", "cycles", "not fused (not fewer cycles)"),
        ("auto", "size", "not fused (not fewer weight bytes)"),
    ],
)
def test_fusion_is_told(cli, fuse: str, optimize: str, outcome: str) -> None:
    options = ("--fuse", fuse, "--optimize", optimize, "--target", "host")
    result = cli("bench", "attention", "--shape", "5,16,4,2", *options)
    (line,) = (line for line in result.out.splitlines() if "query and key weights" in line)
    assert line.startswith(f"attention: query and key weights {outcome}; ")
    figures = json.loads(cli("bench", "attention", "--shape", "5,16,4,2", *options, "--json").out)
    (decision,) = figures["fusion"]
    assert decision["fused"] == outcome.startswith("fused")
    assert f"({decision['reason']})" in line
    assert f"{decision['plain_cycles']:,.0f} cycles plain" in line
    assert f"{decision['fused_cycles']:,.0f} fused (estimates)" in line
    assert f"{decision['plain_weight_bytes']:,} weight bytes plain" in line
