# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models in ONNX's text format, and their check against onnxruntime, for the other tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tinyformer.onnx
from numpy.typing import NDArray
from onnx import numpy_helper, parser
from tinyformer.mlir import ir
from tinyformer.reference import Interpreter

Array = NDArray[np.float32]
Weight = Array | tuple[int, ...] | float | Sequence[int]

TOLERANCE = 1e-4


def floats(*values: float) -> Array:
    """A vector."""
    return np.array(values, np.float32)


def model_of(
    signature: str, body: str, weights: Mapping[str, Weight] | None = None, opset: int = 17
) -> onnx.ModelProto:
    """A model in ONNX's own text; a weight given by its shape is random."""
    header = f'<ir_version: 8, opset_import: ["": {opset}]>\n'
    model: onnx.ModelProto = parser.parse_model(f"{header} g {signature} {{ {body} }}")
    random = np.random.default_rng(404)
    for name, weight in (weights or {}).items():
        if isinstance(weight, tuple):
            array = random.normal(0, 1 / np.sqrt(weight[-1] if weight else 1), weight)
            array = array.astype(np.float32)
        elif isinstance(weight, list):
            array = np.array(weight, np.int64)
        else:
            array = np.asarray(weight, np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type.lower()}_{index}"
    return model


def saved(directory: Path, model: onnx.ModelProto) -> Path:
    """The model in a file."""
    path = directory / "model.onnx"
    onnx.save(model, path)
    return path


def inputs_of(model: onnx.ModelProto) -> dict[str, Array]:
    """Random inputs."""
    random = np.random.default_rng(17)
    constants = {tensor.name for tensor in model.graph.initializer}
    shapes = {
        info.name: tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
        for info in model.graph.input
        if info.name not in constants
    }
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


class Attributes(dict[str, Any]):
    """The attributes of one op as Python values; ops do not outlive their module."""

    def __init__(self, op: ir.Operation) -> None:
        super().__init__()
        for name in op.attributes:
            attribute = op.attributes[name]
            self[name] = getattr(attribute, "value", str(attribute))


def check(directory: Path, model: onnx.ModelProto, ops: str) -> list[Attributes]:
    """Imports the model, compares with onnxruntime, and with the expected ops.

    Gives the attributes of the tinyattn ops.
    """
    onnxruntime = pytest.importorskip("onnxruntime")
    path = saved(directory, model)
    imported = tinyformer.onnx.load(path)
    inputs = inputs_of(model)
    results = Interpreter(imported.module).run([inputs[name] for name, _ in imported.inputs])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for result, expected in zip(results, session.run(None, inputs), strict=True):
        np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE)
    body = imported.module.body.operations[0].regions[0].blocks[0].operations
    found = [op.operation for op in body if op.operation.name.startswith("tinyattn.")]
    assert Counter(op.name.removeprefix("tinyattn.") for op in found) == Counter(ops.split())
    return [Attributes(op) for op in found]


TOKENS = "(float[1,5,8] x) => (float[1,5,8] y)"
