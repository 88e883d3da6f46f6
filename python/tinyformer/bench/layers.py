# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float modules of one layer with random weights, and inputs for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.mlir import ir
from tinyformer.mlir.dialects import arith, func, tensor, tinyattn

SAMPLES = 8


@dataclass(frozen=True)
class Work:
    """What has to be done, however it is done: multiply-accumulates, or elements to make."""

    macs: int = 0
    elements: int = 0


@dataclass(frozen=True)
class Layer:
    """A float module `module`, with calibration samples for each input.

    `work` is that of the whole unfused layer, `parts` that of the functions that it becomes, by a
    word in their names.
    """

    module: ir.Module
    name: str
    samples: Mapping[str, npt.NDArray[np.float32]]
    work: Work
    parts: Mapping[str, Work]


class _Weights:
    """Random constants of a layer, reproducible by the seed."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def constant(self, name: str, shape: Sequence[int], scale: float) -> ir.Value:
        data = self.random.normal(0, scale, tuple(shape)).astype(np.float32)
        type_ = ir.RankedTensorType.get(shape, ir.F32Type.get())
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, name, type_)
        return arith.ConstantOp(type_, attribute).result


def attention(
    tokens: int,
    width: int,
    head_width: int,
    heads: int,
    seed: int,
    queries: tuple[int, int] | None = None,
) -> Layer:
    """`mhsa` of `tokens` x `width`; `heads` heads of `head_width`.

    With `queries`, of which all that follows reads the first row and the number, as behind a class
    token, the rest of the result is cut off.
    """
    inner = heads * head_width
    first, rows = queries or (0, tokens)

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        parts: dict[str, Any] = {}
        for name in ("query", "key", "value"):
            parts[f"{name}_weight"] = weights.constant(
                f"{name}_weight", [inner, width], width**-0.5
            )
            parts[f"{name}_bias"] = weights.constant(f"{name}_bias", [inner], 0.1)
        parts["output_weight"] = weights.constant("output_weight", [width, inner], inner**-0.5)
        parts["output_bias"] = weights.constant("output_bias", [width], 0.1)
        result: ir.Value = tinyattn.mhsa(
            x.type,
            x,
            heads=heads,
            scale=head_width**-0.5,
            **parts,
        )
        if queries is None:
            return result
        type_ = ir.RankedTensorType.get([rows, width], ir.F32Type.get())
        return tensor.extract_slice(type_, result, [], [], [], [first, 0], [rows, width], [1, 1])

    whole, some = Work(tokens * width * inner), Work(rows * width * inner)
    product = Work(rows * tokens * inner)
    parts = {
        "query": some,
        "key": whole,
        "value": whole,
        "scores": product,
        "softmax": Work(elements=heads * rows * tokens),
        "context": product,
        "output": some,
    }
    work = Work(sum(part.macs for part in parts.values()))
    shapes = {"input": [tokens, width]}
    return _layer("attention", shapes, [rows, width], body, seed, work, parts)


def linear(rows: int, channels: int, depth: int, seed: int) -> Layer:
    """`linear` of [rows, depth] to [rows, channels]."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        weight = weights.constant("weight", [channels, depth], depth**-0.5)
        bias = weights.constant("bias", [channels], 0.1)
        init = tensor.EmptyOp([rows, channels], ir.F32Type.get()).result
        result: ir.Value = tinyattn.linear([init.type], x, weight, bias, [init])
        return result

    work = Work(macs=rows * channels * depth)
    return _layer("linear", {"input": [rows, depth]}, [rows, channels], body, seed, work)


@dataclass(frozen=True)
class Convolution:
    """`channels` kernels of `kernel` on an image [height, width, depth], tokens out."""

    height: int
    width: int
    depth: int
    channels: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    channels_first: bool = False

    @property
    def output_shape(self) -> list[int]:
        top, left, bottom, right = self.padding
        rows = (self.height + top + bottom - self.kernel[0]) // self.strides[0] + 1
        columns = (self.width + left + right - self.kernel[1]) // self.strides[1] + 1
        return [rows, columns, self.channels]


