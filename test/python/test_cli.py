# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands print."""

from __future__ import annotations

import json

import pytest
from tinyformer.bench import layers
from tinyformer.targets import TARGETS


@pytest.mark.parametrize("target", ["host", "stm32l4", "stm32h7", "gap9"])
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
        assert "MAC and SIMD in one slot" in figures["pessimistic_model"]
    else:
        assert figures["cycles_pessimistic"] is figures["pessimistic_model"] is None
    clock = {"stm32l4": 80e6, "stm32h7": 480e6, "gap9": 370e6}[target]
    assert figures["milliseconds"] == pytest.approx(1e3 * figures["cycles"] / clock)
    assert figures["timing_model"]


def test_bench_linear(cli) -> None:
    result = cli("bench", "linear", "--shape", "5,7,9", "--target", "stm32h7", "--json")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures["bit_exact"] is True
    assert figures["macs"] == 5 * 7 * 9
    assert figures["elements"] is figures["cycles_per_element"] is None
    part = figures["parts"]["linear"]
    # All but the two entry functions.
    assert set(part["layers"]) == set(figures["layers"]) - {"linear_run", "tf_linear_invoke"}
    assert part["cycles"] == sum(figures["layers"][name]["cycles"] for name in part["layers"])
    assert part["macs_per_cycle"] == pytest.approx(5 * 7 * 9 / part["cycles"])


@pytest.mark.parametrize("kind", ["softmax", "layernorm", "lookup", "add"])
@pytest.mark.parametrize("target", ["stm32l4", "gap9", "host"])
def test_benchmarks_of_elements(cli, kind: str, target: str) -> None:
    result = cli("bench", kind, "--shape", "3,11", "--target", target, "--json")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures["bit_exact"] is True
    assert figures["elements"] == 33
    assert figures["macs"] == 0
    assert figures["macs_per_cycle"] is None
    if target == "host":
        assert figures["cycles_per_element"] is None
        assert figures["parts"] == {}
        return
    assert figures["cycles_per_element"] == pytest.approx(figures["cycles"] / 33)
    assert figures["parts"][kind]["elements"] == 33


def test_bench_add_has_two_inputs(cli) -> None:
    result = cli("bench", "add", "--shape", "3,11", "--target", "stm32l4", "--json")
    figures = json.loads(result.out)
    assert figures["peak_bytes"] == figures["arena_bytes"] + 3 * 3 * 11


@pytest.mark.parametrize("target", ["stm32l4", "gap9"])
def test_bench_attention_tells_what_its_parts_cost(cli, target: str) -> None:
    shape = ("--shape", "17,16,4,3", "--tile", "8", "--target", target, "--json")
    result = cli("bench", "attention", *shape, "--fuse", "never")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    parts = figures["parts"]
    assert list(parts) == ["query", "key", "value", "scores", "softmax", "context", "output"]
    assert parts["softmax"]["elements"] == 3 * 17 * 17
    assert parts["scores"]["macs"] == 3 * 17 * 17 * 4
    assert sum(part["macs"] for part in parts.values()) == figures["macs"]
    # 17 rows in tiles of 8 leave one over, which has functions of its own.
    assert len(parts["softmax"]["layers"]) == 2
    cycles = parts["softmax"]["cycles"]
    assert parts["softmax"]["cycles_per_element"] == pytest.approx(cycles / (3 * 17 * 17))
    named = [name for part in parts.values() for name in part["layers"]]
    assert len(named) == len(set(named))
    # The rest is the entry and the runtime.
    layers = {name for name in figures["layers"] if name.startswith("attention_attention_")}
    assert set(named) == layers


@pytest.mark.parametrize("target", ["stm32l4", "gap9"])
def test_bench_counts_code_of_shared_kernels_once(cli, target: str) -> None:
    shape = ("--shape", "9,16,4,2", "--target", target, "--json")
    figures = json.loads(cli("bench", "attention", *shape).out)
    sizes = figures["kernel_code_bytes"]
    assert set(sizes) == set(figures["kernels"])
    assert all(size > 0 for size in sizes.values())
    assert figures["network_code_bytes"] == sum(sizes.values()) <= figures["code_bytes"]
    for layer in figures["layers"].values():
        assert layer["code_bytes"] == sum(sizes[name] for name in layer["kernels"])


def test_seed_makes_the_weights() -> None:
    def text(seed: int) -> str:
        return str(layers.linear(3, 4, 5, seed).module)

    assert text(1) == text(1) != text(2)


def test_targets(cli) -> None:
    described = json.loads(cli("targets", "--json").out)
    assert [target["name"] for target in described] == list(TARGETS)
    assert "8 x ri5cy" in cli("targets").out
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
    assert "multiply-accumulates a cycle" in result.out
    assert "pessimistic" not in result.out
    result = cli("bench", "lookup", "--shape", "5,7", "--target", "stm32h7")
    assert "cycles an element" in result.out
    assert "pessimistic: slower of llvm-mca and in-order issue" in result.out


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
    (line,) = (line for line in result.out.splitlines() if ": weights " in line)
    assert line.startswith(f"attention: weights {outcome}; ")
    figures = json.loads(cli("bench", "attention", "--shape", "5,16,4,2", *options, "--json").out)
    (decision,) = figures["fusion"]
    assert decision["fused"] == outcome.startswith("fused")
    assert f"({decision['reason']})" in line
    assert f"{decision['plain_cycles']:,.0f} cycles plain" in line
    assert f"{decision['fused_cycles']:,.0f} fused (estimates for one core)" in line
    assert f"{decision['plain_weight_bytes']:,} weight bytes plain" in line
