# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: the ranges of all activations, from sample inputs.

The float module runs on every sample in the reference interpreter; the ranges are written
on its ops and arguments as the attributes that `tinyattn-quantize` reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.errors import CalibrationError
from tinyformer.mlir import ir
from tinyformer.progress import Progress, no_progress
from tinyformer.reference import Interpreter
from tinyformer.samples import check_finite, check_ids

Array = npt.NDArray[Any]

# Beyond this many values of one tensor, percentiles come from a random choice of them.
MAX_VALUES = 1 << 20
# 255 * exp(-x) rounds to 0 beyond ln 510 = 6.24: a score that far below its row's maximum has no
# weight, however far it is. The rest is a margin for rows whose maximum is lower than that of any
# row seen here, which saturate nearer to it.
SCORE_REACH = 8.0
# A sum in float64 is the same to 50 bits on every processor, so that what is left of a range is the
# same to the last of these. A scale needs 10.
RANGE_BITS = 16


@dataclass
class _Values:
    """Values of one tensor, or one head of it, over all samples: at most `share` of each."""

    share: int
    random: np.random.Generator
    parts: list[Array] = field(default_factory=list)
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: Array) -> None:
        flat = values.ravel()
        self.low = min(self.low, float(flat.min()))
        self.high = max(self.high, float(flat.max()))
        # Not every n-th value: a stride that shares a factor with the width misses channels.
        if flat.size > self.share:
            flat = self.random.choice(flat, self.share, replace=False)
        self.parts.append(flat.astype(np.float32))

    def range(self, percentile: float) -> tuple[float, float]:
        """[low, high] of the central part; 100 is the minimum and maximum."""
        if percentile >= 100:
            return self.low, self.high
        values = np.concatenate(self.parts)
        low, high = np.percentile(values, [100 - percentile, percentile])
        return float(low), float(high)


def calibrate(
    module: ir.Module,
    samples: Mapping[str, Array],
    *,
    percentile: float = DEFAULT_PERCENTILE,
    progress: Progress = no_progress,
) -> None:
    """Annotate the float `module` with ranges, where it has none yet.

    `samples` holds an array for each input, in the order of the arguments, whose first axis
    counts the samples.
    `percentile` in (50, 100]: the share of values that a range covers on either side; 100
    is min-max. Raises CalibrationError.
    """
    count = _check_counts(samples)
    recorder = _Recorder(count)
    interpreter = Interpreter(module, recorder.observe)
    check_samples(samples, interpreter.function)
    for index in range(count):
        interpreter.run([array[index].astype(np.float32) for array in samples.values()])
        progress(index + 1, count)
    with module.context, ir.Location.unknown():
        recorder.annotate(interpreter.function, percentile)


def _check_counts(samples: Mapping[str, Array]) -> int:
    counts = {name: len(array) if array.ndim else 0 for name, array in samples.items()}
    if min(counts.values()) == 0 or len(set(counts.values())) != 1:
        listed = ", ".join(f"{name}: {number}" for name, number in counts.items())
        raise CalibrationError(
            f"every input needs the same number of samples, at least one; got {listed}"
        )
    return next(iter(counts.values()))


def check_samples(samples: Mapping[str, Array], function: ir.Operation) -> None:
    """Shapes and values of the samples against the arguments of `function`."""
    arguments = function.regions[0].blocks[0].arguments
    for (name, array), argument in zip(samples.items(), arguments, strict=True):
        expected = tuple(ir.RankedTensorType(argument.type).shape)
        if array.shape[1:] != expected:
            raise CalibrationError(
                f"samples of input '{name}' have shape {array.shape[1:]}, the model expects "
                f"{expected} (the array is {array.shape}: its first axis counts samples)"
            )
        is_ids = str(ir.RankedTensorType(argument.type).element_type) == "i32"
        check = check_ids if is_ids else check_finite
        check(array, f"input '{name}' holds")


class _Recorder:
    """Observes a run and keeps values by op and name."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.operations: dict[int, ir.Operation] = {}
        self.values: dict[tuple[int, str], list[_Values]] = {}

    def observe(self, operation: ir.Operation, name: str, value: Array) -> None:
        key = id(operation)
        self.operations[key] = operation  # keeps the object, and so its id, alive
        per_head = name in ("query", "key", "value")
        if name == "scores":
            value = np.maximum(value, value.max(axis=-1, keepdims=True) - SCORE_REACH)
        if name in ("key", "value") and value.ndim == 2:
            return  # those of fused attention are its input
        parts = list(value) if per_head else [value]
        if (key, name) not in self.values:
            share = max(1, MAX_VALUES // self.count)
            random = np.random.default_rng(0)
            self.values[key, name] = [_Values(share, random) for _ in parts]
        for values, part in zip(self.values[key, name], parts, strict=True):
            values.add(part)

    def annotate(self, function: ir.Operation, percentile: float) -> None:
        """Write the ranges as attributes."""
        arguments: dict[int, tuple[float, float]] = {}
        for (key, name), values in self.values.items():
            attributes = self.operations[key].attributes
            if name.startswith("argument "):
                arguments[int(name.split()[1])] = values[0].range(percentile)
                continue
            label = f"tinyattn.{_LABELS.get(name, f'{name}_range')}"
            if label in attributes:  # a model that arrived quantised has its own
                continue
            if name in ("query", "key", "value"):
                found = [max(map(abs, head.range(percentile))) for head in values]
            else:
                # The largest score decides a row: it must not saturate.
                found = list(values[0].range(100.0 if name == "scores" else percentile))
            attributes[label] = ir.DenseF64ArrayAttr.get([rounded(value) for value in found])
        _annotate_arguments(function, arguments)


def rounded(value: float) -> float:
    """The nearest number of RANGE_BITS bits."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(math.ldexp(mantissa, RANGE_BITS)), exponent - RANGE_BITS)


_LABELS = {
    "query": "query_absmax",
    "key": "key_absmax",
    "value": "value_absmax",
    "result": "range",
}


def _annotate_arguments(function: ir.Operation, ranges: Mapping[int, tuple[float, float]]) -> None:
    entries = [ir.DictAttr.get({})] * len(ranges)
    if "arg_attrs" in function.attributes:
        entries = [ir.DictAttr(entry) for entry in function.attributes["arg_attrs"]]
    for index, argument in enumerate(function.regions[0].blocks[0].arguments):
        is_real = isinstance(ir.RankedTensorType(argument.type).element_type, ir.F32Type)
        if is_real and "tinyattn.range" not in entries[index]:  # ids have no range
            found = ir.DenseF64ArrayAttr.get([rounded(value) for value in ranges[index]])
            entries[index] = ir.DictAttr.get({"tinyattn.range": found})
    function.attributes["arg_attrs"] = ir.ArrayAttr.get(entries)
