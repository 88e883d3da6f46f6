# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ranges that follow from those of their neighbours.

A quantised model may leave layers in floats between its (de)quantisations. What such a layer can
reach follows from what it reads: exactly for a function of one variable, by a bound for sums and
normalisations. A bound on a product of many terms would be far from what occurs, so that linear
layers and attention have none: their ranges come from the model or from calibration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinyformer.onnx.functions import KNOWN
from tinyformer.onnx.layers import (
    Add,
    Concat,
    Layer,
    LayerNorm,
    Lookup,
    Parameter,
    Pool,
    Reshape,
    Slice,
    Softmax,
    in_order,
)
from tinyformer.onnx.ranges import Range

Inputs = Sequence[Range]
SOFTMAX: Range = (0.0, 255 / 256)


def with_implied(outputs: Sequence[Layer], known: Mapping[Layer, Range]) -> Mapping[Layer, Range]:
    """The ranges of a quantised model and those that follow; a model of floats has none."""
    if not known:
        return known
    ranges = dict(known)
    for layer in in_order(outputs):
        rule = _RULES.get(type(layer))
        if layer in ranges or rule is None:
            continue
        inputs = [ranges[item] for item in layer.inputs if item in ranges]
        if len(inputs) == len(layer.inputs):
            ranges[layer] = rule(layer, inputs)
    return ranges


def _lookup(layer: Lookup, inputs: Inputs) -> Range:
    """The extremes over the 256 values that an int8 input has."""
    low, high = (min(inputs[0][0], 0.0), max(inputs[0][1], 0.0))
    values = layer.factor * np.linspace(low, high, 256)
    results = values if layer.function == "identity" else KNOWN[layer.function](values)
    return float(results.min()), float(results.max())


def _layernorm(layer: LayerNorm, inputs: Inputs) -> Range:
    """No element of a row of K lies farther from its mean than √(K-1) deviations (Samuelson)."""
    del inputs
    reach = np.abs(layer.weight.astype(np.float64)) * (layer.shape[-1] - 1) ** 0.5
    return float((layer.bias - reach).min()), float((layer.bias + reach).max())


def _add(layer: Add, inputs: Inputs) -> Range:
    del layer
    (first_low, first_high), (second_low, second_high) = inputs
    return first_low + second_low, first_high + second_high


def _joined(layer: Layer, inputs: Inputs) -> Range:
    """Of layers that only choose among the elements of their inputs, or take means of them."""
    del layer
    return min(low for low, _ in inputs), max(high for _, high in inputs)


def _parameter(layer: Parameter, inputs: Inputs) -> Range:
    del inputs
    return float(layer.array.min()), float(layer.array.max())


def _softmax(layer: Softmax, inputs: Inputs) -> Range:
    del layer, inputs
    return SOFTMAX


_RULES: Mapping[type[Layer], Callable[[Any, Inputs], Range]] = {
    Add: _add,
    Concat: _joined,
    LayerNorm: _layernorm,
    Lookup: _lookup,
    Parameter: _parameter,
    Pool: _joined,
    Reshape: _joined,
    Slice: _joined,
    Softmax: _softmax,
}