def convolution(shape: Convolution, seed: int) -> Layer:
    """`conv` of an image, whose channels are its last dimension or its first."""
    depth = shape.depth * math.prod(shape.kernel)

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        weight = weights.constant(
            "weight", [shape.channels, *shape.kernel, shape.depth], depth**-0.5
        )
        bias = weights.constant("bias", [shape.channels], 0.1)
        init = tensor.EmptyOp(shape.output_shape, ir.F32Type.get()).result
        result: ir.Value = tinyattn.conv(
            [init.type],
            x,
            weight,
            bias,
            [init],
            strides=shape.strides,
            padding=shape.padding,
            channels_first=shape.channels_first,
        )
        return result

    image = [shape.height, shape.width, shape.depth]
    if shape.channels_first:
        image = [shape.depth, shape.height, shape.width]
    work = Work(macs=math.prod(shape.output_shape) * depth)
    return _layer("conv", {"input": image}, shape.output_shape, body, seed, work)


def softmax(rows: int, columns: int, seed: int) -> Layer:
    """Normalised `softmax` of each row."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        init = tensor.EmptyOp([rows, columns], ir.F32Type.get()).result
        result: ir.Value = tinyattn.softmax([init.type], x, [init])
        return result

    return _elementwise("softmax", ["input"], [rows, columns], body, seed)


def layernorm(rows: int, columns: int, seed: int) -> Layer:
    """`layernorm` of each row."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        weight = weights.constant("weight", [columns], 1.0)
        bias = weights.constant("bias", [columns], 0.1)
        init = tensor.EmptyOp([rows, columns], ir.F32Type.get()).result
        result: ir.Value = tinyattn.layernorm([init.type], x, weight, bias, [init], epsilon=1e-5)
        return result

    return _elementwise("layernorm", ["input"], [rows, columns], body, seed)


def lookup(rows: int, columns: int, seed: int) -> Layer:
    """`lookup` of each element, for GELU; the table makes all functions the same."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        init = tensor.EmptyOp([rows, columns], ir.F32Type.get()).result
        result: ir.Value = tinyattn.lookup(
            [init.type], x, [init], function=tinyattn.UnaryFunction.Gelu
        )
        return result

    return _elementwise("lookup", ["input"], [rows, columns], body, seed)


def add(rows: int, columns: int, seed: int) -> Layer:
    """`add` of two inputs, as a residual connection has it."""

    def body(lhs: ir.Value, rhs: ir.Value, weights: _Weights) -> ir.Value:
        init = tensor.EmptyOp([rows, columns], ir.F32Type.get()).result
        result: ir.Value = tinyattn.add([init.type], lhs, rhs, [init])
        return result

    return _elementwise("add", ["lhs", "rhs"], [rows, columns], body, seed)


def _elementwise(name: str, inputs: list[str], shape: list[int], body: Any, seed: int) -> Layer:
    """A layer whose inputs and output have one shape."""
    work = Work(elements=math.prod(shape))
    return _layer(name, dict.fromkeys(inputs, shape), shape, body, seed, work)


def _layer(
    name: str,
    inputs: Mapping[str, list[int]],
    output_shape: list[int],
    body: Any,
    seed: int,
    work: Work,
    parts: Mapping[str, Work] | None = None,
) -> Layer:
    context = ir.Context()
    with context, ir.Location.name(name):
        module = ir.Module.create()
        f32 = ir.F32Type.get()
        sources = [ir.RankedTensorType.get(shape, f32) for shape in inputs.values()]
        result = ir.RankedTensorType.get(output_shape, f32)
        with ir.InsertionPoint(module.body):
            function = func.FuncOp(name, ir.FunctionType.get(sources, [result]))
            with ir.InsertionPoint(function.add_entry_block()):
                func.ReturnOp([body(*function.arguments, _Weights(seed))])
        module.operation.verify()
    random = np.random.default_rng(seed + 1)
    samples = {
        key: random.normal(size=(SAMPLES, *shape)).astype(np.float32)
        for key, shape in inputs.items()
    }
    return Layer(module, name, samples, work, parts or {name: work})
