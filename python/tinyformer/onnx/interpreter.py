# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Walks an ONNX graph and collects the network's layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tinyformer.onnx import (
    attention,
    conv,
    einsum,
    elementwise,
    integers,
    linear,
    movement,
    normalization,
    pooling,
    quantized,
)
from tinyformer.onnx.builder import REORDERED, Builder
from tinyformer.onnx.embedding import ON_IDS, is_ids, not_rows
from tinyformer.onnx.errors import UnsupportedModelError, UnsupportedNodeError
from tinyformer.onnx.evaluate import evaluate
from tinyformer.onnx.graph import Graph, Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.implied import with_implied
from tinyformer.onnx.integers.builder import IntegerBuilder
from tinyformer.onnx.layers import Embedding, Input, Layer
from tinyformer.onnx.loader import DEFAULT_DOMAINS, INTEGER_DOMAIN
from tinyformer.onnx.ranges import Range
from tinyformer.onnx.values import Constant, Operands, Value, View, whole

HANDLERS: Mapping[str, Handler] = {
    **attention.HANDLERS,
    **conv.HANDLERS,
    **einsum.HANDLERS,
    **elementwise.HANDLERS,
    **linear.HANDLERS,
    **movement.HANDLERS,
    **normalization.HANDLERS,
    **pooling.HANDLERS,
    **quantized.HANDLERS,
}

DYNAMIC = (
    "dynamic quantisation is not supported: use onnxruntime.quantization.quantize_static, or give "
    "the float model"
)
# Operators that users will try, and what they can do.
ADVICE: Mapping[str, str] = {
    "ArgMax": "let the network end with its logits: the caller finds the largest",
    "AveragePool": "use a strided convolution, or the mean over all tokens",
    "ConvInteger": DYNAMIC,
    "DynamicQuantizeLinear": DYNAMIC,
    "DynamicQuantizeMatMul": DYNAMIC,
    "GRU": "TinyFormer compiles encoder transformers: replace the recurrent layer by attention",
    "If": "remove the branch that depends on data from the model",
    "LSTM": "TinyFormer compiles encoder transformers: replace the recurrent layer by attention",
    "LogSoftmax": "let the network end with its logits",
    "Loop": "unroll the loop: export with the sizes fixed",
    "MaxPool": "use a strided convolution, or the maximum over all tokens",
    "MatMulInteger": DYNAMIC,
    "MatMulIntegerToFloat": DYNAMIC,
    "RMSNormalization": "use nn.LayerNorm",
    "RNN": "TinyFormer compiles encoder transformers: replace the recurrent layer by attention",
    "TopK": "let the network end with its logits: the caller sorts them",
}
# Nodes that may read the integers of a quantised tensor.
ON_INTEGERS = frozenset(
    ["DequantizeLinear", "Dropout", "Identity", "Shape", *movement.MOVING, *quantized.ON_CODED]
)
# Nodes that are no constants although their operands are: random numbers, and subgraphs that
# see values which are not operands.
NOT_FOLDED = frozenset(
    ["Bernoulli", "If", "Loop", "Multinomial", "RandomNormal", "RandomUniform", "Scan"]
)


@dataclass(frozen=True, eq=False)
class Network:
    """The layers' ends: everything else hangs on the outputs.

    An `integer` network computes on bytes as its model does; of others, `ranges` may be known.
    `path` is the file that it comes from.
    """

    path: Path
    inputs: tuple[Input, ...]
    outputs: tuple[Layer, ...]
    ranges: Mapping[Layer, Range] = field(repr=False)
    integer: bool = False


def interpret(graph: Graph, *, implied: bool = True) -> Network:
    """The network of a model; raises UnsupportedModelError if it has none.

    `implied` ranges are those that follow from what a quantised model says.
    """
    inputs = tuple(Input(info.name, info.shape, info.kind) for info in graph.inputs)
    values: dict[str, Value] = {
        name: Constant(array, name) for name, array in graph.constants.items()
    }
    for layer in inputs:
        values[layer.name] = replace(whole(layer), sole=graph.uses[layer.name] == 1)
    builder = IntegerBuilder(graph.opset) if graph.integer else Builder(graph.opset)
    for node in graph.nodes:
        operands = tuple(_operand(graph, node, values, name) for name in node.inputs)
        builder.node = node
        try:
            results = _apply(builder, node, operands)
        except UnsupportedNodeError as refusal:
            raise _error(graph, node, operands, refusal) from refusal
        for name, value in zip(node.outputs, results, strict=False):
            values[name] = _bind(graph, name, value)
    outputs = tuple(_output(graph, builder, values, name) for name in graph.outputs)
    ranges = {} if graph.integer else builder.ranges.all
    if implied:
        ranges = with_implied(outputs, ranges)
    return Network(graph.path, inputs, outputs, ranges, graph.integer)


def _operand(graph: Graph, node: Node, values: Mapping[str, Value], name: str) -> Value | None:
    if not name:
        return None
    if name not in values:  # the checker has seen that some node makes it
        raise UnsupportedModelError(
            f"{graph.path}: node {node.name!r} ({node.op}) reads {name!r}, a secondary result of "
            "its producer, which is not supported; use only first results"
        )
    return values[name]


