# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`tinyformer.compile`: the same compiler, as an object."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import tinyformer
from conftest import DIGITS, ROOT
from tinyformer.compiler import CompilerError
from tinyformer.errors import CalibrationError, TinyFormerError, UnknownTargetError
from tinyformer.network import Network
from tinyformer.options import OptionError

MODEL = DIGITS / "digits.onnx"
CALIBRATION = DIGITS / "calibration.npz"
NOTEBOOK = ROOT / "examples" / "digits" / "explore.ipynb"


@pytest.fixture(scope="module")
def net() -> Network:
    with np.load(CALIBRATION) as data:
        return tinyformer.compile(MODEL, target="stm32l4", calibration=data["input"])


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    with np.load(DIGITS / "test.npz") as data:
        return data["input"][:3]


def test_one_sample_and_several(net: Network, images: np.ndarray) -> None:
    assert net(images[0]).shape == (1, 10)
    outputs = net(images)
    assert outputs.shape == (3, 1, 10) and outputs.dtype == np.float32
    assert np.array_equal(outputs, net.reference(images))
    assert np.array_equal(outputs[0], net(images[0]))


def test_the_profile_prints_and_adds_up(net: Network) -> None:
    profile = net.profile()
    assert sum(layer.cycles for layer in profile) == profile.cycles
    lines = str(profile).splitlines()
    assert lines[0].split() == ["layer", "cycles", "share", "MACs", "MAC/cycle"]
    assert len(lines) == len(profile) + 5
    assert len({len(line) for line in lines[1:2]}) == 1
    assert (
        f"{profile.milliseconds:.3f} ms" in profile.headline and "µJ (estimate)" in profile.headline
    )
    assert profile._repr_html_().count("<tr>") == len(profile) + 1


def test_pandas_is_asked_for_where_it_is_missing(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(TinyFormerError, match="pip install pandas"):
        net.profile().to_pandas()


def test_pandas(net: Network) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed, and not required")
    frame = net.profile().to_pandas()
    assert frame["cycles"].sum() == net.profile().cycles
    assert frame.index.name == "name"


def test_a_data_frame_has_what_rows_have(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    class DataFrame(list):
        def set_index(self, name: str) -> dict:
            return {row[name]: row for row in self}

    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=DataFrame))
    frame = net.profile().to_pandas()
    for layer in net.profile():
        expected = {field.name: getattr(layer, field.name) for field in fields(layer)}
        assert frame[layer.name] == {**expected, "macs_per_cycle": layer.macs_per_cycle}


def test_a_model_in_memory(net: Network, images: np.ndarray) -> None:
    model = onnx.load(MODEL)
    loaded = tinyformer.compile(model, target="stm32l4", calibration=str(CALIBRATION))
    assert loaded.name == "model"
    assert np.array_equal(loaded.reference(images), net.reference(images))


@pytest.mark.parametrize("model", [b"model", None, object()])
def test_what_is_no_model(model: object) -> None:
    with pytest.raises(tinyformer.TinyFormerError, match=r"the model is a .* onnx\.ModelProto"):
        tinyformer.compile(model, target="host", calibration=CALIBRATION)


def test_memory(net: Network) -> None:
    memory = net.memory
    assert set(memory.used) == set(memory.size) == {"flash", "sram1", "sram2"}
    assert memory.arenas == dict(net.interface.arenas)
    assert memory.arena_lower_bounds["sram1"] <= memory.arenas["sram1"]
    assert "flash" in str(memory) and "weights" in str(memory)


def test_modules_of_all_phases(net: Network) -> None:
    assert "tinyattn.mhsa" in str(net.module("quantize"))
    assert "tinyattn.mhsa" not in str(net.module("tile"))
    with pytest.raises(CompilerError, match="unknown phase 'tiles'"):
        net.module("tiles")


def test_it_is_saved_as_the_command_writes_it(net: Network, cli, tmp_path: Path) -> None:
    saved = net.save(tmp_path / "saved")
    arguments = ("compile", MODEL, "--target", "stm32l4", "--calibration", CALIBRATION)
    result = cli(*arguments, "-o", tmp_path / "written")
    assert result.code == 0, result.err
    assert "report.html" in result.out
    written = {p.name: p.read_bytes() for p in (tmp_path / "written").iterdir()}
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == written


