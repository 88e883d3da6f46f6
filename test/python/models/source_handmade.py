# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models assembled node by node: spellings that today's exporters no longer, or rarely, write.

The last part holds models that the importer must refuse, each for one reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
Dim = int | str

SEED = 404
TOKENS, EMBED, HEADS, WIDTH = 7, 12, 3, 4


class Graph:
    """Collects nodes and weights of a model with one input `x` and one output `y`."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.random = np.random.default_rng(SEED)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        """Appends a node of one output, which has the node's name."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: Array | Sequence[int] | float) -> str:
        """An initializer: integers as int64, everything else as float32."""
        array = np.asarray(value)
        array = array.astype(np.float32 if array.dtype.kind == "f" else array.dtype)
        name = f"const_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape: int) -> str:
        """A random matrix, scaled by its first dimension, or a random vector."""
        scale = 1.5 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3
        return self.constant(self.random.normal(0.0, scale, shape))

    def linear(self, x: str, fan_in: int, fan_out: int) -> str:
        """MatMul, then Add."""
        product = self.add("MatMul", x, self.weight(fan_in, fan_out))
        return self.add("Add", product, self.weight(fan_out))

    def finish(self, output: str, inputs: Sequence[Dim], outputs: Sequence[Dim]) -> onnx.ModelProto:
        """The model from input `x` to `output`, which is the last node's."""
        assert self.nodes[-1].output[0] == output
        self.nodes[-1].output[0] = "y"
        graph = helper.make_graph(
            self.nodes,
            "handmade",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, outputs)],
            self.initializers,
        )
        opset = [helper.make_opsetid("", self.opset)]
        model: onnx.ModelProto = helper.make_model(
            graph, producer_name="tinyformer-tests", opset_imports=opset, ir_version=8
        )
        return model


def linear_matmul_add() -> onnx.ModelProto:
    """Linear as Add(MatMul(x, w), b)."""
    graph = Graph(17)
    return graph.finish(graph.linear("x", EMBED, 9), [1, TOKENS, EMBED], [1, TOKENS, 9])


def linear_bias_first() -> onnx.ModelProto:
    """Linear as Add(b, MatMul(x, w))."""
    graph = Graph(17)
    product = graph.add("MatMul", "x", graph.weight(EMBED, 9))
    result = graph.add("Add", graph.weight(9), product)
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, 9])


def linear_no_bias() -> onnx.ModelProto:
    """Linear without a bias: a MatMul alone."""
    graph = Graph(17)
    result = graph.add("MatMul", "x", graph.weight(EMBED, 9))
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, 9])


def gemm(transposed: bool) -> onnx.ModelProto:
    """Linear as Gemm, with W as [K, N], or as [N, K] and transB=1."""
    graph = Graph(17)
    shape = (9, EMBED) if transposed else (EMBED, 9)
    attributes = {"transB": 1} if transposed else {}
    result = graph.add("Gemm", "x", graph.weight(*shape), graph.weight(9), **attributes)
    return graph.finish(result, [1, EMBED], [1, 9])


def gemm_alpha_beta() -> onnx.ModelProto:
    """Gemm with alpha and beta, which belong into the weights, and a bias of shape [1, N]."""
    graph = Graph(17)
    weight, bias = graph.weight(9, EMBED), graph.weight(1, 9)
    result = graph.add("Gemm", "x", weight, bias, alpha=0.5, beta=2.0, transB=1)
    return graph.finish(result, [TOKENS, EMBED], [TOKENS, 9])


def gemm_of_tokens() -> onnx.ModelProto:
    """Tokens flattened to [S, E] around a Gemm, as older exporters do."""
    graph = Graph(13)
    rows = graph.add("Reshape", "x", graph.constant([-1, EMBED]))
    result = graph.add("Gemm", rows, graph.weight(9, EMBED), graph.weight(9), transB=1)
    result = graph.add("Reshape", result, graph.constant([1, TOKENS, 9]))
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, 9])


Hook = Callable[[Graph, str], str]


def unchanged(graph: Graph, name: str) -> str:
    """The hook that does nothing."""
    return name


