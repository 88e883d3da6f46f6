# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantised nodes written by hand: their integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from quantised_nodes import FIRST, LAST, LINEAR, compiled, constants, made
from tinyformer import driver
from tinyformer.compiler import Compilation
from tinyformer.mlir import ir
from tinyformer.onnx import UnsupportedModelError, load
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.reference.values import constant_array
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

Array = npt.NDArray[Any]


def result_of(compilation: Compilation, x: Array) -> Array:
    """The integers that come out."""
    assert compilation.quantized is not None
    inputs = [quantize(x, compilation.input_tensors[0])]
    return Interpreter(compilation.quantized).run(inputs)[0]


def run_onnxruntime(path: Path, x: Array) -> Array:
    """Every node as it stands in the file: fused nodes saturate products of uint8 and int8."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    result: Array = session.run(None, {"x": x})[0]
    return result


def onnxruntime_integers(path: Path, x: Array, scale: float, zero_point: int) -> Array:
    """The integers behind the last DequantizeLinear, as int8."""
    return np.rint(run_onnxruntime(path, x) / scale) + zero_point


def weights(module: ir.Module) -> Array:
    """The weight of the first linear layer."""
    found: list[Array] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name == "tinyattn.linear":
            found.append(constant_array(op.operands[1].owner))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found[0]


def sample(seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal((5, 8), dtype=np.float32)


@settings(deadline=None, max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 2**32 - 1),
    zeros=st.tuples(st.integers(0, 255), st.integers(0, 255)),
    signed=st.booleans(),
    per_channel=st.booleans(),
)
def test_linear_layer_has_the_integers_of_onnxruntime(
    seed: int,
    zeros: tuple[int, int],
    signed: bool,
    per_channel: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """But for a result half-way between two integers, which accumulators hit by chance."""
    random = np.random.default_rng(seed)
    kind, first = (np.int8, -128) if signed else (np.uint8, 0)
    scales = random.uniform(0.005, 0.02, 4 if per_channel else ()).astype(np.float32)
    values = constants(
        z=kind(zeros[0] + first),
        f=kind(zeros[1] + first),
        w=random.integers(-127, 128, (8, 4)).astype(np.int8),
        t=scales,
        u=np.zeros(scales.shape, np.int8),
    )
    path = made(tmp_path_factory.mktemp("model"), LINEAR, values)
    compilation = compiled(path)
    np.testing.assert_array_equal(weights(compilation.module), values["w"].T)
    x = 2 * sample(seed)
    wanted = onnxruntime_integers(path, x, 0.05, zeros[1] - 128)
    assert np.abs(result_of(compilation, x) - np.clip(wanted, -128, 127)).max() <= 1


BODIES = {
    "qdq": LINEAR,
    "relu": LINEAR.replace("y = MatMul(r, v)", "a = MatMul(r, v) y = Relu(a)"),
    "twice": LINEAR.replace(
        "y = MatMul(r, v)",
        "h = QuantizeLinear(r, s, z) g = DequantizeLinear(h, s, z) y = MatMul(g, v)",
    ),
    "qoperator": "q = QuantizeLinear(x, s, z) p = QLinearMatMul(q, s, z, w, t, u, e, f)"
    " o = DequantizeLinear(p, e, f)",
}


@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 20)),
    body=st.sampled_from(sorted(BODIES)),
    signed=st.booleans(),
    per_channel=st.booleans(),
    batched=st.booleans(),
)
def test_layer_of_any_shape_on_host(
    seed: int,
    shape: tuple[int, int, int],
    body: str,
    signed: bool,
    per_channel: bool,
    batched: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    random = np.random.default_rng(seed)
    tokens, width, channels = shape
    # onnxruntime saturates products of uint8 and int8 on some x86-64 processors.
    kind, first = (np.int8, -128) if signed or body == "qoperator" else (np.uint8, 0)
    scales = random.uniform(0.005, 0.02, channels if per_channel else ()).astype(np.float32)
    values = constants(
        z=kind(random.integers(256) + first),
        f=kind(random.integers(256) + first),
        e=np.float32(0.02 * width**0.5),
        w=random.integers(-127, 128, (width, channels)).astype(np.int8),
        t=scales,
        u=np.zeros(scales.shape, np.int8),
    )
    ends = [f"{'1,' if batched else ''}{tokens},{extent}" for extent in (width, channels)]
    signature = f"(float[{ends[0]}] x) => (float[{ends[1]}] o)"
    folder = tmp_path_factory.mktemp("model")
    path = made(folder, BODIES[body], values, signature)
    x = random.standard_normal((*((1,) if batched else ()), tokens, width), dtype=np.float32)
    compilation = compiled(path)
    session = open_session(compilation.build(folder), compilation.target)
    (ours,) = session.run([quantize(x, compilation.input_tensors[0])]).outputs
    wanted = onnxruntime_integers(path, x, float(values["e"]), int(values["f"]) - first - 128)
    assert np.abs(ours - np.clip(wanted, -128, 127)).max() <= 1


def test_relu_that_the_quantiser_removed(tmp_path: Path) -> None:
    """A range from 0 on saturates what is negative, also where a bias follows."""
    bias = np.full(4, -0.5, np.float32)
    body = LINEAR.replace(LAST, "") + (
        " p = QuantizeLinear(y, e, f) n = DequantizeLinear(p, e, f) m = Add(n, b)"
        " k = QuantizeLinear(m, e, g) o = DequantizeLinear(k, e, g)"
    )
    path = made(tmp_path, body, constants(f=np.int8(-128), b=bias, g=np.int8(-100)))
    x = sample()
    wanted = onnxruntime_integers(path, x, 0.05, -100)
    assert (wanted == -110).any()
    assert np.abs(result_of(compiled(path), x) - wanted).max() <= 1


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_inputs_and_outputs_may_be_integers(kind: Any, tmp_path: Path) -> None:
    name = np.dtype(kind).name
    values = constants(z=kind(100), f=kind(90))
    body = LINEAR.replace("q = QuantizeLinear(x, s, z) ", "").replace("(q, s, z)", "(x, s, z)")
    body = body.replace(" o = DequantizeLinear(p, e, f)", "").replace("p = Quant", "o = Quant")
    path = made(tmp_path, body, values, f"({name}[5,8] x) => ({name}[5,4] o)")
    offset = 0 if kind == np.int8 else 128
    stored = np.random.default_rng(1).integers(90, 120, (5, 8)).astype(kind)
    wanted = run_onnxruntime(path, stored)
    compilation = compiled(path)
    assert compilation.input_tensors[0].zero_point == 100 - offset
    assert compilation.quantized is not None
    inputs = [(stored.astype(np.int64) - offset).astype(np.int8)]
    (ours,) = Interpreter(compilation.quantized).run(inputs)
    assert np.abs(ours.astype(np.int64) + offset - wanted).max() <= 1


def test_weights_that_do_not_fit_are_rounded_again(tmp_path: Path) -> None:
    """uint8 weights with a zero point in the middle of nowhere have integers up to 255."""
    stored = np.random.default_rng(3).integers(0, 256, (8, 4)).astype(np.uint8)
    path = made(tmp_path, LINEAR, constants(w=stored, u=np.uint8(10), t=np.float32(0.002)))
    compilation = compiled(path)
    assert np.abs(weights(compilation.module)).max(axis=1).tolist() == [127] * 4
    x = sample()
    wanted = onnxruntime_integers(path, x, 0.05, -7)
    assert np.abs(result_of(compilation, x) - np.clip(wanted, -128, 127)).max() <= 2


def test_scales_follow_transposed_weights(tmp_path: Path) -> None:
    body = LINEAR.replace("v = Dequant", "a = Dequant").replace("<axis = 1>", "<axis = 0>")
    body = body.replace("y = MatMul", "v = Transpose <perm = [1, 0]> (a) y = MatMul")
    stored = constants()["w"].T.copy()
    scales = np.array([0.01, 0.02, 0.005, 0.008], np.float32)
    path = made(tmp_path, body, constants(w=stored, t=scales, u=np.zeros(4, np.int8)))
    np.testing.assert_array_equal(weights(compiled(path).module), stored)


def test_bias_of_integers(tmp_path: Path) -> None:
    """QGemm: the bias counts in units of the product of both scales."""
    body = (
        "q = QuantizeLinear(x, s, z) "
        "p = com.microsoft.QGemm <alpha = 1.0> (q, s, z, w, t, u, c, e, f) "
        "o = DequantizeLinear(p, e, f)"
    )
    bias = np.array([1000, -2000, 0, 5000], np.int32)
    path = made(tmp_path, body, constants(c=bias))
    x = sample()
    wanted = onnxruntime_integers(path, x, 0.05, -7)
    assert np.abs(result_of(compiled(path), x) - np.clip(wanted, -128, 127)).max() <= 1


def test_layers_in_floats_take_ranges_from_their_neighbours(tmp_path: Path) -> None:
    """LayerNormalization and GELU between the integers say no ranges themselves."""
    body = FIRST + (
        "n = LayerNormalization(r, g) h = Mul(n, half) m = Erf(h) k = Add(m, one) a = Mul(n, k) "
        "b = Softmax <axis = -1> (a) c = Add(b, r) v = DequantizeLinear <axis = 1> (w, t, u) "
        "d = QuantizeLinear(c, s, z) i = DequantizeLinear(d, s, z) y = MatMul(i, v)"
    )
    values = constants(g=np.ones(8, np.float32), half=np.float32(0.5**0.5), one=np.float32(1.0))
    path = made(tmp_path, body + LAST, values)
    wanted = onnxruntime_integers(path, sample(), 0.05, -7)
    ours = result_of(compiled(path), sample())
    assert np.abs(ours - np.clip(wanted, -128, 127)).max() <= 6


@pytest.mark.parametrize(("low", "high"), [(-127, 127), (-100, 20), (-8, 7)])
def test_clip_of_integers_is_a_range(low: int, high: int, tmp_path: Path) -> None:
    body = LINEAR.replace("r = DequantizeLinear(q", "k = Clip(q, lo, hi) r = DequantizeLinear(k")
    values = constants(lo=np.int8(low), hi=np.int8(high), s=np.float32(0.1))
    path = made(tmp_path, body, values)
    (tensor,) = compiled(path).input_tensors
    assert tensor.scale == pytest.approx(0.1 * (high - low) / 255)
    x = sample()
    wanted = onnxruntime_integers(path, x, 0.05, -7)
    # Their rounding of x to fewer levels is left out: half of a step each, through the weights.
    reach = 0.1 / 2 * np.abs(values["w"] * values["t"]).sum(0).max() / 0.05
    steps = np.abs(result_of(compiled(path), x) - np.clip(wanted, -128, 127)).max()
    assert steps <= reach + 1


@pytest.mark.parametrize(("low", "high"), [(5, -5), (4, 127), (-128, 2), (3, 3)])
def test_clip_that_is_no_range_is_refused(low: int, high: int, tmp_path: Path) -> None:
    """The zero point is 3."""
    body = LINEAR.replace("r = DequantizeLinear(q", "k = Clip(q, lo, hi) r = DequantizeLinear(k")
    path = made(tmp_path, body, constants(lo=np.int8(low), hi=np.int8(high)))
    message = f"node 'clip_1' .*from {low} to {high}, with the zero point 3; a range has"
    with pytest.raises(UnsupportedModelError, match=message):
        load(path)


def test_samples_come_before_what_is_implied(tmp_path: Path) -> None:
    layers = "n = LayerNormalization <axis = -1> (r, g, h) k = Sigmoid (n) y = Mul (n, k)"
    body = f"{FIRST} {layers} {LAST}"
    path = made(
        tmp_path,
        body,
        constants(g=np.ones(8, np.float32), h=np.zeros(8, np.float32)),
        "(float[5,8] x) => (float[5,8] o)",
    )
    np.save(tmp_path / "samples.npy", np.stack([sample(seed) for seed in range(8)]))
    # The bound of a normalisation is reached by one outlier, and by nothing else.
    assert _normalised(path, None) == pytest.approx(2 * 7**0.5)
    assert _normalised(path, tmp_path / "samples.npy") < 5


def _normalised(path: Path, samples: Path | None) -> float:
    """The width of the range of a layer normalisation."""
    compilation = driver.load(path, samples).start(get_target("host"))
    compilation.run_to("fuse")
    body = compilation.module.body.operations[0].regions[0].blocks[0]
    (layer,) = (op for op in body.operations if op.operation.name == "tinyattn.layernorm")
    low, high = ir.DenseF64ArrayAttr(layer.operation.attributes["tinyattn.range"])
    return float(high - low)
