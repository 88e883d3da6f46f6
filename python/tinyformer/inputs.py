# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs that the model itself takes as integers of 8 bits.

Integers that are given for them are the model's own, as other runtimes take them; floats are real
numbers, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyformer.errors import CalibrationError

if TYPE_CHECKING:
    from tinyformer.mlir import ir

Array = npt.NDArray[Any]

FIRST = {"int8": -128, "uint8": 0}
"""The smallest integer of each type."""


@dataclass(frozen=True)
class IntegerInput:
    """An input of int8 or uint8; an integer means the real number scale * integer + offset."""

    element: str
    scale: float = 1.0
    offset: float = 0.0

    def reals(self, values: Array, name: str) -> Array:
        """The real numbers of samples that may be integers."""
        if not are_integers(values):
            return values
        check_integers(values, name, self.element)
        return self.scale * values.astype(np.float64) + self.offset


def are_integers(values: Array) -> bool:
    """Whether an array is of an integer type."""
    return values.dtype.kind in "iu"


def check_integers(values: Array, name: str, element: str) -> None:
    """Refuses integers that the input `name` of the model cannot hold."""
    first, last = FIRST[element], FIRST[element] + 255
    bad = np.argwhere((values < first) | (values > last))
    if len(bad):
        index = tuple(bad[0])
        raise CalibrationError(
            f"input '{name}' is {element} in the model, {first} to {last}, but holds "
            f"{values[index]} at {list(map(int, index))}; give its integers, or real numbers as "
            "floats"
        )


def stored(values: Array, name: str, element: str) -> npt.NDArray[np.int8]:
    """The bytes of the device for integers of the model: those of uint8 are less by 128."""
    check_integers(values, name, element)
    shifted: npt.NDArray[np.int8] = (values.astype(np.int16) - (FIRST[element] + 128)).astype(
        np.int8
    )
    return shifted


def integer_inputs(path: Path, function: ir.Operation) -> Mapping[str, IntegerInput]:
    """The inputs of 8 bits of the model in `path`, imported as `function`.

    An input of which no node says a scale, such as the bytes of an image behind a Cast, is none of
    them: its integers are real numbers already.
    """
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [info for info in graph.input if info.name not in constants]
    types = {onnx.TensorProto.INT8: "int8", onnx.TensorProto.UINT8: "uint8"}
    found = {}
    for number, info in enumerate(inputs):
        element = types.get(info.type.tensor_type.elem_type)
        encoding = element and _encoding(function, number, element)
        if encoding:
            found[info.name] = encoding
    return found


def _encoding(function: ir.Operation, number: int, element: str) -> IntegerInput | None:
    from tinyformer.mlir import ir

    if "arg_attrs" not in function.attributes:
        return None
    entry = ir.DictAttr(function.attributes["arg_attrs"][number])
    if "tinyattn.zero_point" in entry:  # a model that computes on integers throughout
        return IntegerInput(element)
    if "tinyattn.range" not in entry:
        return None
    low, high = ir.DenseF64ArrayAttr(entry["tinyattn.range"])
    scale = (high - low) / 255
    return IntegerInput(element, scale, low - scale * FIRST[element])
