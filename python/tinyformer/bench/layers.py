# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float modules of one layer with random weights, and inputs for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.mlir import ir
from tinyformer.mlir.dialects import arith, func, tensor, tinyattn

SAMPLES = 8


@dataclass(frozen=True)
class Layer:
    """A float module `module` of one input and one output, with calibration samples.

    `macs` counts the multiply-accumulates of the unfused layer.
    """

    module: ir.Module
    name: str
    samples: npt.NDArray[np.float32]
    macs: int


class _Weights:
    """Random constants of a layer, reproducible by the seed."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def constant(self, name: str, shape: Sequence[int], scale: float) -> ir.Value:
        data = self.random.normal(0, scale, tuple(shape)).astype(np.float32)
        type_ = ir.RankedTensorType.get(shape, ir.F32Type.get())
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, name, type_)
        return arith.ConstantOp(type_, attribute).result


def attention(tokens: int, width: int, head_width: int, heads: int, seed: int) -> Layer:
    """`mhsa` of `tokens` x `width`; `heads` heads of `head_width`."""
    inner = heads * head_width

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
        return result

    macs = 4 * tokens * width * inner + 2 * tokens * tokens * inner
    return _layer("attention", [tokens, width], [tokens, width], body, seed, macs)


def linear(rows: int, channels: int, depth: int, seed: int) -> Layer:
    """`linear` of [rows, depth] to [rows, channels]."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        weight = weights.constant("weight", [channels, depth], depth**-0.5)
        bias = weights.constant("bias", [channels], 0.1)
        init = tensor.EmptyOp([rows, channels], ir.F32Type.get()).result
        result: ir.Value = tinyattn.linear([init.type], x, weight, bias, [init])
        return result

    return _layer("linear", [rows, depth], [rows, channels], body, seed, rows * channels * depth)


def softmax(rows: int, columns: int, seed: int) -> Layer:
    """Normalised `softmax` of each row."""

    def body(x: ir.Value, weights: _Weights) -> ir.Value:
        init = tensor.EmptyOp([rows, columns], ir.F32Type.get()).result
        result: ir.Value = tinyattn.softmax([init.type], x, [init])
        return result

    return _layer("softmax", [rows, columns], [rows, columns], body, seed, 0)


def _layer(
    name: str, input_shape: list[int], output_shape: list[int], body: Any, seed: int, macs: int
) -> Layer:
    context = ir.Context()
    with context, ir.Location.name(name):
        module = ir.Module.create()
        f32 = ir.F32Type.get()
        source = ir.RankedTensorType.get(input_shape, f32)
        result = ir.RankedTensorType.get(output_shape, f32)
        with ir.InsertionPoint(module.body):
            function = func.FuncOp(name, ir.FunctionType.get([source], [result]))
            with ir.InsertionPoint(function.add_entry_block()):
                func.ReturnOp([body(function.arguments[0], _Weights(seed))])
        module.operation.verify()
    samples = np.random.default_rng(seed + 1).normal(size=(SAMPLES, *input_shape))
    return Layer(module, name, samples.astype(np.float32), macs)
