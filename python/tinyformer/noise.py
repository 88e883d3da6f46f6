# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How much of each layer's float result is left in its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyformer.decisions import location_name
from tinyformer.quantization import quantize, signal_to_noise_db
from tinyformer.reference import Interpreter

if TYPE_CHECKING:
    from tinyformer.firmware import TensorInterface
    from tinyformer.mlir import ir

Array = npt.NDArray[Any]

# Values of a layer that are enough for a figure with three digits.
_SAMPLES = 16


@dataclass(frozen=True)
class LayerNoise:
    """A layer's signal to noise in decibels, all errors before it included."""

    name: str
    db: float


def noise_by_layer(
    real: ir.Module,
    quantized: ir.Module,
    samples: Mapping[str, Array],
    tensors: Sequence[TensorInterface],
) -> list[LayerNoise]:
    """Both networks on some samples, layer by layer, the worst first.

    Bytes become real numbers by the scale and zero point that fit best: each layer has its own, and
    what matters here is what no scale could bring back.
    """
    floats, integers = _Recorder(real), _Recorder(quantized)
    count = min(_SAMPLES, len(next(iter(samples.values()))))
    for index in range(count):
        inputs = [array[index].astype(np.float32) for array in samples.values()]
        floats.run(inputs)
        integers.run([quantize(x, tensor) for x, tensor in zip(inputs, tensors, strict=True)])
    both = floats.results.keys() & integers.results.keys()
    found = [
        LayerNoise(name, fitted_db(np.stack(floats.results[key]), np.stack(integers.results[key])))
        for key in floats.results
        if key in both and (name := key[0])
    ]
    return sorted(found, key=lambda layer: layer.db)


def fitted_db(signal: Array, stored: Array) -> float:
    """Signal to noise where `stored` is scaled and shifted to be as near as it can be."""
    if signal.shape != stored.shape:
        stored = stored.reshape(signal.shape)
    x, q = signal.astype(np.float64).ravel(), stored.astype(np.float64).ravel()
    columns = np.stack([q, np.ones_like(q)], axis=1)
    factors, *_ = np.linalg.lstsq(columns, x, rcond=None)
    return signal_to_noise_db(x, columns @ factors)


class _Recorder:
    """Runs a module and keeps the results of its layers, by name and number of that name."""

    def __init__(self, module: ir.Module) -> None:
        self.results: dict[tuple[str, int], list[Array]] = {}
        self._interpreter = Interpreter(module, self._observe)
        self._seen: Counter[str] = Counter()

    def run(self, inputs: Sequence[Array]) -> None:
        self._seen.clear()
        self._interpreter.run(inputs)

    def _observe(self, operation: ir.Operation, name: str, value: Array) -> None:
        if name != "result" or not operation.name.startswith("tinyattn."):
            return
        layer = location_name(operation.location)
        key = layer, self._seen[layer]
        self._seen[layer] += 1
        self.results.setdefault(key, []).append(value)
