# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is no model of the integer dialect is refused, and says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tinyformer
from integer_models import IntegerModel, index
from onnx import helper
from tinyformer.mlir import ir
from tinyformer.onnx import UnsupportedModelError, load
from tinyformer.onnx.emit import Emitter
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.interpreter import Network


def refused(change: Callable[[IntegerModel], str], tmp_path: Path, **kind: Any) -> str:
    model = IntegerModel()
    path = model.file(tmp_path / "model.onnx", change(model), (1, 4, 8), (1, 4, 8), **kind)
    with pytest.raises(UnsupportedModelError) as error:
        load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


REFUSALS: list[tuple[Callable[[IntegerModel], str], str]] = [
    (lambda m: m.requant("x", 1, div=3), "divides by div = 3"),
    (lambda m: m.requant("x", 1, levels=512), "gives 512 levels"),
    (lambda m: m.requant("x", 1, levels=255), "gives 255 signed levels"),
    (lambda m: m.requant("x", 0.5), "no integers from -2147483648 to 2147483647: 0.5"),
    (
        lambda m: m.requant(m.node("MatMul", ["x", m.constant(np.full((8, 8), 200))]), 1),
        "no integers from -128 to 127: 200",
    ),
    (
        lambda m: m.node("Relu", [m.node("MatMul", ["x", m.weight(8, 8)])]),
        "a RequantShift node has to bring them to 8 bits first",
    ),
    (lambda m: m.special("iGELU", ["x"], b=-1), "has no attribute 'one'"),
    (
        lambda m: m.special("iGELU", ["x"], b=-1, one=1, totScaler=1),
        "the older iGELU, which requantises by itself",
    ),
    (
        lambda m: m.special(
            "iSoftmax", ["x"], n_levels=256, coeffA=1, coeffB=1 << 15, coeffC=1, log2=9
        ),
        "for rows of 8; they have to be positive",
    ),
    (
        lambda m: m.special("iSoftmax", ["x"], n_levels=256, coeffA=1, coeffB=1, coeffC=1, log2=0),
        "has log2 = 0",
    ),
    (
        lambda m: m.special(
            "iLayerNorm", ["x", m.constant([1, 2]), m.constant(0)], D=2, n_levels=256
        ),
        "has 2 numbers in the weight; give 8, or 1",
    ),
    (
        lambda m: m.requant(
            m.node("MatMul", ["x", m.node("Transpose", [m.requant("x", 1, signed=False)])]), 1
        ),
        "which is unsigned",
    ),
    (
        lambda m: m.requant(m.node("MatMul", ["x", m.weight(8, 8)]), 1 << 30, div=1),
        "has a factor of 2147483648 behind the smallest shift, 1: more than 32 bits",
    ),
    (
        lambda m: m.requant(m.node("Add", ["x", "x"]), -(1 << 30) - 128, div=1),
        "has a factor of -2147483904 behind",
    ),
    (
        lambda m: m.requant(m.node("MatMul", ["x", m.weight(8, 8)]), 3, -(1 << 31), div=1),
        "has an addend of -4294967296 behind",
    ),
    (lambda m: m.node("Clip", ["x", m.constant(200), m.constant(300)]), "gives values from 200"),
    (
        lambda m: m.node("Clip", ["x", m.constant(-400), m.constant(-300)]),
        "gives values from -300 to -300, but its result has bytes from -128 to 127",
    ),
    (
        lambda m: m.node("Add", [m.node("MatMul", ["x", m.weight(8, 8)]), m.constant(2147483520)]),
        "with a bias up to 2147483520; sums have 32 bits",
    ),
    (lambda m: m.special("iGELU", ["x"], b=-(1 << 31), one=9), "has b = -2147483648 and one = 9"),
    (
        lambda m: m.special("iGELU", ["x"], b=-(1 << 14), one=-(1 << 30)),
        "has b = -16384 and one = -1073741824; its results have 32 bits",
    ),
    (
        lambda m: m.special(
            "iSoftmax", ["x"], n_levels=256, coeffA=4, coeffB=1 << 31 - 1, coeffC=1, log2=9
        ),
        "has the coefficients 4, 1073741824 and 1; exponentials have 32 bits",
    ),
    (
        lambda m: m.node("MatMul", ["x", m.node("Reshape", ["x", index(m, [32])])]),
        "multiplies by a vector computed from the input",
    ),
    (
        lambda m: m.requant(
            m.node(
                "Conv",
                ["x", m.weight(4, 4, 3), m.node("Reshape", [m.linear("x", 8, 1), index(m, [4])])],
            ),
            1,
        ),
        "has a bias computed from the input; add it in a node",
    ),
    (lambda m: m.node("Sigmoid", ["x"]), "in a model with RequantShift nodes there may be"),
    (
        lambda m: m.node("Concat", ["x", m.requant("x", 1, signed=False)], axis=1),
        "node 'Concat_v2': joins unsigned values and those of 'x', which are signed; give the",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals(change: Callable[[IntegerModel], str], message: str, tmp_path: Path) -> None:
    def build(model: IntegerModel) -> str:
        model.requant("x", 1)  # so that it is a model of this dialect
        output = change(model)
        if model.nodes[-1].op_type == "MatMul":
            return output
        for node in model.nodes:
            if node.op_type == "Transpose":
                node.attribute.append(helper.make_attribute("perm", [0, 2, 1]))
        return output

    assert message in refused(build, tmp_path)


# Operators with attributes, and how many operands they take.
OPERATORS: dict[str, tuple[dict[str, int], int]] = {
    "ITAMax": ({"n_levels": 256}, 1),
    "RequantShift": ({"div": 2, "signed": 1, "n_levels": 256}, 3),
    "iGELU": ({"b": -3, "one": 9}, 1),
    "iLayerNorm": ({"D": 2, "n_levels": 256}, 3),
    "iSoftmax": ({"n_levels": 256, "coeffA": 1, "coeffB": 9, "coeffC": 9, "log2": 21}, 1),
}


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("more", [-1, 1])
def test_operators_count_their_operands(op: str, more: int, tmp_path: Path) -> None:
    attributes, count = OPERATORS[op]

    def build(model: IntegerModel) -> str:
        constants = [model.constant(1) for _ in range(count + more - 1)]
        given = ["x", *constants] if count + more else []
        return model.special(op, given, **attributes)

    assert f"has {count + more} operand(s) where {count} belong: " in refused(build, tmp_path)


def test_absent_operand_is_refused(tmp_path: Path) -> None:
    def build(model: IntegerModel) -> str:
        return model.special(
            "RequantShift", ["x", "", model.constant(0)], **OPERATORS["RequantShift"][0]
        )

    message = refused(build, tmp_path)
    assert "has 2 operand(s) where 3 belong: values, factors, addends" in message


def test_mean_counts_its_operands(tmp_path: Path) -> None:
    def build(model: IntegerModel) -> str:
        return model.special("IntegerMean", ["x", model.constant(1), model.constant(1)])

    assert "has 3 operand(s) where 2 belong: values, axes" in refused(build, tmp_path)


@pytest.mark.parametrize("op", ["ITAMax", "IntegerMean", "iGELU", "iLayerNorm", "iSoftmax"])
def test_operators_of_constants_are_refused(op: str, tmp_path: Path) -> None:
    attributes, count = OPERATORS.get(op, ({}, 1))

    def build(model: IntegerModel) -> str:
        model.requant("x", 1)
        operands = [model.constant(np.ones((4, 8))), *[model.constant(1)] * (count - 1)]
        return model.special(op, operands, **attributes)

    message = refused(build, tmp_path)
    assert f"node '{op}_v1' ({op} of 'c2' 4x8" in message
    assert "is applied to a constant; store its result in the model" in message


def test_rows_have_a_dimension(tmp_path: Path) -> None:
    model = IntegerModel()
    number = model.node("Gather", ["x", index(model, 0)], axis=0)
    y = model.special("ITAMax", [number], n_levels=256)
    path = model.file(tmp_path / "model.onnx", y, (4,), ())
    with pytest.raises(UnsupportedModelError, match="is applied to 0 dimensions"):
        load(path)


@pytest.mark.parametrize("number", [-129, 128])
def test_integers_never_wrap_around(number: int) -> None:
    network = Network(Path("model.onnx"), (), (), {}, integer=True)
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            emitter = Emitter(network)
            emitter.integers(np.array([-128, 127]), "fc.weight")
            with pytest.raises(UnsupportedNodeError, match=rf"from {number} to .* in 'fc.weight'"):
                emitter.integers(np.array([number]), "fc.weight")


def test_checker_still_refuses_what_is_wrong(tmp_path: Path) -> None:
    model = IntegerModel()
    path = model.file(tmp_path / "model.onnx", model.requant("y", 1), (1, 4), (1, 4))
    with pytest.raises(tinyformer.errors.TinyFormerError, match="is not a valid ONNX model"):
        load(path)
    assert onnx.load(path).graph.node[0].op_type == "RequantShift"
