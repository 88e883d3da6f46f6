# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What callers may give for an input: real numbers, integers of the model, token ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import tinyformer
from onnx import numpy_helper, parser
from test_onnx_helpers import model_of, saved
from tinyformer import driver
from tinyformer.errors import CalibrationError
from tinyformer.evaluation import load_data
from tinyformer.firmware import TensorInterface
from tinyformer.network import Network
from tinyformer.quantization import quantize

Array = npt.NDArray[Any]

SCALE, ZERO = 0.021, {"int8": 5, "uint8": 131}


def quantised(folder: Path, element: str) -> Path:
    """A linear layer whose input is quantised already."""
    random = np.random.default_rng(5)
    kind = np.dtype(element)
    constants = {
        "s": np.float32(SCALE),
        "z": kind.type(ZERO[element]),
        "w": random.integers(-127, 128, (8, 4)).astype(np.int8),
        "t": np.float32(0.01),
        "u": np.int8(0),
        "e": np.float32(0.2),
        "f": np.int8(-7),
    }
    body = (
        "r = DequantizeLinear(x, s, z) v = DequantizeLinear(w, t, u) y = MatMul(r, v) "
        "p = QuantizeLinear(y, e, f) o = DequantizeLinear(p, e, f)"
    )
    header = '<ir_version: 8, opset_import: ["": 17]>'
    model = parser.parse_model(f"{header} g ({element}[5,8] x) => (float[5,4] o) {{ {body} }}")
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return saved(folder, model)


def integers(element: str, count: int = 3) -> Array:
    """Samples of integers with all extremes."""
    limits = np.iinfo(element)
    x = np.random.default_rng(1).integers(limits.min, limits.max + 1, (count, 5, 8))
    x[0, 0, :2] = limits.min, limits.max
    return x.astype(element)


