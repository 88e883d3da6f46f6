# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a run of a network gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tinyformer.errors import SimulationError
from tinyformer.firmware import NetworkInterface

Int8Array = npt.NDArray[np.int8]


@dataclass(frozen=True)
class LayerCycles:
    """What one layer took: a function that the network's entry calls, and all that it calls.

    `kernels` are the cycles by symbol, the largest first, of what ran for this layer.
    """

    cycles: int
    kernels: Mapping[str, int]
    cycles_pessimistic: int | None = None


@dataclass(frozen=True)
class RunResult:
    """Outputs of one run, and what it cost between entry and return of `<name>_run`.

    `instructions` counts executed instructions. `stack_bytes` is the high-water mark of the whole
    stack, main's frame included. `cycles` come from `timing_model`, and so do both views of them,
    the largest first: `layers` by the function that the network's entry called, `kernels` by the
    symbol that was executed, which may have run for several layers. `cycles_pessimistic` come from
    `pessimistic_model`, where a core has a second one. `kernel_bytes` is the size of each kernel's
    code. Only a profiled run has them, and the host has none of all these. `instruction_cache` and
    `contention` say whether the model has them, where that is a choice. `dma_wait_cycles` are those
    of `cycles` in which a cluster waited for transfers between its memories.
    """

    outputs: list[Int8Array]
    cycles: int | None = None
    instructions: int | None = None
    stack_bytes: int | None = None
    layers: Mapping[str, LayerCycles] = field(default_factory=dict)
    kernels: Mapping[str, int] = field(default_factory=dict)
    timing_model: str | None = None
    cycles_pessimistic: int | None = None
    pessimistic_model: str | None = None
    instruction_cache: bool | None = None
    contention: bool | None = None
    dma_wait_cycles: int | None = None
    kernel_bytes: Mapping[str, int] = field(default_factory=dict)

    def layer_bytes(self, layer: LayerCycles) -> int:
        """Bytes of the code that ran for `layer`, kernels that it shares included."""
        return sum(self.kernel_bytes[name] for name in layer.kernels)


def check_inputs(interface: NetworkInterface, inputs: Sequence[Int8Array]) -> list[bytes]:
    """The inputs' bytes in C order; an error when count, type or shape do not match."""
    if len(inputs) != len(interface.inputs):
        raise SimulationError(
            f"{interface.name!r} has {len(interface.inputs)} inputs but {len(inputs)} were given"
        )
    for tensor, array in zip(interface.inputs, inputs, strict=True):
        if array.dtype != tensor.element or array.nbytes != tensor.bytes:
            raise SimulationError(
                f"input {tensor.name!r} wants {list(tensor.shape)} {tensor.element}, that is "
                f"{tensor.bytes} bytes, but got {list(array.shape)} {array.dtype}; quantise it "
                f"first with round(x / {tensor.scale:g}) + {tensor.zero_point}"
            )
    return [array.tobytes() for array in inputs]


def shape_outputs(interface: NetworkInterface, raw: Sequence[bytes]) -> list[Int8Array]:
    """The outputs' bytes as arrays of their shapes."""
    return [
        np.frombuffer(data, dtype=tensor.element).reshape(tensor.shape).copy()
        for tensor, data in zip(interface.outputs, raw, strict=True)
    ]
