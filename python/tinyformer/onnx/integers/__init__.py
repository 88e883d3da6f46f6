# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models in the integer dialect of QuantLib and Deeploy.

Their files compute on integers throughout: products of integers, sums of 32 bits, and the operators
`RequantShift`, `iSoftmax`, `ITAMax`, `iLayerNorm`, `iGELU` and `IntegerMean`, whose arithmetic is
part of the model. Nothing is calibrated or quantised here: every operator becomes an op of
`tinyattn` on int8 that gives the same integers. `formulas` defines them.

The graph is walked as any other (`onnx.interpreter`), with the handlers of this folder. Sums exist
only until a `RequantShift` reads them; they are virtual layers (`sums`).
"""

from __future__ import annotations

from collections.abc import Mapping

from tinyformer.onnx import movement
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.integers import elementwise, operators, products

HANDLERS: Mapping[str, Handler] = {
    **movement.HANDLERS,
    **elementwise.HANDLERS,
    **operators.HANDLERS,
    **products.HANDLERS,
}