def run_onnxruntime(path: Path, samples: Array) -> Array:
    """Every node as it stands in the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"x": sample})[0] for sample in samples])


@pytest.mark.parametrize("element", ["int8", "uint8"])
def test_integers_are_taken_as_onnxruntime_takes_them(element: str, tmp_path: Path) -> None:
    path = quantised(tmp_path, element)
    net = tinyformer.compile(path, target="host")
    x = integers(element)
    outputs = net(x)
    # The last rounding may differ by one integer of scale 0.2.
    np.testing.assert_allclose(outputs, run_onnxruntime(path, x), atol=0.21)
    assert np.abs(outputs).max() > 5
    reals = SCALE * (x.astype(np.float64) - ZERO[element])
    for same in (x.astype(np.int64), x.astype(int).tolist(), reals, reals.astype(np.float32)):
        np.testing.assert_array_equal(net(same), outputs)
    (tensor,) = net.interface.inputs
    assert tensor.given == element
    # What the device gets: uint8 less by 128.
    shift = 128 if element == "uint8" else 0
    np.testing.assert_array_equal(quantize(x, tensor), x.astype(int) - shift)


@pytest.mark.parametrize("element", ["int8", "uint8"])
def test_samples_may_be_integers(element: str, tmp_path: Path) -> None:
    path = quantised(tmp_path, element)
    x = integers(element)
    reals = SCALE * (x.astype(np.float64) - ZERO[element])
    np.savez(tmp_path / "integers.npz", x=x, labels=np.zeros(3, int))
    model = driver.load(path, tmp_path / "integers.npz")
    np.testing.assert_allclose(model.samples["x"], reals, rtol=1e-6, atol=1e-9)
    samples, _ = load_data(tmp_path / "integers.npz", model, 2)
    np.testing.assert_allclose(samples["x"], reals[:2], rtol=1e-6, atol=1e-9)
    nets = [tinyformer.compile(path, target="host", calibration=given) for given in (x, reals)]
    assert str(nets[0].module("quantize")) == str(nets[1].module("quantize"))


def test_commands_take_integers(cli: Any, tmp_path: Path) -> None:
    path, x = quantised(tmp_path, "uint8"), integers("uint8")
    np.save(tmp_path / "x.npy", x)
    result = cli("compile", path, "--target", "host", "-o", tmp_path / "out", "--no-report")
    assert result.code == 0, result.err
    command = ("run", tmp_path / "out", "--input", tmp_path / "x.npy", "--sample", 1, "--json")
    figures = json.loads(cli(*command).out)
    expected = run_onnxruntime(path, x)[1]
    np.testing.assert_allclose(figures["outputs"]["o"], expected, atol=0.21)
    assert figures["bit_exact"]
    options = ("--target", "host", "--data", tmp_path / "x.npy", "--json")
    (evaluation,) = json.loads(cli("eval", path, *options).out)
    assert evaluation["bit_exact"] and evaluation["snr_db"] > 30


def test_bytes_behind_a_cast_are_real_numbers(tmp_path: Path) -> None:
    """No scale says what they mean; the network has one of its own."""
    body = "r = Cast <to = 1> (x) y = MatMul(r, w)"
    model = model_of("(uint8[5,8] x) => (float[5,4] y)", body, {"w": (8, 4)})
    path, x = saved(tmp_path, model), integers("uint8")
    net = tinyformer.compile(path, target="host", calibration=x, percentile=100)
    expected = run_onnxruntime(path, x)
    np.testing.assert_allclose(net(x), expected, atol=np.abs(expected).max() / 50)
    assert net.interface.inputs[0].given is None


@pytest.mark.parametrize(("element", "last"), [("int8", 127), ("uint8", 255)])
def test_integers_that_the_model_does_not_have(element: str, last: int, tmp_path: Path) -> None:
    path = quantised(tmp_path, element)
    net = tinyformer.compile(path, target="host")
    x = integers(element).astype(np.int32)
    x[1, 2, 3] = last + 1
    words = rf"'x' is {element} in the model, .* to {last}, but holds {last + 1} at \[1, 2, 3\]"
    with pytest.raises(CalibrationError, match=words):
        net(x)
    with pytest.raises(CalibrationError, match=words):
        tinyformer.compile(path, target="host", calibration=x)
    x[1, 2, 3] = np.iinfo(element).min - 1
    with pytest.raises(CalibrationError, match=f"is {element} in the model"):
        net(x)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Network:
    body = "e = Gather(t, ids) y = MatMul(e, w)"
    model = model_of("(int64[4] ids) => (float[4,3] y)", body, {"t": (9, 8), "w": (8, 3)})
    path = saved(tmp_path_factory.mktemp("tokens"), model)
    samples = np.random.default_rng(0).integers(0, 9, (16, 4))
    return tinyformer.compile(path, target="host", calibration=samples)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ([2**31 + 1, -(2**31) - 1, 8, 0], [8, 0, 8, 0]),
        ([2**62, -(2**62), 9, -1], [8, 0, 8, 0]),
        (np.array([2**63, 2**64 - 1, 2**31, 3], np.uint64), [8, 8, 8, 3]),
        ([1e300, -1e300, 3.0, 8.0], [8, 0, 3, 8]),
        (np.array([255, 0, 3, 8], np.uint8), [8, 0, 3, 8]),
        ([True, False, True, True], [1, 0, 1, 1]),
    ],
)
def test_ids_beside_the_table_are_the_nearest(
    tokens: Network, given: npt.ArrayLike, nearest: list[int]
) -> None:
    np.testing.assert_array_equal(tokens(given), tokens(nearest))
    np.testing.assert_array_equal(tokens.reference(given), tokens.reference(nearest))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0, 1, 2, 3], [0, 1, 0.6, 2.5]], r"2 fractional values, the first, 0.6, at \[1, 2\], bu"),
        ([0.0, 1.0, np.nan, 3.0], r"input 'ids' holds 1 NaN or infinite values, .* at \[2\]"),
        ([0.0, np.inf, -np.inf, 3.0], r"input 'ids' holds 2 NaN or infinite values, .* at \[1\]"),
    ],
)
def test_what_is_no_id(tokens: Network, given: npt.ArrayLike, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        tokens(given)


def test_samples_of_ids_are_checked(tmp_path: Path) -> None:
    body = "e = Gather(t, ids) y = MatMul(e, w)"
    model = model_of("(int64[4] ids) => (float[4,3] y)", body, {"t": (9, 8), "w": (8, 3)})
    samples = np.zeros((3, 4))
    samples[2, 1] = 0.6
    with pytest.raises(CalibrationError, match=r"first, 0.6, at \[2, 1\].*give whole numbers"):
        tinyformer.compile(saved(tmp_path, model), target="host", calibration=samples)


def test_real_inputs_are_finite() -> None:
    tensor = TensorInterface("x", (2, 2), 4, 0.1, 0)
    x = np.array([[0.0, 1.0], [np.nan, np.inf]])
    with pytest.raises(CalibrationError, match=r"'x' holds 2 NaN .*, the first at \[1, 0\]"):
        quantize(x, tensor)


def test_the_model_s_types_are_in_the_file_of_the_library(cli: Any, tmp_path: Path) -> None:
    path = quantised(tmp_path, "uint8")
    cli("compile", path, "--target", "host", "-o", tmp_path / "out", "--no-report")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [entry["given"] for entry in manifest["inputs"]] == ["uint8"]
    assert onnx.load(path).graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
