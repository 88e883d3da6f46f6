# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The digits example, the whole way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import DIGITS
from tinyformer import driver
from tinyformer.compiler import PHASES
from tinyformer.options import CompileOptions
from tinyformer.targets import get_target
from tinyformer.tools import tool_path

pytestmark = pytest.mark.slow

MODEL, CALIBRATION, TEST = (
    DIGITS / name for name in ("digits.onnx", "calibration.npz", "test.npz")
)


@pytest.fixture(scope="module")
def digits() -> driver.Model:
    return driver.load(MODEL, CALIBRATION)


@pytest.mark.parametrize("target", ["stm32l4", "stm32h7", "gap9"])
def test_accuracy_and_bits(cli, target: str) -> None:
    result = cli(
        *("eval", MODEL, "--target", target, "--calibration", CALIBRATION),
        *("--data", TEST, "--limit", 120, "--json"),
    )
    assert result.code == 0, result.err
    (figures,) = json.loads(result.out)
    assert figures["bit_exact_samples"] == figures["samples"] == 120
    assert figures["device_accuracy"] == figures["reference_accuracy"]
    assert abs(figures["float_accuracy"] - figures["reference_accuracy"]) <= 0.01
    assert figures["snr_db"] > 25
    assert figures["cycles"] == sum(figures["kernels"].values())


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_can_be_read_back(digits: driver.Model, phase: str, tmp_path: Path) -> None:
    compilation = digits.start(get_target("stm32l4"))
    compilation.run_to(phase)
    path = tmp_path / f"{phase}.mlir"
    path.write_text(compilation.text(), "utf-8")
    command = [
        str(tool_path("tinyformer-opt")),
        f"--pass-pipeline=builtin.module(tinyattn-verify-phase{{phase={phase}}})",
        str(path),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_arena_is_close_to_its_lower_bound(digits: driver.Model) -> None:
    compilation = digits.start(get_target("stm32l4"))
    compilation.run_to("bufferize")
    (arena,) = compilation.arenas
    assert arena.lower_bound <= arena.size
    assert arena.size <= 1.05 * arena.lower_bound


def test_no_buffer_of_attention_outlives_its_layer(digits: driver.Model) -> None:
    compilation = digits.start(get_target("stm32l4"), CompileOptions(explain=True))
    compilation.run_to("bufferize")
    plan = compilation.plan
    assert plan is not None
    inner = [b for b in plan.buffers if ".attention/" in b.name and "/output" not in b.name]
    assert len(inner) >= 2 * 5
    for buffer in inner:
        layer = buffer.name.partition("/")[0]
        assert plan.steps[buffer.last].startswith(layer)


def test_fusion_is_told(cli, tmp_path: Path) -> None:
    options = (MODEL, "--target", "stm32l4", "--calibration", CALIBRATION, "--fuse", "never")
    line = "blocks.1.attention: weights not fused (--fuse never); "
    compiled = cli("compile", *options, "-o", tmp_path / "out")
    assert sum(text.startswith(line) for text in compiled.out.splitlines()) == 1
    evaluated = cli("eval", *options, "--data", TEST, "--limit", 1)
    assert sum(text.startswith(f"stm32l4, {line}") for text in evaluated.out.splitlines()) == 1
    as_json = cli("compile", *options, "-o", tmp_path / "out", "--json")
    assert [d["layer"] for d in json.loads(as_json.out)["fusion"]] == [
        "blocks.0.attention",
        "blocks.1.attention",
    ]


def test_compile_then_run(cli, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    compiled = cli(
        *("compile", MODEL, "--target", "stm32l4", "--calibration", CALIBRATION),
        *("-o", folder, "--json"),
    )
    assert compiled.code == 0, compiled.err
    assert json.loads(compiled.out)["flash_bytes"] > 0
    ran = cli("run", folder, "--input", TEST, "--sample", 3, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)
    assert figures["bit_exact"] is True
    assert len(figures["outputs"]["logits"][0]) == 10
    # Layers by their names in the model, each once, whatever functions it became.
    lines = cli("run", folder, "--input", TEST).out.splitlines()
    rows = [line.split("│")[1].strip() for line in lines if line.count("│") == 4]
    assert len(rows) == len(set(rows)) and "blocks.0.attention/query" in rows
    assert not any(row.startswith("digits_blocks") for row in rows)


def test_two_builds_are_identical(digits: driver.Model, tmp_path: Path) -> None:
    programs = []
    for name in ("a", "b"):
        compilation = digits.start(get_target("stm32h7"))
        programs.append(compilation.build(tmp_path / name).path.read_bytes())
    assert programs[0] == programs[1]


def test_two_tiled_layers(cli) -> None:
    result = cli(
        *("eval", MODEL, "--target", "stm32l4", "--calibration", CALIBRATION, "--tile", "min"),
        *("--data", TEST, "--limit", 4, "--json"),
    )
    assert result.code == 0, result.err
    (figures,) = json.loads(result.out)
    assert figures["bit_exact"] is True


def test_fusion_is_measured_against_the_unfused_network(cli) -> None:
    options = (MODEL, "--target", "host", "--calibration", CALIBRATION, "--data", TEST)

    def evaluate(fuse: str) -> dict[str, Any]:
        result = cli("eval", *options, "--limit", 60, "--fuse", fuse, "--json")
        assert result.code == 0, result.err
        (figures,) = json.loads(result.out)
        return figures

    fused, plain = evaluate("always"), evaluate("never")
    assert plain["unfused"] is None
    # Beside the fused network stands what the other run measures.
    assert fused["unfused"]["snr_db"] == plain["snr_db"]
    assert fused["unfused"]["reference_accuracy"] == plain["reference_accuracy"]
    assert abs(fused["reference_accuracy"] - plain["reference_accuracy"]) <= 1 / 60
    assert fused["snr_db"] != plain["snr_db"]
    assert 25 < fused["unfused"]["fused_to_unfused_snr_db"] < 60
    table = cli("eval", *options, "--limit", 60, "--fuse", "always").out
    row = next(line for line in table.splitlines() if "fused to not fused" in line)
    assert f"{fused['unfused']['fused_to_unfused_snr_db']:.1f} dB" in row
