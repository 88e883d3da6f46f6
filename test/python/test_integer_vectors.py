# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs and outputs of the integer dialect's operators, by hand, on every target.

Nothing here computes: the numbers were worked out on paper from the published formulas, which stand
above each vector with the steps that are not obvious. ⌊·⌋ rounds towards minus infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tinyformer
from integer_models import IntegerModel
from onnx import helper

TARGETS = ["host", "stm32l4", "stm32h7", "gap9"]


@dataclass(frozen=True)
class Vector:
    """A model of the input `x`, and what it gives for one."""

    build: Callable[[IntegerModel], str]
    given: Any
    wanted: Any
    kind: str = "int8"


def requant(mul: Any, add: Any, div: int, **options: Any) -> Callable[[IntegerModel], str]:
    return lambda model: model.requant("x", mul, add, div=div, **options)


def special(op: str, **attributes: int) -> Callable[[IntegerModel], str]:
    return lambda model: model.special(op, ["x"], **attributes)


def layernorm(
    weight: list[int], bias: list[int], shift: int, levels: int = 256
) -> Callable[[IntegerModel], str]:
    def build(model: IntegerModel) -> str:
        operands = ["x", model.constant(weight), model.constant(bias)]
        return model.special("iLayerNorm", operands, D=1 << shift, n_levels=levels)

    return build


def gelu(mul: int, **options: Any) -> Callable[[IntegerModel], str]:
    return lambda model: model.requant(
        model.special("iGELU", ["x"], b=-4, one=2), mul, div=4, **options
    )


def mean(model: IntegerModel) -> str:
    result = model.special("IntegerMean", ["x"])
    axes = [helper.make_attribute("axes", [0]), helper.make_attribute("keepdims", 1)]
    model.nodes[-1].attribute.extend(axes)
    return result


def linear(model: IntegerModel) -> str:
    product = model.node("MatMul", ["x", model.constant([[3, -4], [5, 6]])])
    return model.node("Add", [product, model.constant([10, 20])])


def conv(model: IntegerModel) -> str:
    operands = ["x", model.constant([[[1, -2, 1]]]), model.constant([5])]
    return model.requant(model.node("Conv", operands, pads=[1, 1]), 1, div=2)


def plus(mul: int) -> Callable[[IntegerModel], str]:
    return lambda model: model.requant(
        model.node("Add", ["x", model.constant([[1, -2, 3, -128]])]), mul, -1, div=8
    )


def with_itself(model: IntegerModel) -> str:
    half = model.requant("x", 1, 0, div=2, signed=False)
    return model.requant(model.node("Add", ["x", half]), 1, 0, div=2)


def scores(model: IntegerModel) -> str:
    keys = model.node("Transpose", ["x"], perm=[0, 2, 1])
    return model.requant(model.node("MatMul", ["x", keys]), 1, div=128)


def context(model: IntegerModel) -> str:
    weights = model.special("ITAMax", ["x"], n_levels=256)
    return model.requant(model.node("MatMul", [weights, "x"]), 1, div=256)


def head_by_head(model: IntegerModel) -> str:
    weights = model.special("ITAMax", ["x"], n_levels=256)
    parts = []
    for value in (weights, "x"):
        parts.append([f"{value}_0", f"{value}_1"])
        model.nodes.append(helper.make_node("Split", [value], parts[-1], name=value, axis=0))
    contexts = [
        model.requant(model.node("MatMul", list(pair)), 1, div=256)
        for pair in zip(*parts, strict=True)
    ]
    return model.node("Concat", contexts, axis=0)


def clipped(model: IntegerModel) -> str:
    bounds = [model.constant(-5), model.constant(100)]
    return model.requant(model.node("Clip", ["x", *bounds]), 1, 0, div=1)


def positive(model: IntegerModel) -> str:
    return model.requant(model.node("Relu", ["x"]), 2, -100, div=1)


ISOFTMAX = {"coeffA": 1, "coeffB": 41, "coeffC": 871, "log2": 21}
WEIGHT, BIAS = [100, -100, 75, 64], [0, 5, -3, 1]
ATTENTION = [[10, -6], [-128, 127]]

