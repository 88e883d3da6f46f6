# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks on GVSoC: a stand-in for its process runs the ELF that it gets on our simulator."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import CliResult
from tinyformer import package
from tinyformer.bench import layers
from tinyformer.compiler import Compilation
from tinyformer.errors import SimulationError
from tinyformer.firmware import FirmwareImage
from tinyformer.options import CompileOptions
from tinyformer.reference import Interpreter
from tinyformer.simulators import SimulatorOptions, open_session
from tinyformer.simulators.gvsoc import TIMING_MODEL
from tinyformer.targets import get_target

GVSOC = SimulatorOptions(simulator="gvsoc")

STAND_IN = """#!{python}
import sys
from pathlib import Path
from tinyformer.simulators.pulp import ClusterOptions, ClusterProgram

target, binary, command = sys.argv[1:]
assert target == "--target=pulp-open" and command == "run", sys.argv
program = ClusterProgram(Path(binary.removeprefix("--binary=")), ClusterOptions(chip="pulp-open"))
finished = program.run()
print("[platform] a line of its own")
print(finished.output, end="")
sys.exit(finished.exit_code)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder on the PATH that has a gvsoc."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "gvsoc"
    command.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def build(directory: Path, chip: str = "pulp-open") -> tuple[Compilation, FirmwareImage]:
    layer = layers.attention(9, 8, 4, 2, seed=0)
    compilation = Compilation(layer.module, "net", layer.samples, ["y"], get_target(chip))
    return compilation, compilation.build(directory)


@pytest.mark.usefixtures("stand_in")
def test_outputs_and_cycles(tmp_path: Path) -> None:
    compilation, image = build(tmp_path / "net")
    x = np.random.default_rng(1).integers(-128, 128, (9, 8), np.int8)
    session = open_session(image, get_target("pulp-open"), options=GVSOC)
    assert compilation.quantized is not None
    expected = Interpreter(compilation.quantized).run([x])[0]
    result = session.run([x], profile=True)
    assert np.array_equal(result.outputs[0], expected)
    assert result.timing_model == TIMING_MODEL
    ours = open_session(image, get_target("pulp-open")).run([x], profile=True)
    assert result.cycles is not None and ours.cycles is not None
    # The program counts its own call as well.
    assert ours.cycles <= result.cycles < ours.cycles + 100
    assert session.run([x]).cycles is None
    with pytest.raises(SimulationError, match="does not count unaligned accesses"):
        session.check_alignment([x])


@pytest.mark.usefixtures("stand_in")
def test_from_the_command_line(cli: Callable[..., CliResult], tmp_path: Path) -> None:
    layer = layers.linear(5, 6, 7, seed=0)
    chip = get_target("pulp-open")
    package.write(Compilation(layer.module, "net", layer.samples, ["y"], chip), tmp_path / "net")
    samples = tmp_path / "x.npy"
    np.save(samples, next(iter(layer.samples.values()))[0])
    run = ("run", tmp_path / "net", "--input", samples, "--json")
    result = cli(*run, "--simulator", "gvsoc")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures["bit_exact"] is True
    assert figures["timing_model"] == TIMING_MODEL
    refused = cli(*run, "--simulator", "spike")
    assert refused.code != 0
    assert "--simulator takes builtin" in refused.err


def test_without_gvsoc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, image = build(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SimulationError, match="needs the command 'gvsoc' on the PATH"):
        open_session(image, get_target("pulp-open"), options=GVSOC)


def test_a_failing_process(tmp_path: Path, stand_in: Path) -> None:
    _, image = build(tmp_path / "net")
    session = open_session(image, get_target("pulp-open"), options=GVSOC)
    command = stand_in / "gvsoc"
    command.write_text("#!/bin/sh\necho no such target >&2\nexit 3\n", encoding="utf-8")
    with pytest.raises(SimulationError, match="ended with status 3: no such target"):
        session.run([np.zeros((9, 8), np.int8)])
    command.write_text("#!/bin/sh\necho nothing\n", encoding="utf-8")
    with pytest.raises(SimulationError, match="has no line 'tf output 0"):
        session.run([np.zeros((9, 8), np.int8)])


@pytest.mark.usefixtures("stand_in")
def test_more_l1_than_pulp_open_has(tmp_path: Path) -> None:
    layer = layers.attention(150, 8, 4, 2, seed=0)
    chip = get_target("gap9")
    options = CompileOptions("never", tile="none")
    compilation = Compilation(layer.module, "net", layer.samples, ["y"], chip, options)
    image = compilation.build(tmp_path / "net")
    with pytest.raises(SimulationError, match=r"bytes of L1, but GVSoC's pulp-open has 65536"):
        open_session(image, chip, options=GVSOC)


def test_only_clusters() -> None:
    with pytest.raises(SimulationError, match="gvsoc for a target with a cluster; got 'gvsoc'"):
        GVSOC.check(get_target("stm32l4"))
    with pytest.raises(SimulationError, match="got 'other'"):
        SimulatorOptions(simulator="other").check(get_target("gap9"))
    with pytest.raises(SimulationError, match="leave --no-instruction-cache"):
        SimulatorOptions(instruction_cache=False, simulator="gvsoc").check(get_target("gap9"))
