# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models in the integer dialect of QuantLib and Deeploy give its integers, in every form."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tinyformer
from conftest import CliResult
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_models import IntegerModel, Shape, encoder, expected, index
from onnx import helper
from tinyformer import driver
from tinyformer.compiler import Compilation
from tinyformer.onnx import load
from tinyformer.quantization import dequantize, quantize
from tinyformer.reference import Interpreter
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

Array = npt.NDArray[Any]

BOARDS = ["host", "stm32l4", "stm32h7", "gap9"]
SHAPE = Shape()
INPUT = (1, SHAPE.tokens, SHAPE.width)
CLASSES = (1, SHAPE.classes)


def compiled(path: Path, target: str = "host", cores: int | None = None) -> Compilation:
    """The integer network, for the reference interpreter."""
    compilation = driver.load(path, None).start(get_target(target).with_cores(cores))
    compilation.run_to("quantize")
    return compilation


def integers_of(compilation: Compilation, x: Array) -> Array:
    """What the reference interpreter gives for one input."""
    assert compilation.quantized is not None
    tensors = compilation.input_tensors
    (result,) = Interpreter(compilation.quantized).run([quantize(x, tensors[0])])
    return dequantize(result, compilation.output_tensors[0])


def inputs(shape: tuple[int, ...], count: int, *, unsigned: bool = False) -> list[Array]:
    random = np.random.default_rng(7)
    low = 0 if unsigned else -128
    return [random.integers(low, low + 256, shape) for _ in range(count)]


def check(
    model: IntegerModel, output: str, shape: tuple[int, ...], result: tuple[int, ...], **kind: Any
) -> Compilation:
    """The reference gives the integers that the dialect's own formulas give."""
    unsigned = kind.get("kind") == "uint8"
    with tempfile.TemporaryDirectory() as folder:
        path = model.file(Path(folder) / "model.onnx", output, shape, result, **kind)
        compilation = compiled(path)
        for x in inputs(shape, 3, unsigned=unsigned):
            np.testing.assert_array_equal(integers_of(compilation, x), expected(path, x))
    return compilation


def check_on_board(
    path: Path,
    target: str,
    folder: Path,
    shape: tuple[int, ...],
    kind: type[np.signedinteger[Any]] = np.int8,
    cores: int | None = None,
) -> None:
    """A simulated board gives the integers that the dialect's own formulas give."""
    compilation = compiled(path, target, cores)
    session = open_session(compilation.build(folder / "build"), compilation.target)
    for x in inputs(shape, 3):
        (result,) = session.run([quantize(x, compilation.input_tensors[0])]).outputs
        assert result.dtype == kind
        wanted = expected(path, x)
        assert len(np.unique(wanted)) > 2
        np.testing.assert_array_equal(dequantize(result, compilation.output_tensors[0]), wanted)


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize("softmax", ["iSoftmax", "ITAMax"])
@pytest.mark.parametrize("target", BOARDS)
def test_encoder_gives_known_outputs_on_boards(
    target: str, softmax: str, sums: bool, tmp_path: Path
) -> None:
    model = IntegerModel(seed=3)
    path = model.file(
        tmp_path / "encoder.onnx", encoder(model, SHAPE, softmax, sums=sums), INPUT, CLASSES
    )
    check_on_board(path, target, tmp_path, INPUT, np.int32 if sums else np.int8)


@pytest.mark.parametrize("domain", ["", "PACTOps"])
@pytest.mark.parametrize("tensors", [False, True])
def test_spellings_of_nodes(domain: str, tensors: bool) -> None:
    model = IntegerModel(domain=domain, tensors=tensors)
    check(model, encoder(model, SHAPE, "iSoftmax"), INPUT, CLASSES)


def test_older_opset_has_axes_as_attributes() -> None:
    model = IntegerModel(seed=9, opset=11)
    x = model.node("Unsqueeze", [model.linear("x", 8, 12)], axes=[0])
    model.nodes.append(
        helper.make_node("Split", [x], ["a", "b"], name="split", axis=3, split=[4, 8])
    )
    y = model.node("Squeeze", [model.requant("b", 30000)], axes=[0])
    check(model, y, (1, 5, 8), (1, 5, 8))