VECTORS: dict[str, Vector] = {
    # RequantShift: clip(⌊(x·mul + add + div/2) / div⌋).
    # 3x + 4: -380 -5 -2 1 4 7 10 385, by 4.
    "requant rounds down": Vector(
        requant(3, 2, 4), [[-128, -3, -2, -1, 0, 1, 2, 127]], [[-95, -2, -1, 0, 1, 1, 2, 96]]
    ),
    # Halves go up, those of negative numbers, too.
    "requant of ties": Vector(
        requant(1, 0, 2), [[-5, -3, -1, 1, 3, 5, -4, 4]], [[-2, -1, 0, 1, 2, 3, -2, 2]]
    ),
    # 100x + 8: -2092 -1992 2008 2108, by 16: -131 -125 125 131.
    "requant saturates": Vector(
        requant(100, 0, 16), [[-128, -21, -20, 20, 21, 127]], [[-128, -128, -125, 125, 127, 127]]
    ),
    # -2x + 14: 270 214 14 6 4 0 -186, by 8.
    "requant is unsigned": Vector(
        requant(-2, 10, 8, signed=False),
        [[-128, -100, 0, 4, 5, 7, 100]],
        [[33, 26, 1, 0, 0, 0, 0]],
    ),
    # 64x + 8: -56 4040 4104, by 16: -4 252 256.
    "requant saturates unsigned": Vector(
        requant(64, 0, 16, signed=False), [[-1, 0, 63, 64, 127]], [[0, 0, 252, 255, 255]]
    ),
    # 16 levels are -8 to 7. x + 2: -33 -32 -29 -28 27 28 30 129, by 4.
    "requant to few levels": Vector(
        requant(1, 0, 4, levels=16),
        [[-35, -34, -31, -30, 25, 26, 28, 127]],
        [[-8, -8, -8, -7, 6, 7, 7, 7]],
    ),
    # 10 levels are 0 to 9. x + 7: -121 0 7 8 16 71 72 134, by 8.
    "requant to few unsigned levels": Vector(
        requant(1, 3, 8, signed=False, levels=10),
        [[-128, -7, 0, 1, 9, 64, 65, 127]],
        [[0, 0, 0, 1, 2, 8, 9, 9]],
    ),
    # x - 255, by 2.
    "requant of unsigned values": Vector(
        requant(1, -256, 2), [[0, 128, 200, 255]], [[-128, -64, -28, 0]], "uint8"
    ),
    # 5x + 8: 13 -632; -7x + 1040: 1054 151; a factor of 0 leaves -34; by 32.
    "requant by channels": Vector(
        requant([5, -7, 0], [-8, 1024, -50], 32),
        [[1, -2, 3], [-128, 127, -128]],
        [[0, 32, -2], [-20, 4, -2]],
    ),
    # X·W: -7 -16, -259 -1276; with the bias 3 4, -249 -1256.
    "sums of a linear layer": Vector(linear, [[1, -2], [127, -128]], [[3, 4], [-249, -1256]]),
    # Of these, 5s + 13: 28 -1232 and -7s + 1040: 1012 9832, by 32.
    "linear layer": Vector(
        lambda model: model.requant(linear(model), [5, -7], [-3, 1024], div=32),
        [[1, -2], [127, -128]],
        [[0, 31], [-39, 127]],
    ),
    # With zeros around: 100 0 -45 -310, with the bias 105 5 -40 -305; one more, by 2.
    "convolution": Vector(conv, [[[0, 100, 200, 255]]], [[[53, 3, -20, -128]]], "uint8"),
    # Sums 128 -130 3 -256; 3s + 3: 387 -387 12 -765, by 8.
    "addition": Vector(plus(3), [[127, -128, 0, -128]], [[48, -49, 1, -96]]),
    # 8s + 3: 1027 -1037 27 -2045, by 8.
    "addition saturates": Vector(plus(8), [[127, -128, 0, -128]], [[127, -128, 3, -128]]),
    # ⌊(x + 1) / 2⌋ from 0 on: 0 0 0 1 2 64; sums -128 -1 0 2 5 191; one more, by 2.
    "addition of both kinds": Vector(
        with_itself, [[-128, -1, 0, 1, 3, 127]], [[-64, 0, 0, 1, 3, 96]]
    ),
    "clip": Vector(clipped, [[-128, -6, -5, 0, 100, 101]], [[-5, -5, -5, 0, 100, 100]]),
    # 2·max(x, 0) - 100, by 1.
    "relu": Vector(positive, [[-128, -1, 0, 1, 100, 127]], [[-100, -100, -100, -98, 100, 127]]),
    # iSoftmax: e = ⌊((p + 41)² + 871) / 2^z⌋ with δ = max - x, z = ⌊δ/21⌋, p = 21z - δ; ⌊e·255/Σe⌋.
    # First row: δ = 0 0 21 22; e = 2552 2552 1276 1235, Σ = 7615.
    # Second row: δ = 0 255 21 142, z = 0 12 1 6, p = 0 -3 0 -16; e = 2552 0 1276 23, Σ = 3851.
    "iSoftmax": Vector(
        special("iSoftmax", n_levels=256, **ISOFTMAX),
        [[5, 5, -16, -17], [127, -128, 106, -15]],
        [[85, 85, 42, 41], [168, 0, 84, 1]],
    ),
    "iSoftmax of unsigned values": Vector(
        special("iSoftmax", n_levels=256, **ISOFTMAX),
        [[133, 133, 112, 111], [255, 0, 234, 113]],
        [[85, 85, 42, 41], [168, 0, 84, 1]],
        "uint8",
    ),
    # ⌊e·15/Σe⌋.
    "iSoftmax to few levels": Vector(
        special("iSoftmax", n_levels=16, **ISOFTMAX),
        [[5, 5, -16, -17], [127, -128, 106, -15]],
        [[5, 5, 2, 2], [9, 0, 4, 0]],
    ),
    # ITAMax: s = ⌊(δ + 16) / 32⌋; ⌊255·256 / Σ⌊256 / 2^s⌋⌋, by 2^s.
    # First row: δ = 0 15 16 47 48 128; s = 0 0 1 1 2 4; Σ = 848; 76.
    # Second row: δ = 0, then 255; s = 0, then 8; Σ = 261; 250. Third row: Σ = 1536; 42.
    "ITAMax": Vector(
        special("ITAMax", n_levels=256),
        [[10, -5, -6, -37, -38, -118], [127, *[-128] * 5], [-3] * 6],
        [[76, 76, 38, 38, 19, 4], [250, 0, 0, 0, 0, 0], [42] * 6],
    ),
    # ⌊15·256 / Σ⌋: 4, 14, 2.
    "ITAMax to few levels": Vector(
        special("ITAMax", n_levels=16),
        [[10, -5, -6, -37, -38, -118], [127, *[-128] * 5], [-3] * 6],
        [[4, 4, 2, 2, 1, 0], [14, 0, 0, 0, 0, 0], [2] * 6],
    ),
    # iLayerNorm: ν = x - trunc(mean), D = ⌊√(⌊mean(ν²)⌋ + 1)⌋, ⌊(trunc(ν·w/D) + b) / 8⌋.
    # First row: mean 1.25; ν = 2 -2 -8 9; mean(ν²) = 38.25, D = 6; 33 33 -100 96; 33 38 -103 97.
    # Second row: mean -1.25 becomes -1; ν = -2 2 8 -9, D = 6; -33 -33 100 -96; -33 -28 97 -95.
    # Third row: ν = 0; the bias alone. Fourth row: mean -.5 becomes 0; mean(ν²) = 16256.5, D = 127;
    # 12700/127 12800/127 -9600/127 8128/127 are 100 100 -75 64; 100 105 -78 65.
    "iLayerNorm": Vector(
        layernorm(WEIGHT, BIAS, 3),
        [[3, -1, -7, 10], [-3, 1, 7, -10], [7, 7, 7, 7], [127, -128, -128, 127]],
        [[4, 4, -13, 12], [-5, -4, 12, -12], [0, 0, -1, 0], [12, 13, -10, 8]],
    ),
    "iLayerNorm of unsigned values": Vector(
        layernorm(WEIGHT, BIAS, 3), [[203, 199, 193, 210]], [[4, 4, -13, 12]], "uint8"
    ),
    "iLayerNorm to few levels": Vector(
        layernorm(WEIGHT, BIAS, 3, levels=16), [[3, -1, -7, 10]], [[4, 4, -8, 7]]
    ),
    # ν·2000/D = 666 -666 -2666 3000, by 4.
    "iLayerNorm saturates": Vector(
        layernorm([2000] * 4, [0] * 4, 2), [[3, -1, -7, 10]], [[127, -128, -128, 127]]
    ),
    # iGELU: x·⌊(2 + L)/2⌋, L = sign(x)·(2 - (min(|x|, 4) - 4)²); x = 1: L = -7, ⌊-2.5⌋ = -3.
    # 0 -3 -4 0 -4 3 0 8 0 254 0; two more, by 4.
    "iGELU": Vector(
        gelu(1),
        [[0, 1, -1, 2, -2, 3, -3, 4, -4, 127, -128]],
        [[0, -1, -1, 0, -1, 1, 0, 2, 0, 64, 0]],
    ),
    "iGELU saturates": Vector(
        gelu(4),
        [[0, 1, -1, 2, -2, 3, -3, 4, -4, 127, -128]],
        [[0, -3, -4, 0, -4, 3, 0, 8, 0, 127, 0]],
    ),
    "iGELU to unsigned values": Vector(
        gelu(5, signed=False),
        [[0, 1, -1, 2, -2, 3, -3, 4, -4, 127, -128]],
        [[0, 0, 0, 0, 0, 4, 0, 10, 0, 255, 0]],
    ),
    # IntegerMean: ⌊mean + 1/2⌋; sums 10 -10 507 -511 21 -21, by 4.
    "IntegerMean": Vector(
        mean,
        [
            [1, -1, 127, -128, 5, -5],
            [2, -2, 127, -128, 5, -5],
            [3, -3, 127, -128, 5, -5],
            [4, -4, 126, -127, 6, -6],
        ],
        [[3, -2, 127, -128, 5, -5]],
    ),
    # Sums 0 1 2 3 763 764 765, by 3.
    "IntegerMean of unsigned values": Vector(
        mean,
        [[0, 0, 0, 1, 255, 255, 255], [0, 0, 1, 1, 254, 255, 255], [0, 1, 1, 1, 254, 254, 255]],
        [[0, 0, 1, 1, 254, 255, 255]],
        "uint8",
    ),
    # X·Xᵀ: 136 -2042, -2042 32513; 64 more, by 128: 1 -16 254.
    "scores": Vector(scores, [ATTENTION], [[[1, -16], [-16, 127]]]),
    # ITAMax: δ = 0 16 and 255 0; 170 85 and 0 254. Sums -9180 9775, -32512 32258; 128 more, by 256.
    "context": Vector(context, [ATTENTION], [[[-36, 38], [-127, 126]]]),
    # The second head has the tokens in the other order.
    "context head by head": Vector(
        head_by_head,
        [ATTENTION, [[127, -128], [-6, 10]]],
        [[[-36, 38], [-127, 126]], [[126, -127], [38, -36]]],
    ),
}


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("target", TARGETS)
def test_vector(target: str, name: str, tmp_path: Path) -> None:
    vector = VECTORS[name]
    given, wanted = np.array(vector.given), np.array(vector.wanted)
    model = IntegerModel()
    output = vector.build(model)
    if all(node.domain != model.domain for node in model.nodes):
        model.requant("x", 1)  # beside it, so that the model is one of this dialect
    path = model.file(tmp_path / "vector.onnx", output, given.shape, wanted.shape, vector.kind)
    network = tinyformer.compile(path, target=target)
    np.testing.assert_array_equal(network.reference(given), wanted)
    np.testing.assert_array_equal(network(given), wanted)
