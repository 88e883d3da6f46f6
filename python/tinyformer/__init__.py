# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""TinyFormer: encoder transformers as int8 programs for microcontrollers.

    net = tinyformer.compile("model.onnx", target="stm32l4", calibration=samples)
    y = net(x)              # on the simulator
    print(net.profile())    # cycles by layer
    net.save("build")       # a library for firmware

Importing this package loads nothing heavy; `compile` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyformer.errors import TinyFormerError

if TYPE_CHECKING:
    from tinyformer.network import CalibrationData, ModelFile, Network
    from tinyformer.targets import Target

__all__ = ["TinyFormerError", "compile"]


def compile(
    model: ModelFile,
    *,
    target: str | Target,
    calibration: CalibrationData | None = None,
    cores: int | None = None,
    **options: Any,
) -> Network:
    """Compile an ONNX model, a file or an `onnx.ModelProto`, for a target.

    `calibration` are samples of the inputs, the first axis counting them: a file, an array for a
    model of one input, or arrays by input name; a model that is quantised already needs none.
    Integers for an input that is int8 or uint8 in such a model are the model's own, floats are real
    numbers.
    `cores` limits those of a cluster. `options` are the fields of
    `tinyformer.options.CompileOptions`: fuse, optimize, percentile, tile, schedule, unroll.
    Raises TinyFormerError.
    """
    from tinyformer.network import compile_model

    return compile_model(model, target, calibration, cores, options)