def test_accuracy_in_the_report(cli, tmp_path: Path) -> None:
    with np.load(DIGITS / "test.npz") as data:
        few = {name: data[name][:10] for name in data.files}
    np.savez(tmp_path / "few.npz", **few)
    result = cli(
        *("compile", MODEL, "--target", "host", "--calibration", CALIBRATION),
        *("--data", tmp_path / "few.npz", "-o", tmp_path / "out", "--json"),
    )
    assert result.code == 0, result.err
    assert json.loads(result.out)["name"] == "digits"
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<dt>accuracy</dt>" in page and "10 samples" in page


def test_no_report(cli, tmp_path: Path) -> None:
    arguments = ("compile", MODEL, "--target", "host", "--calibration", CALIBRATION)
    result = cli(*arguments, "--no-report", "-o", tmp_path / "out")
    assert result.code == 0, result.err
    assert not (tmp_path / "out" / "report.html").exists()


def test_it_says_what_it_is(net: Network) -> None:
    assert repr(net) == "<Network 'digits' for stm32l4: 1x1x8x8 to 1x10>"
    assert (net.name, net.target.name) == ("digits", "stm32l4")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"target": "stm32x9"}, UnknownTargetError, "stm32x9"),
        ({"tiles": 3}, OptionError, "there is no option 'tiles'; there are cores|fuse"),
        ({"fuse": "maybe"}, OptionError, "fuse takes auto, always, never"),
        ({"cores": 8}, TinyFormerError, r"has 1 core\(s\)"),
        ({"calibration": {"x": np.zeros((2, 1, 1, 8, 8))}}, CalibrationError, "inputs are input"),
        ({"calibration": np.zeros((2, 8, 8))}, CalibrationError, "have shape"),
        ({"calibration": "nowhere.npz"}, CalibrationError, "nowhere.npz"),
        ({"calibration": [[1], [1, 2]]}, CalibrationError, "of input 'input' is no array"),
        ({"calibration": np.array(["a"])}, CalibrationError, "elements of type <U1"),
        ({"percentile": "99"}, OptionError, r"must lie in \(50, 100\], got '99'"),
        ({"percentile": float("nan")}, OptionError, "got nan"),
        ({"unroll": "8"}, OptionError, "positive number of steps; got '8'"),
        ({"cores": "2"}, TinyFormerError, "asks for '2'"),
    ],
)
def test_errors_of_compilation(
    arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    options = {"target": "stm32l4", "calibration": CALIBRATION} | arguments
    with pytest.raises(error, match=words):
        tinyformer.compile(MODEL, **options)


def test_errors_of_inputs(net: Network, images: np.ndarray) -> None:
    with pytest.raises(CalibrationError, match=r"takes 1 input\(s\) \(input\), got 2"):
        net(images[0], images[0])
    with pytest.raises(CalibrationError, match=r"has shape \[8, 8\], expected \[1, 1, 8, 8\]"):
        net(images[0][0, 0])
    with pytest.raises(CalibrationError, match=r"'input' is no array .*all rows of one leng"):
        net([[1.0], [1.0, 2.0]])
    with pytest.raises(CalibrationError, match="input 'input' holds elements of type <U1"):
        net([[[["a"] * 8] * 8]])


def test_a_host_has_no_profile() -> None:
    host = tinyformer.compile(MODEL, target="host", calibration=str(CALIBRATION))
    with pytest.raises(TinyFormerError, match="'host' has no timing model"):
        host.profile()


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    outputs = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert "same bits: True" in outputs
    # It is in git without outputs, so that it never shows old ones.
    assert all(not cell.get("outputs") for cell in nbformat.read(NOTEBOOK, 4).cells)


def test_importing_the_package_compiles_nothing() -> None:
    code = "import tinyformer, sys; assert 'numpy' not in sys.modules; print(tinyformer.compile)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
