# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes ONNX graphs layer by layer, with random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
_IR_VERSION = 9

Shape = Sequence[int]


class Graph:
    """Collects nodes and weights. A value is known by its name; `name` of a layer is the path
    that its nodes and weights begin with."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Append a node of one output, which has the node's name."""
        self._nodes.append(
            helper.make_node(operator, list(inputs), [name], name=name, **attributes)
        )
        return name

    def constant(self, name: str, array: npt.ArrayLike) -> str:
        """An initialiser: integers as int64, numbers as float32."""
        values = np.asarray(array)
        kind = np.float32 if values.dtype.kind == "f" else np.int64
        self._weights.append(numpy_helper.from_array(values.astype(kind), name))
        return name

    def normal(self, name: str, shape: Shape, scale: float, mean: float = 0.0) -> str:
        """A weight of normally distributed numbers."""
        return self.constant(name, self.random.normal(mean, scale, tuple(shape)))

    def linear(self, x: str, name: str, inputs: int, outputs: int, *, bias: bool = True) -> str:
        """A dense layer on the last axis, scaled so that the variance stays."""
        weight = self.normal(f"{name}.weight", (inputs, outputs), inputs**-0.5)
        if not bias:
            return self.node("MatMul", name, x, weight)
        product = self.node("MatMul", f"{name}/product", x, weight)
        return self.node("Add", name, product, self.normal(f"{name}.bias", (outputs,), 0.1))

    def layernorm(self, x: str, name: str, width: int, epsilon: float = 1e-5) -> str:
        """Layer normalisation of the last axis."""
        weight = self.normal(f"{name}.weight", (width,), 0.1, mean=1.0)
        bias = self.normal(f"{name}.bias", (width,), 0.1)
        return self.node("LayerNormalization", name, x, weight, bias, axis=-1, epsilon=epsilon)

    def patches(
        self, signal: str, name: str, channels: int, width: int, kernel: int, stride: int
    ) -> str:
        """Tokens of a signal [1, channels, samples]: a convolution along time, transposed."""
        weight = self.normal(
            f"{name}.weight", (width, channels, kernel), (channels * kernel) ** -0.5
        )
        bias = self.normal(f"{name}.bias", (width,), 0.1)
        maps = self.node("Conv", f"{name}/maps", signal, weight, bias, strides=[stride])
        return self.node("Transpose", name, maps, perm=[0, 2, 1])

    def positions(self, x: str, name: str, tokens: int, width: int) -> str:
        """Learned positions, added."""
        return self.node("Add", name, x, self.normal(f"{name}.weight", (1, tokens, width), 0.5))

    def class_token(self, x: str, name: str, width: int) -> str:
        """One token that is learned, in front of the others."""
        token = self.normal(f"{name}.token", (1, 1, width), 0.5)
        return self.node("Concat", name, token, x, axis=1)

    def mean_of_tokens(self, x: str, name: str) -> str:
        """[1, S, E] to [1, E]."""
        return self.node("ReduceMean", name, x, self.constant(f"{name}.axes", [1]), keepdims=0)

    def first_token(self, x: str, name: str) -> str:
        """[1, S, E] to [1, E]."""
        return self.node("Gather", name, x, self.constant(f"{name}.index", 0), axis=1)

    def finish(
        self, name: str, inputs: Mapping[str, Shape], output: str, classes: int
    ) -> onnx.ModelProto:
        """The model that maps `inputs` to `output`, [1, classes]."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [_tensor(key, shape) for key, shape in inputs.items()],
            [_tensor(output, (1, classes))],
            self._weights,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model: onnx.ModelProto = helper.make_model(
            graph, producer_name="tinyformer.zoo", opset_imports=opset, ir_version=_IR_VERSION
        )
        return model


def _tensor(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
