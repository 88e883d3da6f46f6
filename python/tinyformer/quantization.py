# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Between real tensors and the int8 tensors of a network's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.firmware import TensorInterface


def quantize(values: npt.NDArray[Any], tensor: TensorInterface) -> npt.NDArray[Any]:
    """clamp(floor(x / scale + 1/2) + zero_point), as the firmware's inputs must be made; ids are
    what they are."""
    if tensor.element == "int32":
        return values.astype(np.int32)
    integers = np.floor(values.astype(np.float64) / tensor.scale + 0.5) + tensor.zero_point
    stored: npt.NDArray[np.int8] = np.clip(integers, -128, 127).astype(np.int8)
    return stored


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
