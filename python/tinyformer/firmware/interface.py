# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the compiler tells the firmware about a network: tensors, arenas, and its C name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tinyformer.errors import InterfaceError

# Bytes of an element.
WIDTHS = {"int8": 1, "int32": 4}
_C_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class TensorInterface:
    """One input or output: int8, affine, real = scale * (stored - zero_point).

    Or int32: as an input token ids, as an output the integers of a model that computes on such.
    `given` is the type of an input that is int8 or uint8 in the model itself; those of uint8 are
    stored less by 128.
    """

    name: str
    shape: tuple[int, ...]
    bytes: int
    scale: float
    zero_point: int
    element: str = "int8"
    given: str | None = None

    def __post_init__(self) -> None:
        size = WIDTHS[self.element]
        for extent in self.shape:
            size *= extent
        if size != self.bytes or size <= 0:
            raise InterfaceError(
                f"tensor {self.name!r} has shape {list(self.shape)}, that is {size} bytes of "
                f"{self.element}, but is declared with {self.bytes}; shapes must be static and "
                "not empty"
            )
        if not -128 <= self.zero_point <= 127:
            raise InterfaceError(
                f"tensor {self.name!r} has zero point {self.zero_point}, outside int8's -128..127"
            )

    @property
    def c_type(self) -> str:
        """The C type of an element."""
        return f"{self.element}_t"


@dataclass(frozen=True)
class NetworkInterface:
    """The contract of `void tf_<name>_invoke(inputs..., outputs..., arenas...)`.

    All parameters are bare pointers, in this order; `arenas` maps the name of a memory of the
    target to the bytes needed there, and its order is the order of the parameters. So many `cores`
    call the function with the same pointers; it divides the work among them.
    """

    name: str
    inputs: tuple[TensorInterface, ...]
    outputs: tuple[TensorInterface, ...]
    arenas: Mapping[str, int]
    cores: int = 1

    def __post_init__(self) -> None:
        if not _C_NAME.match(self.name):
            raise InterfaceError(
                f"{self.name!r} cannot name a network: it becomes C identifiers, so it must "
                "consist of lower-case letters, digits and underscores, beginning with a letter"
            )
        if not self.outputs:
            raise InterfaceError(f"network {self.name!r} has no output")
        for memory, size in self.arenas.items():
            if size <= 0:
                raise InterfaceError(
                    f"the arena of {self.name!r} in {memory!r} has {size} bytes; "
                    "leave out a memory in which nothing is needed"
                )

    @property
    def invoke_symbol(self) -> str:
        """The function that the compiler emits."""
        return f"tf_{self.name}_invoke"

    @property
    def run_symbol(self) -> str:
        """The function that the user calls: the same without the arenas."""
        return f"{self.name}_run"

    @property
    def run_in_symbol(self) -> str:
        """The function for users who bring the arenas."""
        return f"{self.name}_run_in"

    @property
    def tensors(self) -> tuple[TensorInterface, ...]:
        """All inputs, then all outputs."""
        return (*self.inputs, *self.outputs)

    @property
    def io_bytes(self) -> int:
        """Bytes of all inputs and outputs together."""
        return sum(tensor.bytes for tensor in self.tensors)
