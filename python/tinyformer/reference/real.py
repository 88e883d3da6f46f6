# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The real-valued meaning of the tinyattn ops, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.floating]


def erf(x: Reals) -> Reals:
    """Error function, from the standard library."""
    from math import erf as scalar_erf

    values: Reals = np.vectorize(scalar_erf, otypes=[np.float64])(x)
    return values


def gelu_tanh(x: Reals) -> Reals:
    """The approximation of GELU by tanh."""
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)))


def sigmoid(x: Reals) -> Reals:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def elu(x: Reals) -> Reals:
    """x, and exp(x) - 1 where that is negative."""
    return np.asarray(np.where(x > 0, x, np.expm1(np.minimum(x, 0))))


def selu(x: Reals) -> Reals:
    """ELU with the constants of Klambauer et al., arXiv 1706.02515."""
    slope, reach = 1.0507009873554805, 1.6732632423543772
    return np.asarray(slope * np.where(x > 0, x, reach * elu(x)))


def hard_sigmoid(x: Reals) -> Reals:
    """A line between 0 and 1, at -3 and 3."""
    return np.asarray(np.clip(x / 6 + 0.5, 0, 1))


def softplus(x: Reals) -> Reals:
    """log(1 + exp(x)), without overflow."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


FUNCTIONS: dict[str, Callable[[Reals], Reals]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: np.asarray(0.5 * x * (1 + erf(x / np.sqrt(2)))),
    "gelu_tanh": gelu_tanh,
    "tanh": lambda x: np.asarray(np.tanh(x)),
    "sigmoid": sigmoid,
    "silu": lambda x: np.asarray(x * sigmoid(x)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.maximum(x, 0.01 * x),
    "elu": elu,
    "selu": selu,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda x: np.asarray(x * hard_sigmoid(x)),
    "softplus": softplus,
    "mish": lambda x: np.asarray(x * np.tanh(softplus(x))),
}


def exponentials(x: Reals) -> tuple[Reals, Reals]:
    """exp(x - max) and its sum along the last dimension."""
    exps = np.exp(x - x.max(axis=-1, keepdims=True))
    return exps, exps.sum(axis=-1)


def softmax(x: Reals) -> Reals:
    """Along the last dimension."""
    exps, sums = exponentials(x)
    return np.asarray(exps / sums[..., None])


def layernorm(x: Reals, weight: Reals, bias: Reals, epsilon: float) -> Reals:
    """Rows of [M, K]."""
    deviation = x - x.mean(axis=1, keepdims=True)
    variance = (deviation**2).mean(axis=1, keepdims=True)
    return np.asarray(deviation / np.sqrt(variance + epsilon) * weight + bias)
