# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exported models after onnxruntime's static quantiser, and onnxruntime's results."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from conftest import MODELS
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

Array = npt.NDArray[Any]
Sample = dict[str, Array]

VOCABULARY = 24
CALIBRATION_SAMPLES = 32


@dataclass(frozen=True)
class Form:
    """How onnxruntime is told to quantise."""

    format: QuantFormat
    activations: QuantType
    per_channel: bool


FORMS = {
    "qdq_int8": Form(QuantFormat.QDQ, QuantType.QInt8, per_channel=False),
    "qdq_uint8_channels": Form(QuantFormat.QDQ, QuantType.QUInt8, per_channel=True),
    # onnxruntime saturates products of uint8 and int8 on some x86-64 processors.
    "qoperator": Form(QuantFormat.QOperator, QuantType.QInt8, per_channel=True),
}


def samples_of(path: Path, count: int, seed: int) -> list[Sample]:
    """Random inputs for the model in `path`; integers are ids."""
    graph = onnx.load(path).graph
    constants = {tensor.name for tensor in graph.initializer}
    random = np.random.default_rng(seed)

    def draw(info: onnx.ValueInfoProto) -> Array:
        shape = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        if info.type.tensor_type.elem_type == onnx.TensorProto.INT64:
            return random.integers(0, VOCABULARY, shape)
        return random.standard_normal(shape, dtype=np.float32)

    inputs = [info for info in graph.input if info.name not in constants]
    return [{info.name: draw(info) for info in inputs} for _ in range(count)]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = iter(samples)

    def get_next(self) -> Sample | None:
        return next(self._samples, None)


def quantised(name: str, form: Form, directory: Path, **options: Any) -> Path:
    """The model `name`, quantised by onnxruntime."""
    # The quantiser writes beside its source, where another test may read.
    source = Path(shutil.copy(MODELS / f"{name}.onnx", directory / f"{name}_float.onnx"))
    target = directory / f"{name}.onnx"
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            source,
            target,
            _Reader(samples_of(source, CALIBRATION_SAMPLES, seed=0)),
            quant_format=form.format,
            activation_type=form.activations,
            weight_type=QuantType.QInt8,
            per_channel=form.per_channel,
            **options,
        )
    finally:
        logging.disable(logging.NOTSET)
    return target


def run_onnxruntime(path: Path, samples: list[Sample]) -> Array:
    """The first output for each sample, every node as it stands in the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, sample)[0] for sample in samples])
