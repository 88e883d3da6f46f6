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
    layers = figures["layers"].values()
    assert figures["cycles"] == sum(layer["cycles"] for layer in layers)
    assert all(layer["cycles"] == sum(layer["kernels"].values()) for layer in layers)
    assert figures["macs_per_cycle"] == pytest.approx(figures["macs"] / figures["cycles"])
    if target == "stm32h7":
        worse = figures["cycles_pessimistic"]
        assert figures["cycles"] < worse < 1.5 * figures["cycles"]
        assert worse == sum(layer["cycles_pessimistic"] for layer in layers)
        assert figures["macs_per_cycle_pessimistic"] == pytest.approx(figures["macs"] / worse)
        assert "first issue slot" in figures["pessimistic_model"]
    else:
        assert figures["cycles_pessimistic"] is figures["pessimistic_model"] is None
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
