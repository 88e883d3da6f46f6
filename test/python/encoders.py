# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random encoder transformers as float modules, for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tinyformer.compiler import Compilation
from tinyformer.mlir import ir
from tinyformer.mlir.dialects import arith, func, tensor, tinyattn
from tinyformer.options import CompileOptions
from tinyformer.targets import get_target


@dataclass(frozen=True)
class Encoder:
    """The shape of a network, as hypothesis draws it."""

    tokens: int
    width: int
    head_width: int
    heads: int
    hidden: int
    activation: str
    front: str  # none, conv1d, conv2d
    class_token: bool
    pool: str  # none (the first row, if there is a class token), mean, max
    softmax: bool
    seed: int
    fuse: str = "never"
    norm_first: bool = True


class _Builder:
    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.f32 = ir.F32Type.get()

    def type(self, *shape: int) -> ir.RankedTensorType:
        return ir.RankedTensorType.get(shape, self.f32)

    def constant(self, *shape: int, scale: float = 1.0, offset: float = 0.0) -> ir.Value:
        data = self.random.normal(offset, scale, shape).astype(np.float32)
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, "w", self.type(*shape))
        return arith.ConstantOp(self.type(*shape), attribute).result

    def empty(self, *shape: int) -> ir.Value:
        return tensor.EmptyOp(list(shape), self.f32).result

    def shape(self, value: ir.Value) -> list[int]:
        return list(ir.RankedTensorType(value.type).shape)

    def linear(self, x: ir.Value, channels: int) -> ir.Value:
        rows, depth = self.shape(x)
        init = self.empty(rows, channels)
        weight = self.constant(channels, depth, scale=depth**-0.5)
        return tinyattn.linear([init.type], x, weight, self.constant(channels, scale=0.1), [init])

    def layernorm(self, x: ir.Value) -> ir.Value:
        width = self.shape(x)[1]
        init = self.empty(*self.shape(x))
        gain = self.constant(width, scale=0.2, offset=1.0)
        bias = self.constant(width, scale=0.2)
        return tinyattn.layernorm([init.type], x, gain, bias, [init], epsilon=1e-5)

    def lookup(self, x: ir.Value, function: str) -> ir.Value:
        init = self.empty(*self.shape(x))
        attribute = ir.Attribute.parse(f"#tinyattn.function<{function}>")
        return tinyattn.lookup([init.type], x, [init], function=attribute)

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        init = self.empty(*self.shape(a))
        return tinyattn.add([init.type], a, b, [init])

    def mhsa(self, x: ir.Value, heads: int, head_width: int) -> ir.Value:
        width, inner = self.shape(x)[1], heads * head_width
        parts: dict[str, Any] = {}
        for name in ("query", "key", "value"):
            parts[f"{name}_weight"] = self.constant(inner, width, scale=width**-0.5)
            parts[f"{name}_bias"] = self.constant(inner, scale=0.1)
        parts["output_weight"] = self.constant(width, inner, scale=inner**-0.5)
        parts["output_bias"] = self.constant(width, scale=0.1)
        return tinyattn.mhsa(x.type, x, heads=heads, scale=head_width**-0.5, **parts)

    def conv(self, x: ir.Value, config: Encoder) -> ir.Value:
        """[C, H, W] to [tokens, width]."""
        depth, height, width = self.shape(x)
        kernel = (1, 3) if config.front == "conv1d" else (2, 2)
        padding = [0, 1, 0, 1] if config.front == "conv1d" else [0, 0, 0, 0]
        strides = [1, 1] if config.front == "conv1d" else [2, 2]
        rows = (height - kernel[0]) // strides[0] + 1
        columns = (width + padding[1] + padding[3] - kernel[1]) // strides[1] + 1
        init = self.empty(rows, columns, config.width)
        y = tinyattn.conv(
            [init.type],
            x,
            self.constant(config.width, *kernel, depth),
            self.constant(config.width),
            [init],
            strides=strides,
            padding=padding,
            channels_first=True,
        )
        collapsed = self.type(rows * columns, config.width)
        return tensor.CollapseShapeOp(collapsed, y, [[0, 1], [2]]).result

    def pool(self, x: ir.Value, kind: str) -> ir.Value:
        init = self.empty(1, self.shape(x)[1])
        attribute = ir.Attribute.parse(f"#tinyattn.pool_kind<{kind}>")
        return tinyattn.pool([init.type], x, [init], kind=attribute)

    def first_row(self, x: ir.Value) -> ir.Value:
        width = self.shape(x)[1]
        return tensor.extract_slice(self.type(1, width), x, [], [], [], [0, 0], [1, width], [1, 1])

    def block(self, x: ir.Value, config: Encoder) -> ir.Value:
        """Attention and a feed-forward network, normalised before or behind each."""
        before = self.layernorm if config.norm_first else (lambda x: x)
        behind = (lambda x: x) if config.norm_first else self.layernorm
        x = behind(self.add(x, self.mhsa(before(x), config.heads, config.head_width)))
        hidden = self.lookup(self.linear(before(x), config.hidden), config.activation)
        return behind(self.add(x, self.linear(hidden, config.width)))

    def network(self, x: ir.Value, config: Encoder) -> ir.Value:
        if config.front != "none":
            x = self.conv(x, config)
        if config.class_token:
            token = self.constant(1, config.width)
            rows = self.shape(x)[0] + 1
            x = tensor.ConcatOp(self.type(rows, config.width), 0, [token, x]).result
            x = self.add(x, self.constant(rows, config.width, scale=0.3))
        x = self.block(x, config)
        if config.pool != "none":
            x = self.pool(x, config.pool)
        elif config.class_token:
            x = self.first_row(x)
        x = self.linear(x, 5)
        if config.softmax:
            init = self.empty(*self.shape(x))
            x = tinyattn.softmax([init.type], x, [init])
        return x


def input_shape(config: Encoder) -> Sequence[int]:
    """[tokens, width], or an image whose patches are the tokens."""
    if config.front == "conv1d":
        return [2, 1, config.tokens]
    if config.front == "conv2d":
        return [3, 4, 2 * config.tokens + 1]
    return [config.tokens, config.width]


def build(config: Encoder) -> tuple[ir.Module, npt.NDArray[np.float32]]:
    """A float module and samples for it."""
    with ir.Context(), ir.Location.name("encoder"):
        builder = _Builder(config.seed)
        module = ir.Module.create()
        shape = input_shape(config)
        with ir.InsertionPoint(module.body):

            @func.FuncOp.from_py_func(builder.type(*shape))
            def encoder(x: ir.Value) -> ir.Value:
                return builder.network(x, config)

        module.operation.verify()
    samples = np.random.default_rng(config.seed).normal(size=(4, *shape)).astype(np.float32)
    return module, samples


def compile_for(config: Encoder, target: str) -> tuple[Compilation, npt.NDArray[np.float32]]:
    """A compilation for `target`, and samples."""
    module, samples = build(config)
    options = CompileOptions(fuse=config.fuse)
    compilation = Compilation(module, "encoder", {"x": samples}, ["y"], get_target(target), options)
    return compilation, samples