def guard(graph: Graph, weights: str) -> str:
    """Where(IsNaN(p), 0, p): what the dynamo exporter writes behind the softmax."""
    return graph.add("Where", graph.add("IsNaN", weights), graph.constant(0.0), weights)


def zero_mask(graph: Graph, scores: str) -> str:
    """Adds a mask that masks nothing."""
    mask = np.zeros((1, 1, TOKENS, TOKENS), np.float32)
    return graph.add("Add", scores, graph.constant(mask))


def causal_mask(graph: Graph, scores: str) -> str:
    """Adds a causal mask: no encoder."""
    mask = np.triu(np.full((TOKENS, TOKENS), -np.inf, np.float32), 1)
    return graph.add("Add", scores, graph.constant(mask[None, None]))


def heads(graph: Graph, x: str, perm: Sequence[int]) -> str:
    """A projection, split into heads, and permuted."""
    shape = graph.constant([1, TOKENS, HEADS, WIDTH])
    split = graph.add("Reshape", graph.linear(x, EMBED, EMBED), shape)
    return graph.add("Transpose", split, perm=list(perm))


def attend(graph: Graph, x: str, on_scores: Hook = unchanged, on_weights: Hook = unchanged) -> str:
    """Attention, with a hook on the scaled scores and one behind the softmax."""
    query, value = heads(graph, x, (0, 2, 1, 3)), heads(graph, x, (0, 2, 1, 3))
    scores = graph.add("MatMul", query, heads(graph, x, (0, 2, 3, 1)))
    scores = on_scores(graph, graph.add("Mul", scores, graph.constant(WIDTH**-0.5)))
    weights = on_weights(graph, graph.add("Softmax", scores, axis=-1))
    context = graph.add("MatMul", weights, value)
    context = graph.add("Transpose", context, perm=[0, 2, 1, 3])
    merged = graph.add("Reshape", context, graph.constant([1, TOKENS, EMBED]))
    return graph.linear(merged, EMBED, EMBED)


def attention(on_scores: Hook = unchanged, on_weights: Hook = unchanged) -> onnx.ModelProto:
    """Attention with its residual, as a model."""
    graph = Graph(17)
    result = graph.add("Add", "x", attend(graph, "x", on_scores, on_weights))
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, EMBED])


def pool_axes_attribute() -> onnx.ModelProto:
    """Mean over the tokens, axes an attribute (before opset 18), then a classifier."""
    graph = Graph(13)
    mean = graph.add("ReduceMean", "x", axes=[1], keepdims=0)
    return graph.finish(graph.linear(mean, EMBED, 5), [1, TOKENS, EMBED], [1, 5])


def pool_axes_input() -> onnx.ModelProto:
    """Mean over the tokens, axes an input (opset 18 and newer), dimension kept, then squeezed."""
    graph = Graph(18)
    mean = graph.add("ReduceMean", "x", graph.constant([-2]), keepdims=1)
    mean = graph.add("Squeeze", mean, graph.constant([1]))
    return graph.finish(graph.linear(mean, EMBED, 5), [1, TOKENS, EMBED], [1, 5])


def gelu_half_first() -> onnx.ModelProto:
    """GELU as (0.5 x) (1 + erf(x * 0.7071)), with a feed-forward network around it."""
    graph = Graph(17)
    hidden = graph.linear("x", EMBED, 20)
    inner = graph.add("Erf", graph.add("Mul", hidden, graph.constant(0.5**0.5)))
    half = graph.add("Mul", graph.constant(0.5), hidden)
    result = graph.add("Mul", half, graph.add("Add", graph.constant(1.0), inner))
    result = graph.add("Add", graph.linear(result, 20, EMBED), "x")
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, EMBED])


