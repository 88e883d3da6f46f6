# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions by their samples, and names."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tinyformer.onnx.functions import GRID, KNOWN, Function, affine, is_exact, recognise
from tinyformer.onnx.names import module_path, network_name, parameter_path


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(("factor", "gain"), [(1.0, 1.0), (1.702, 1 / 1.702), (-0.3, 2.0)])
def test_known_functions_are_recognised(name: str, factor: float, gain: float) -> None:
    function = Function(gain * KNOWN[name](factor * GRID))
    match = recognise(function)
    assert match is not None
    assert is_exact(match, function)
    values = match.gain * KNOWN[match.function](match.factor * GRID)
    np.testing.assert_allclose(values, function.samples, rtol=0, atol=1e-4)
    # c·relu(x) = relu(c·x), and of the same kind are two more; tanh(-x) = -tanh(x).
    if name not in ("relu", "relu6", "leaky_relu", "tanh"):
        assert match.function == name
        assert match.factor == pytest.approx(factor, rel=1e-4)


def test_both_gelus_are_told_apart() -> None:
    names = [recognise(Function(KNOWN[name](GRID))) for name in ("gelu", "gelu_tanh")]
    assert [match and match.function for match in names] == ["gelu", "gelu_tanh"]


def test_rounded_constants_are_forgiven() -> None:
    inner = np.float32(0.7978845) * (GRID + np.float32(0.044715) * GRID**3)
    function = Function(0.5 * GRID * (1 + np.tanh(inner)))
    match = recognise(function)
    assert match is not None
    assert (match.function, match.factor, match.gain) == ("gelu_tanh", 1.0, 1.0)


@pytest.mark.parametrize(
    "samples",
    [
        np.maximum(GRID, 0.2 * GRID),
        np.clip(GRID, -1, 6),
        GRID / (1 + np.abs(GRID)),
        np.where(GRID > 0, GRID, 0.5 * np.expm1(GRID)),
        GRID**2,
    ],
    ids=["leaky_relu_of_slope_0.2", "hard_tanh", "softsign", "elu_of_half", "square"],
)
def test_other_functions_are_not_exact(samples: np.ndarray) -> None:
    match = recognise(Function(samples))
    assert match is not None
    assert not is_exact(match, Function(samples))


def test_undefined_functions_match_nothing() -> None:
    with np.errstate(invalid="ignore"):
        assert recognise(Function(np.sqrt(GRID))) is None


def test_affine_functions_are_exact() -> None:
    assert affine(0.5, -3.0).affine == (0.5, -3.0)
    assert affine(1.0).is_identity
    assert Function(np.tanh(GRID)).affine is None
    assert Function(GRID + 1e-6 * GRID**2).affine is None
    assert Function(np.full_like(GRID, math.inf)).affine is None


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("digits", "digits"),
        ("My-ViT.v2", "my_vit_v2"),
        ("8bit", "model_8bit"),
        ("int", "model_int"),
        ("m", "model_m"),  # libm.a
        ("C", "model_c"),
        ("pthread", "model_pthread"),
        ("main", "model_main"),  # main.h
        ("string", "model_string"),
        ("tf-pmsis", "model_tf_pmsis"),  # which comes with the library
        ("m4", "m4"),
        ("été", "t"),
        ("-", "model"),
        ("_private_", "private"),
    ],
)
def test_networks_are_called_by_c_identifiers(stem: str, name: str) -> None:
    assert network_name(Path("somewhere") / f"{stem}.onnx") == name


def test_paths_of_modules() -> None:
    assert module_path("/blocks/blocks.0/attention/query/MatMul") == (
        "blocks.0.attention.query.MatMul"
    )
    assert parameter_path("/blocks/blocks.0/norm1/LayerNormalization") == "blocks.0.norm1"
    assert parameter_path("/MatMul") == "MatMul"
    assert parameter_path("node_linear_3") == "node_linear_3"
