# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models in the integer dialect of QuantLib and Deeploy, and what they compute.

`Expected` runs them by ONNX's reference evaluator; the dialect's operators are written here once
more, as their authors have them in torch and C: in floating point or element by element.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

Array = npt.NDArray[Any]

DOMAIN = "PACTOps"
OPSET = 13


@dataclass
class IntegerModel:
    """Nodes and constants; `tensors` says that attributes are tensors of floats, as QuantLib's."""

    seed: int = 0
    domain: str = DOMAIN
    tensors: bool = True
    opset: int = OPSET
    addends: bool = True
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def constant(self, array: npt.ArrayLike) -> str:
        """An initializer; integers are floats in these files."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def node(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """A node of ONNX."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op, inputs, [output], name=f"{op}_{output}", **attributes)
        )
        return output

    def special(self, op: str, inputs: list[str], **attributes: int) -> str:
        """A node of the dialect."""
        output = self.node(op, inputs)
        for name, value in attributes.items():
            given: Any = value
            if self.tensors:
                given = numpy_helper.from_array(np.array([value], np.float32))
            self.nodes[-1].attribute.append(helper.make_attribute(name, given))
        self.nodes[-1].domain = self.domain
        return output

    def requant(
        self,
        value: str,
        mul: npt.ArrayLike,
        add: npt.ArrayLike = 0,
        *,
        div: int = 1 << 16,
        signed: bool = True,
        levels: int = 256,
    ) -> str:
        """RequantShift."""
        inputs = [value, self.constant(mul), self.constant(add)]
        name = "n_levels_out" if self.tensors else "n_levels"
        options = {"div": div, "signed": int(signed), name: levels}
        return self.special("RequantShift", inputs, **options)

    def weight(self, *shape: int) -> str:
        """Random weights of 8 bits."""
        return self.constant(self.random.integers(-127, 128, shape))

    def linear(self, value: str, width: int, channels: int, **options: Any) -> str:
        """MatMul and RequantShift, whose numbers are those of a normalisation: any.

        Without `addends` they are one number and 0, as behind a layer that nothing normalises.
        """
        product = self.node("MatMul", [value, self.weight(width, channels)])
        mul, add = self.scaling(width, channels)
        if not self.addends:
            mul, add = np.abs(mul[:1]), 0 * add[:1]
        return self.requant(product, mul, add, **options)

    def scaling(self, depth: int, channels: int) -> tuple[Array, Array]:
        """Factors that bring sums of `depth` products to 8 bits, and addends to 16 levels."""
        unit = (1 << 16) / (73 * math.sqrt(depth))
        mul = (unit * self.random.uniform(0.3, 1.3, channels)).astype(int)
        mul *= self.random.choice([-1, 1], channels)
        return mul, self.random.integers(-(1 << 20), 1 << 20, channels)

    def file(
        self,
        path: Path,
        output: str,
        shape: tuple[int, ...],
        result: tuple[int, ...],
        kind: str = "float",
    ) -> Path:
        """Writes the model of input `x` into `path`; `shape` and `result` are those of its ends."""
        types = {"float": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8}
        graph = helper.make_graph(
            self.nodes,
            "integers",
            [helper.make_tensor_value_info("x", types[kind], shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, result)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", self.opset)]
        if self.domain:
            opsets.append(helper.make_opsetid(self.domain, 1))
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
        return path


@dataclass(frozen=True)
class Shape:
    """Of an encoder layer."""

    tokens: int = 9
    width: int = 16
    heads: int = 2
    head: int = 8
    hidden: int = 24
    classes: int = 4


def encoder(model: IntegerModel, shape: Shape, softmax: str, *, sums: bool = False) -> str:
    """A layer with residuals, mean over tokens, classes; gives the name of the output.

    With `sums` the classifier has no RequantShift: its results have 32 bits.
    """
    x = _normalised(model, "x", shape.width)
    attended = _attention(model, x, shape, softmax)
    x = _residual(model, x, attended)
    hidden = _feed_forward(model, _normalised(model, x, shape.width), shape)
    x = _residual(model, x, hidden)
    x = model.special("IntegerMean", [x])
    model.nodes[-1].attribute.extend(
        [helper.make_attribute("axes", [1]), helper.make_attribute("keepdims", 0)]
    )
    weight = model.weight(shape.classes, shape.width)
    bias = model.constant(model.random.integers(-(1 << 12), 1 << 12, shape.classes))
    logits = model.node("Gemm", [x, weight, bias], transB=1)
    return logits if sums else model.requant(logits, 14, 7, div=1 << 11)


def _normalised(model: IntegerModel, x: str, width: int) -> str:
    weight = model.constant(model.random.integers(1 << 13, 1 << 15, width) * 64)
    bias = model.constant(model.random.integers(-(1 << 20), 1 << 20, width))
    return model.special("iLayerNorm", [x, weight, bias], D=1 << 16, n_levels=256)


def _attention(model: IntegerModel, x: str, shape: Shape, softmax: str) -> str:
    inner = shape.heads * shape.head
    split = model.constant([1, shape.tokens, shape.heads, shape.head])
    model.constants[-1].CopyFrom(
        numpy_helper.from_array(
            np.array([1, shape.tokens, shape.heads, shape.head], np.int64), split
        )
    )
    parts = []
    for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        projected = model.linear(x, shape.width, inner)
        parts.append(model.node("Transpose", [model.node("Reshape", [projected, split])]))
        model.nodes[-1].attribute.append(helper.make_attribute("perm", order))
    query, key, value = parts
    scores = model.node("MatMul", [query, key])
    scores = model.requant(scores, 300, 12345)
    if softmax == "ITAMax":
        weights = model.special("ITAMax", [scores], n_levels=256)
    else:
        numbers = {"coeffA": 1, "coeffB": 41, "coeffC": 871, "log2": 21}
        weights = model.special("iSoftmax", [scores], n_levels=256, **numbers)
    context = model.node("MatMul", [weights, value])
    context = model.requant(context, 256)
    context = model.node("Transpose", [context], perm=[0, 2, 1, 3])
    joined = model.constant(0)
    model.constants[-1].CopyFrom(
        numpy_helper.from_array(np.array([1, shape.tokens, inner], np.int64), joined)
    )
    return model.linear(model.node("Reshape", [context, joined]), inner, shape.width)


def _feed_forward(model: IntegerModel, x: str, shape: Shape) -> str:
    hidden = model.linear(x, shape.width, shape.hidden)
    hidden = model.special("iGELU", [hidden], b=-48, one=2881)
    hidden = model.requant(hidden, 23, 1 << 14)
    return model.linear(hidden, shape.hidden, shape.width)


def _residual(model: IntegerModel, x: str, y: str) -> str:
    return model.requant(model.node("Add", [x, y]), 41000, -77)


def expected(path: Path, x: Array) -> Array:
    """What the model in `path` gives for one input of integers."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(array.astype(np.int64), tensor.name))
    for node in model.graph.node:
        if node.op_type in OPERATORS:
            node.domain = DOMAIN
    if all(item.domain != DOMAIN for item in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    evaluator = ReferenceEvaluator(model, new_ops=list(OPERATORS.values()))
    return np.asarray(evaluator.run(None, {"x": x.astype(np.int64)})[0])


def _number(value: Any) -> int:
    array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
    return int(np.asarray(array).item())


class RequantShift(OpRun):  # type: ignore[misc]
    op_domain = DOMAIN

    def _run(self, x: Array, mul: Array, add: Array, **attributes: Any) -> tuple[Array]:
        numbers = {name: _number(value) for name, value in attributes.items() if value is not None}
        levels = numbers.get("n_levels", numbers.get("n_levels_out", 0))
        y = np.floor((x * mul + add + numbers["div"] / 2) / numbers["div"])
        low = -levels // 2 if numbers["signed"] else 0
        return (np.clip(y, low, low + levels - 1).astype(np.int64),)


class iSoftmax(OpRun):  # type: ignore[misc]  # noqa: N801
    op_domain = DOMAIN

    def _run(self, x: Array, **attributes: Any) -> tuple[Array]:
        numbers = {name: _number(value) for name, value in attributes.items() if value is not None}
        log2, levels = numbers["log2"], numbers["n_levels"]
        distance = x - x.max(-1, keepdims=True)
        z = np.floor(-distance / log2)
        p = distance + z * log2
        y = (numbers["coeffA"] * (p + numbers["coeffB"]) ** 2 + numbers["coeffC"]) // 2**z
        result = np.floor(y * (levels - 1) / y.sum(-1, keepdims=True))
        return (np.clip(result, 0, levels - 1).astype(np.int64),)


class ITAMax(OpRun):  # type: ignore[misc]
    op_domain = DOMAIN

    def _run(self, x: Array, **attributes: Any) -> tuple[Array]:
        levels = _number(attributes["n_levels"])
        shift = np.floor((x.max(-1, keepdims=True) - x) / 32 + 0.5)
        total = np.floor((256 / 2**shift).astype(np.int64).sum(-1, keepdims=True))
        inverse = np.floor((levels - 1) * 256 / total)
        return (np.floor(inverse / 2**shift).astype(np.int64),)


class iLayerNorm(OpRun):  # type: ignore[misc]  # noqa: N801
    op_domain = DOMAIN

    def _run(self, x: Array, weight: Array, bias: Array, **attributes: Any) -> tuple[Array]:
        divisor, levels = _number(attributes["D"]), _number(attributes["n_levels"])
        centred = x - np.trunc(x.mean(-1, keepdims=True))
        deviation = np.floor(np.sqrt(np.floor((centred**2).mean(-1, keepdims=True)) + 1))
        y = np.floor((np.trunc(centred * weight / deviation) + bias) / divisor)
        return (np.clip(y, -levels // 2, levels // 2 - 1).astype(np.int64),)


class iGELU(OpRun):  # type: ignore[misc]  # noqa: N801
    op_domain = DOMAIN

    def _run(self, x: Array, **attributes: Any) -> tuple[Array]:
        b, one = _number(attributes["b"]), _number(attributes["one"])
        slope = np.sign(x) * (-((np.clip(np.abs(x), None, -b) + b) ** 2) + one)
        return (x * np.floor((one + slope) / 2).astype(np.int64),)


class IntegerMean(OpRun):  # type: ignore[misc]
    op_domain = DOMAIN

    def _run(self, x: Array, **attributes: Any) -> tuple[Array]:
        axes, keep = tuple(attributes["axes"]), bool(attributes["keepdims"])
        return (np.floor(x.mean(axes, keepdims=keep) + 0.5).astype(np.int64),)


OPERATORS = {
    kind.__name__: kind for kind in (RequantShift, iSoftmax, ITAMax, iLayerNorm, iGELU, IntegerMean)
}


def index(model: IntegerModel, number: npt.ArrayLike) -> str:
    """A constant of integers of ONNX, as indices and shapes are."""
    name = model.constant(0)
    model.constants[-1].CopyFrom(numpy_helper.from_array(np.array(number), name))
    return name