def layernorm_mul_square() -> onnx.ModelProto:
    """LayerNorm with d*d for the square and Sqrt, Reciprocal, Mul for the division."""
    graph = Graph(17)
    centred = graph.add("Sub", "x", graph.add("ReduceMean", "x", axes=[-1], keepdims=1))
    square = graph.add("Mul", centred, centred)
    variance = graph.add("ReduceMean", square, axes=[-1], keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", variance, graph.constant(1e-5)))
    normal = graph.add("Mul", centred, graph.add("Reciprocal", root))
    scaled = graph.add("Mul", graph.weight(EMBED), normal)
    result = graph.add("Add", graph.weight(EMBED), scaled)
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, EMBED])


def unsupported_lstm() -> onnx.ModelProto:
    """A recurrent layer."""
    graph = Graph(17)
    weights = graph.weight(1, 4 * 8, EMBED), graph.weight(1, 4 * 8, 8)
    result = graph.add("LSTM", "x", *weights, hidden_size=8)
    return graph.finish(result, [TOKENS, 1, EMBED], [TOKENS, 1, 1, 8])


def unsupported_dynamic(batch: Dim, tokens: Dim) -> onnx.ModelProto:
    """A linear layer on a tensor with a dimension that has a name instead of a size."""
    graph = Graph(17)
    return graph.finish(graph.linear("x", EMBED, 9), [batch, tokens, EMBED], [batch, tokens, 9])


def unsupported_nan_weight() -> onnx.ModelProto:
    """A linear layer with one weight that is not a number."""
    graph = Graph(17)
    weight = graph.random.normal(size=(EMBED, 9))
    weight[3, 4] = np.nan
    product = graph.add("MatMul", "x", graph.constant(weight))
    result = graph.add("Add", product, graph.weight(9))
    return graph.finish(result, [1, TOKENS, EMBED], [1, TOKENS, 9])


@dataclass(frozen=True)
class Handmade:
    """A model and what it shows."""

    what: str
    build: Callable[[], onnx.ModelProto]


SUPPORTED = {
    "hand_linear_matmul_add": Handmade("Add(MatMul(x, w), b)", linear_matmul_add),
    "hand_linear_bias_first": Handmade("Add(b, MatMul(x, w))", linear_bias_first),
    "hand_linear_no_bias": Handmade("MatMul alone", linear_no_bias),
    "hand_gemm_transb0": Handmade("Gemm, W as [K, N]", lambda: gemm(transposed=False)),
    "hand_gemm_transb1": Handmade("Gemm, W as [N, K]", lambda: gemm(transposed=True)),
    "hand_gemm_alpha_beta": Handmade("Gemm, alpha, beta, bias [1, N]", gemm_alpha_beta),
    "hand_gemm_of_tokens": Handmade("Gemm between two Reshapes", gemm_of_tokens),
    "hand_attention": Handmade("attention and residual, S=7 E=12 H=3", attention),
    "hand_attention_guarded": Handmade(
        "the same, Where(IsNaN(p), 0, p) behind the softmax", lambda: attention(on_weights=guard)
    ),
    "hand_attention_zero_mask": Handmade(
        "the same, a mask of zeros added to the scores", lambda: attention(on_scores=zero_mask)
    ),
    "hand_pool_axes_attribute": Handmade("ReduceMean, axes an attribute", pool_axes_attribute),
    "hand_pool_axes_input": Handmade("ReduceMean, axes an input, Squeeze", pool_axes_input),
    "hand_gelu_half_first": Handmade("(0.5 x) (1 + erf(0.7071 x))", gelu_half_first),
    "hand_layernorm_mul_square": Handmade("d*d; Sqrt, Reciprocal, Mul", layernorm_mul_square),
}

UNSUPPORTED = {
    "unsupported_lstm": Handmade("an LSTM node", unsupported_lstm),
    "unsupported_dynamic_batch": Handmade(
        "`batch` as a dimension", lambda: unsupported_dynamic("batch", TOKENS)
    ),
    "unsupported_dynamic_sequence": Handmade(
        "`sequence` as a dimension", lambda: unsupported_dynamic(1, "sequence")
    ),
    "unsupported_nan_weight": Handmade("one weight is NaN", unsupported_nan_weight),
    "unsupported_causal_mask": Handmade(
        "a causal mask added to the scores", lambda: attention(on_scores=causal_mask)
    ),
}