def _apply(builder: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    try:
        return _results(builder, node, operands)
    except ValueError as error:  # numpy's word for shapes that do not go together
        raise UnsupportedNodeError(
            f"has operands whose shapes do not fit ({error})",
            "check the model with onnx.checker.check_model(model, full_check=True)",
        ) from error


def _results(builder: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    handlers = integers.HANDLERS if isinstance(builder, IntegerBuilder) else HANDLERS
    if node.domain not in (*DEFAULT_DOMAINS, INTEGER_DOMAIN):
        raise UnsupportedNodeError(
            f"is an operator of the domain {node.domain!r}, not of ONNX",
            "give the model as its framework exported it, before any runtime's optimiser",
        )
    known = all(value is None or isinstance(value, Constant) for value in operands)
    if known and node.op not in NOT_FOLDED and node.domain in DEFAULT_DOMAINS:
        return _folded(builder, node, operands)
    coded = any(map(_is_coded, operands))
    if coded and node.op not in ON_INTEGERS:
        raise UnsupportedNodeError(
            "computes with the integers of a quantised tensor",
            "put a DequantizeLinear node before it and a QuantizeLinear node behind",
        )
    if node.op not in ON_IDS and node.op not in movement.MOVING and any(map(is_ids, operands)):
        raise not_rows("computes with")
    handler = quantized.ON_CODED.get(node.op) if coded else None
    handler = handler or handlers.get(node.op)
    if handler is None:
        raise UnsupportedNodeError(
            f"{node.op} is not supported",
            _advice(builder, node),
        )
    return handler(builder, node, operands)


def _advice(builder: Builder, node: Node) -> str:
    if isinstance(builder, IntegerBuilder):
        return f"in a model with RequantShift nodes there may be {', '.join(integers.HANDLERS)}"
    return ADVICE.get(node.op, "replace it by layers of an encoder transformer")


def _is_coded(value: Value | None) -> bool:
    if not isinstance(value, View):
        return False
    embedding = value.layer
    return value.coded is not None or (
        isinstance(embedding, Embedding) and embedding.coded is not None
    )


def _folded(builder: Builder, node: Node, operands: Operands) -> list[Constant]:
    """What a node of constants gives. Where it only moves them, they keep their scale."""
    if node.op == "DequantizeLinear":
        return [quantized.dequantize_constant(node, operands)]
    arrays = [value.array if isinstance(value, Constant) else None for value in operands]
    results = evaluate(node, arrays, builder.opset)
    first = operands[0] if operands else None
    if node.op in movement.MOVING and isinstance(first, Constant) and first.scale is not None:
        scales = evaluate(node, [first.scale, *arrays[1:]], builder.opset)
        pairs = zip(results, scales, strict=True)
        return [replace(first, array=array, scale=scale) for array, scale in pairs]
    origin = _origin(node, operands)
    return [Constant(array, origin) for array in results]


def _origin(node: Node, operands: Operands) -> str:
    """A folded constant keeps the name of the parameter that it was made of."""
    names = [value.name for value in operands if isinstance(value, Constant) and value.name]
    return names[0] if names else node.name


def _bind(graph: Graph, name: str, value: Value) -> Value:
    if isinstance(value, Constant):
        return value
    return replace(value, sole=value.sole and graph.uses[name] == 1)


def _output(graph: Graph, builder: Builder, values: Mapping[str, Value], name: str) -> Layer:
    """The layer of a graph output, in its ONNX shape."""
    value = values.get(name)
    if not isinstance(value, View):
        raise UnsupportedModelError(
            f"{graph.path}: the output {name!r} does not depend on the input; remove it"
        )
    if is_ids(value):
        raise UnsupportedModelError(
            f"{graph.path}: the output {name!r} ({_shape(value)}) are token ids as they came in; "
            "remove it"
        )
    if not value.shape:
        raise UnsupportedModelError(
            f"{graph.path}: the output {name!r} has no dimension; keep one: keepdim=True in PyTorch"
        )
    try:
        return _in_order(builder, builder.output(value))
    except UnsupportedNodeError as refusal:
        raise UnsupportedModelError(
            f"{graph.path}: the output {name!r} ({_shape(value)}) {refusal.why}; {refusal.instead}"
        ) from refusal


def _in_order(builder: Builder, view: View) -> Layer:
    view = builder.plain(view)
    rows = builder.rows(view, view.shape[-1] if view.shape else 1)
    index = rows.index(rows.columns, rows.layer.shape[1], (-1,))
    if not np.array_equal(index, np.arange(index.size)):
        raise UnsupportedNodeError(
            f"needs the elements of {rows.layer.name!r} in another order than they are in memory",
            REORDERED,
        )
    return builder.reshape(rows.layer, view.shape)


def _error(
    graph: Graph, node: Node, operands: Operands, refusal: UnsupportedNodeError
) -> UnsupportedModelError:
    """The refusal with its place."""
    inputs = ", ".join(
        f"{name!r} {_shape(value)}"
        for name, value in zip(node.inputs, operands, strict=True)
        if value is not None
    )
    outputs = ", ".join(repr(name) for name in node.outputs if name)
    return UnsupportedModelError(
        f"{graph.path}: node {node.name!r} ({node.op} of {inputs} giving {outputs}): "
        f"{refusal.why}; {refusal.instead}"
    )


def _shape(value: Value) -> str:
    return "x".join(str(extent) for extent in value.shape) or "scalar"