@pytest.mark.parametrize("kind", ["float", "int8", "uint8"])
def test_types_of_inputs(kind: str) -> None:
    model = IntegerModel(seed=1)
    check(model, encoder(model, SHAPE, "ITAMax"), INPUT, CLASSES, kind=kind)


def test_conv_with_padding_and_unsigned_levels() -> None:
    model = IntegerModel(seed=2)
    x = model.requant("x", 9000, 1 << 22, signed=False)
    kernel = model.constant(model.random.integers(-128, 128, (6, 3, 3, 3)))
    bias = model.constant(model.random.integers(-5000, 5000, 6))
    y = model.node("Conv", [x, kernel, bias], pads=[1, 1, 1, 1], strides=[2, 2])
    mul, add = model.scaling(27, 6)
    y = model.requant(y, mul.reshape(6, 1, 1), add.reshape(6, 1, 1), signed=False, levels=200)
    tokens = model.node("Transpose", [y], perm=[0, 2, 3, 1])
    check(model, tokens, (1, 3, 9, 8), (1, 5, 4, 6))


def test_constants_in_the_place_of_activations() -> None:
    model = IntegerModel(seed=4)
    token = model.constant(model.random.integers(-128, 128, (1, 1, 8)))
    joined = model.node("Concat", [token, model.linear("x", 8, 8)], axis=1)
    positions = model.constant(model.random.integers(-128, 128, (1, 6, 8)))
    y = model.requant(model.node("Add", [joined, positions]), 40000, 3)
    y = model.node("Gather", [y, index(model, 0)], axis=1)
    check(model, y, (1, 5, 8), (1, 8))


def test_functions_of_bytes() -> None:
    model = IntegerModel(seed=5)
    y = model.node("Relu", ["x"])
    y = model.requant(y, 70000, -(1 << 18), signed=False)
    y = model.node("Clip", [y, model.constant(10), model.constant(200)])
    y = model.requant(y, np.arange(1, 9) * 3000, np.arange(8) * 1000)
    check(model, y, (1, 5, 8), (1, 5, 8))


def test_softmax_as_output_and_as_input() -> None:
    model = IntegerModel(seed=6)
    numbers = {"coeffA": 1, "coeffB": 41, "coeffC": 871, "log2": 21}
    y = model.special("iSoftmax", ["x"], n_levels=256, **numbers)
    check(model, y, (1, 2, 5, 7), (1, 2, 5, 7))
    check(model, model.requant(y, 20000, -(1 << 19)), (1, 2, 5, 7), (1, 2, 5, 7))
    check(model, model.special("ITAMax", [y], n_levels=256), (1, 2, 5, 7), (1, 2, 5, 7))


def _heads_by_split(model: IntegerModel, value: str, heads: int) -> list[str]:
    """[1, heads, ...] as one value for each head."""
    parts = [f"{value}_{head}" for head in range(heads)]
    model.nodes.append(helper.make_node("Split", [value], parts, name=f"split_{value}", axis=1))
    return parts


def _heads_by_slice(model: IntegerModel, value: str, heads: int) -> list[str]:
    """The same by Slice nodes."""
    axis, ends = index(model, [1]), [index(model, [head]) for head in range(heads + 1)]
    return [model.node("Slice", [value, *bounds, axis]) for bounds in pairwise(ends)]


def _heads_by_gather(model: IntegerModel, value: str, heads: int) -> list[str]:
    """The same by Gather, which drops the axis of the heads."""
    return [model.node("Gather", [value, index(model, head)], axis=1) for head in range(heads)]


