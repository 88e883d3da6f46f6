# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks of the zoo: as published, the same files each time, the reference's bits."""

from __future__ import annotations

from functools import cache
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import DIGITS
from tinyformer import zoo
from tinyformer.bench.layers import Layer, Work
from tinyformer.bench.measure import measure
from tinyformer.driver import Model, load
from tinyformer.mlir import ir
from tinyformer.options import CompileOptions
from tinyformer.reference import Interpreter
from tinyformer.reference.interpreter import public_function
from tinyformer.reference.values import type_shape
from tinyformer.targets import get_target

LARGE = {"kws"}
NAMES = [
    pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in zoo.NETWORKS
]


@cache
def model(name: str) -> Model:
    with TemporaryDirectory() as directory:
        files = zoo.get_network(name).write(Path(directory))
        return load(files.model, files.samples)


def attention_shapes(name: str) -> list[tuple[int, int, int, int]]:
    """Tokens, width, head width and heads of each attention layer."""
    found = []
    for op in public_function(model(name).imported.module).regions[0].blocks[0]:
        if op.operation.name != "tinyattn.mhsa":
            continue
        tokens, width = type_shape(op.input.type)
        heads = ir.IntegerAttr(op.operation.attributes["heads"]).value
        found.append((tokens, width, type_shape(op.query_weight.type)[0] // heads, heads))
    return found


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("eegformer", [(81, 32, 32, 8)]),
        ("ecgformer", [(66, 16, 2, 8)]),
        ("radar", [(4, 32, 32, 8)]),
        ("kws", [(99, 64, 64, 1)] * 12),
        ("vit", [(17, 48, 12, 4)] * 2),
    ],
)
def test_attention_has_the_published_sizes(
    name: str, shapes: list[tuple[int, int, int, int]]
) -> None:
    assert attention_shapes(name) == shapes


@pytest.mark.parametrize(("name", "count"), [("ecgformer", 6_639), ("kws", 607_308)])
def test_as_many_parameters_as_published(name: str, count: int) -> None:
    graph = zoo.get_network(name).make()[0].graph
    assert sum(prod(w.dims) for w in graph.initializer if w.data_type == 1 and w.dims) == count


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_files_are_valid_and_the_same_each_time(name: str, tmp_path: Path) -> None:
    network = zoo.get_network(name)
    first, second = network.write(tmp_path / "first"), network.write(tmp_path / "second")
    assert first.model.read_bytes() == second.model.read_bytes()
    assert first.samples.read_bytes() == second.samples.read_bytes()
    onnx.checker.check_model(onnx.load(first.model), full_check=True)


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_imported_as_onnxruntime_reads_it(name: str, tmp_path: Path) -> None:
    files = zoo.get_network(name).write(tmp_path)
    session = onnxruntime.InferenceSession(files.model, providers=["CPUExecutionProvider"])
    with np.load(files.samples) as archive:
        inputs = {key: archive[key][0] for key in archive.files}
    (expected,) = session.run(None, inputs)
    (actual,) = Interpreter(model(name).imported.module).run(
        [inputs[key] for key, _ in model(name).imported.inputs]
    )
    np.testing.assert_allclose(actual, expected.reshape(actual.shape), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("target", ["host", "stm32l4"])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits_as_the_reference(name: str, target: str) -> None:
    found = model(name)
    layer = Layer(found.imported.module, name, found.samples, Work(), {})
    measured = measure(layer, get_target(target), CompileOptions())
    assert measured.bit_exact
    assert len(set(measured.run.outputs[0].ravel())) > 1


def test_vit_is_the_trained_example() -> None:
    made, samples = zoo.get_network("vit").make()
    assert made == onnx.load(DIGITS / "digits.onnx")
    with np.load(DIGITS / "calibration.npz") as archive:
        np.testing.assert_array_equal(samples["input"], archive["input"])


def test_each_network_says_where_it_is_from() -> None:
    for name, network in zoo.NETWORKS.items():
        assert network.name == name
        assert network.title and network.source and network.published and network.assumed


def test_unknown_network() -> None:
    with pytest.raises(zoo.UnknownNetworkError, match="unknown network 'bert'; the known networks"):
        zoo.get_network("bert")
