# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Between real tensors and the int8 tensors of a network's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.firmware import TensorInterface
from tinyformer.inputs import are_integers, stored
from tinyformer.samples import check_finite, check_ids

INT32 = np.iinfo(np.int32)


def quantize(values: npt.NDArray[Any], tensor: TensorInterface) -> npt.NDArray[Any]:
    """The bytes of an input: clamp(floor(x / scale + 1/2) + zero_point) for real numbers.

    Integers that the model itself takes are what they are, those of uint8 less by 128. Ids are
    what they are, saturated to int32. Raises CalibrationError for what is no number, or no id.
    """
    if tensor.element == "int32":
        return _ids(values, tensor.name)
    if tensor.given is not None and are_integers(values):
        return stored(values, tensor.name, tensor.given)
    check_finite(values, f"input '{tensor.name}' holds")
    integers = np.floor(values.astype(np.float64) / tensor.scale + 0.5) + tensor.zero_point
    rounded: npt.NDArray[np.int8] = np.clip(integers, -128, 127).astype(np.int8)
    return rounded


def _ids(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.int32]:
    """An id beside int32 is beside every table, too, and keeps its side."""
    check_ids(values, f"input '{name}' holds")
    if values.dtype == np.uint64:
        values = np.minimum(values, np.uint64(INT32.max))
    elif are_integers(values):
        values = values.astype(np.int64)
    clipped: npt.NDArray[np.int32] = np.clip(values, INT32.min, INT32.max).astype(np.int32)
    return clipped


def dequantize(values: npt.NDArray[Any], tensor: TensorInterface) -> npt.NDArray[Any]:
    """scale * (stored - zero_point); numbers of 32 bits are what they are."""
    if tensor.element == "int32":
        return values
    reals = tensor.scale * (values.astype(np.float64) - tensor.zero_point)
    single: npt.NDArray[np.float32] = reals.astype(np.float32)
    return single


def signal_to_noise_db(signal: npt.NDArray[Any], actual: npt.NDArray[Any]) -> float:
    """10 log10 of the power of `signal` over that of `signal - actual`."""
    noise = float(np.sum(np.square(signal.astype(np.float64) - actual)))
    power = float(np.sum(np.square(signal.astype(np.float64))))
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(power / noise)) if power else float("-inf")