def per_head_attention(
    model: IntegerModel, split: Callable[[IntegerModel, str, int], list[str]], softmax: str
) -> str:
    """Scores and softmax of all heads at once, the products with the values head by head."""
    tokens, width, heads, head = SHAPE.tokens, SHAPE.width, SHAPE.heads, SHAPE.head
    shape = index(model, [1, tokens, heads, head])
    query, key, value = (
        model.node(
            "Transpose",
            [model.node("Reshape", [model.linear("x", width, heads * head), shape])],
            perm=order,
        )
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scores = model.requant(model.node("MatMul", [query, key]), 300, 12345)
    numbers = {"coeffA": 1, "coeffB": 41, "coeffC": 871, "log2": 21}
    weights = model.special(
        softmax, [scores], n_levels=256, **(numbers if softmax == "iSoftmax" else {})
    )
    pairs = zip(split(model, weights, heads), split(model, value, heads), strict=True)
    contexts = [model.requant(model.node("MatMul", list(pair)), 256) for pair in pairs]
    return model.node("Concat", contexts, axis=-1)


SPLITS = [_heads_by_split, _heads_by_slice, _heads_by_gather]


@pytest.mark.parametrize("softmax", ["iSoftmax", "ITAMax"])
@pytest.mark.parametrize("split", SPLITS)
def test_softmax_that_is_used_head_by_head(
    split: Callable[[IntegerModel, str, int], list[str]], softmax: str
) -> None:
    model = IntegerModel(seed=10)
    y = per_head_attention(model, split, softmax)
    leading = () if split is _heads_by_gather else (1,)
    width = SHAPE.heads * SHAPE.head
    check(model, y, INPUT, (1, *leading, SHAPE.tokens, width))


@pytest.mark.parametrize("target", BOARDS[1:])
def test_softmax_that_is_used_head_by_head_on_boards(target: str, tmp_path: Path) -> None:
    model = IntegerModel(seed=10)
    y = per_head_attention(model, _heads_by_split, "iSoftmax")
    result = (1, 1, SHAPE.tokens, SHAPE.heads * SHAPE.head)
    check_on_board(model.file(tmp_path / "heads.onnx", y, INPUT, result), target, tmp_path, INPUT)


@pytest.mark.parametrize("rows", [(0, 1), (2, 6)])
def test_some_queries_of_a_softmax(rows: tuple[int, int]) -> None:
    """A part of the rows, all keys, as when only a class token is read."""
    model = IntegerModel(seed=11)
    weights = model.special("ITAMax", ["x"], n_levels=256)
    bounds = [index(model, [row]) for row in rows]
    part = model.node("Slice", [weights, *bounds, index(model, [1])])
    values = model.linear("x", 9, 5)
    y = model.requant(model.node("MatMul", [part, values]), 256)
    check(model, y, (1, 9, 9), (1, rows[1] - rows[0], 5))


SMALL = st.integers(1, 12)
ADDENDS = st.integers(-(1 << 24), 1 << 24)


@given(
    tokens=SMALL,
    width=SMALL,
    channels=SMALL,
    shift=st.integers(0, 24),
    mul=st.lists(st.integers(-(1 << 14), 1 << 14), min_size=3, max_size=3),
    add=st.lists(ADDENDS, min_size=3, max_size=3),
    signed=st.booleans(),
    levels=st.sampled_from([2, 16, 254, 256]),
    whole=st.booleans(),
    kind=st.sampled_from(["int8", "uint8"]),
    seed=st.integers(0, 1 << 16),
)
@settings(max_examples=60, deadline=None)
def test_requant_shift_of_a_linear_layer(
    tokens: int,
    width: int,
    channels: int,
    shift: int,
    mul: list[int],
    add: list[int],
    signed: bool,
    levels: int,
    whole: bool,
    kind: str,
    seed: int,
) -> None:
    model = IntegerModel(seed)
    product = model.node("MatMul", ["x", model.weight(width, channels)])
    bias = model.constant(model.random.integers(-(1 << 10), 1 << 10, channels))
    product = model.node("Add", [bias, product])
    factors = np.resize(mul, channels)
    addends = np.resize(add, channels)
    if whole:  # part of the bias
        addends = addends // 4096 * factors
    y = model.requant(product, factors, addends, div=1 << shift, signed=signed, levels=levels)
    check(model, y, (tokens, width), (tokens, channels), kind=kind)


@given(
    mul=st.integers(-(1 << 16), 1 << 16),
    add=ADDENDS,
    shift=st.integers(0, 20),
    signed=st.booleans(),
    kind=st.sampled_from(["int8", "uint8"]),
)
@settings(max_examples=40, deadline=None)
def test_requant_shift_of_a_sum(mul: int, add: int, shift: int, signed: bool, kind: str) -> None:
    model = IntegerModel()
    other = model.linear("x", 6, 6, signed=False)
    total = model.node("Add", ["x", other])
    check(
        model,
        model.requant(total, mul, add, div=1 << shift, signed=signed),
        (3, 6),
        (3, 6),
        kind=kind,
    )


@pytest.mark.parametrize("target", BOARDS)
def test_sum_that_needs_64_bits(target: str, tmp_path: Path) -> None:
    model = IntegerModel()
    total = model.node("Add", ["x", model.linear("x", 6, 6)])
    y = model.requant(total, -(1 << 31), 1 << 20, div=1 << 30)
    path = model.file(tmp_path / "sum.onnx", y, (3, 6), (3, 6))
    check(model, y, (3, 6), (3, 6))
    check_on_board(path, target, tmp_path, (3, 6))


@given(b=st.integers(-128, -1), one=st.integers(0, 20000), mul=st.integers(-300, 300))
@settings(max_examples=30, deadline=None)
def test_gelu(b: int, one: int, mul: int) -> None:
    model = IntegerModel()
    y = model.requant(model.special("iGELU", ["x"], b=b, one=one), mul, 1 << 14)
    check(model, y, (16, 16), (16, 16))


@given(
    tokens=st.integers(1, 6),
    width=st.integers(1, 40),
    scale=st.sampled_from([1, 1 << 10, 1 << 22]),
    shift=st.integers(0, 30),
    kind=st.sampled_from(["int8", "uint8"]),
    seed=st.integers(0, 1 << 16),
)
@settings(max_examples=60, deadline=None)
def test_layernorm(tokens: int, width: int, scale: int, shift: int, kind: str, seed: int) -> None:
    model = IntegerModel(seed)
    weight = model.constant(model.random.integers(-256, 256, width) * scale)
    bias = model.constant(model.random.integers(-256, 256, width) * scale)
    y = model.special("iLayerNorm", ["x", weight, bias], D=1 << shift, n_levels=256)
    check(model, y, (tokens, width), (tokens, width), kind=kind)


@given(
    width=st.integers(1, 40),
    b=st.integers(0, 300),
    c=st.integers(0, 20000),
    log2=st.integers(1, 90),
    levels=st.integers(2, 256),
    kind=st.sampled_from(["int8", "uint8"]),
)
@settings(max_examples=60, deadline=None)
def test_softmax(width: int, b: int, c: int, log2: int, levels: int, kind: str) -> None:
    model = IntegerModel()
    numbers = {"coeffA": 1, "coeffB": b, "coeffC": c + 1, "log2": log2}
    y = model.special("iSoftmax", ["x"], n_levels=levels, **numbers)
    check(model, y, (1, 2, 3, width), (1, 2, 3, width), kind=kind)


@given(width=st.integers(1, 70), levels=st.integers(2, 256))
@settings(max_examples=20, deadline=None)
def test_itamax(width: int, levels: int) -> None:
    model = IntegerModel()
    y = model.special("ITAMax", ["x"], n_levels=levels)
    check(model, y, (1, 2, 3, width), (1, 2, 3, width))


@given(tokens=st.integers(1, 600), kind=st.sampled_from(["int8", "uint8"]))
@settings(max_examples=40, deadline=None)
def test_mean(tokens: int, kind: str) -> None:
    model = IntegerModel()
    y = model.special("IntegerMean", ["x"])
    model.nodes[-1].attribute.extend(
        [helper.make_attribute("axes", [1]), helper.make_attribute("keepdims", 1)]
    )
    check(model, y, (1, tokens, 5), (1, 1, 5), kind=kind)


def large(model: IntegerModel) -> str:
    """Rows and channels that fill tiles and leave rests; factors that need 64 bits."""
    x = model.linear("x", 33, 70)
    wide = model.node("MatMul", [x, model.weight(70, 37)])
    x = model.requant(wide, model.random.integers(20000, 40000, 37), 12345, div=1 << 24)
    weight = model.constant(model.random.integers(1 << 20, 1 << 22, 37))
    bias = model.constant(model.random.integers(-(1 << 20), 1 << 20, 37))
    x = model.special("iLayerNorm", [x, weight, bias], D=1 << 16, n_levels=256)
    return model.special("ITAMax", [x], n_levels=256)


@pytest.mark.parametrize(("target", "cores"), [("stm32l4", None), ("gap9", 1), ("gap9", 8)])
def test_odd_shapes_and_wide_factors_on_boards(
    target: str, cores: int | None, tmp_path: Path
) -> None:
    model = IntegerModel(seed=8)
    path = model.file(tmp_path / "large.onnx", large(model), (1, 19, 33), (1, 19, 37))
    check_on_board(path, target, tmp_path, (1, 19, 33), cores=cores)


@pytest.mark.parametrize("mul", [1 << 20, -(1 << 31)])
def test_large_factor_of_channels_without_weights(mul: int) -> None:
    """No sum is too large for a larger shift, but the factor itself is."""
    model = IntegerModel()
    product = model.node("MatMul", ["x", model.constant(np.zeros((8, 4)))])
    check(model, model.requant(product, mul, 12345, div=2), (3, 8), (3, 4))


def test_large_factor_and_small_shift() -> None:
    model = IntegerModel()
    product = model.node("MatMul", ["x", model.constant(np.full((1 << 12, 1), 127))])
    bias = model.constant(1 << 27)
    y = model.requant(model.node("Add", [product, bias]), 1 << 20, -77, div=2)
    check(model, y, (2, 1 << 12), (2, 1))


def test_addends_that_are_multiples_cost_nothing(tmp_path: Path) -> None:
    model = IntegerModel()
    product = model.node("MatMul", ["x", model.weight(8, 4)])
    y = model.requant(product, [3, 5, -7, 0], [300, -500, 70, 99999])
    path = model.file(tmp_path / "model.onnx", y, (3, 8), (3, 4))
    assert "offsets" not in str(load(path).module)
    general = model.requant(product, 3, 1)
    path = model.file(tmp_path / "model.onnx", general, (3, 8), (3, 4))
    assert "offsets" in str(load(path).module)


def test_network_object_takes_and_gives_integers(tmp_path: Path) -> None:
    model = IntegerModel(seed=3)
    path = model.file(
        tmp_path / "encoder.onnx", encoder(model, SHAPE, "iSoftmax", sums=True), INPUT, CLASSES
    )
    network = tinyformer.compile(path, target="stm32l4")
    (x,) = inputs(INPUT, 1)
    np.testing.assert_array_equal(network(x), expected(path, x))
    np.testing.assert_array_equal(network.reference(x), expected(path, x))


@pytest.mark.parametrize("calibrated", [False, True])
def test_commands(calibrated: bool, cli: Callable[..., CliResult], tmp_path: Path) -> None:
    model = IntegerModel(seed=3)
    path = model.file(
        tmp_path / "encoder.onnx", encoder(model, SHAPE, "iSoftmax", sums=True), INPUT, CLASSES
    )
    samples = np.stack(inputs(INPUT, 4))
    labels = [int(expected(path, x).argmax()) for x in samples]
    data = tmp_path / "data.npz"
    np.savez(data, x=samples.astype(np.float32), labels=labels)
    options = ["--calibration", data] if calibrated else []
    result = cli("eval", path, "--target", "stm32l4", "--data", data, "--json", *options)
    assert result.code == 0, result.err
    (entry,) = json.loads(result.out)
    assert entry["bit_exact"] and entry["device_accuracy"] == 1.0
    assert entry["float_accuracy"] is None and entry["snr_db"] is None
    folder = tmp_path / "out"
    result = cli("compile", path, "--target", "stm32l4", "-o", folder, *options)
    assert result.code == 0, result.err
    header = (folder / "encoder.h").read_text()
    assert "int32_t *output_0" in header and "const int8_t *input_0" in header
    text = cli("eval", path, "--target", "stm32l4", "--data", data).out
    assert "4 of 4" in text
