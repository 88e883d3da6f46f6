# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of quantised nodes, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, parser
from tinyformer import driver
from tinyformer.compiler import Compilation
from tinyformer.targets import get_target

Constants = dict[str, Any]

SIGNATURE = "(float[5,8] x) => (float[5,4] o)"
FIRST = "q = QuantizeLinear(x, s, z) r = DequantizeLinear(q, s, z) "
LAST = " p = QuantizeLinear(y, e, f) o = DequantizeLinear(p, e, f)"
LINEAR = f"{FIRST} v = DequantizeLinear <axis = 1> (w, t, u) y = MatMul(r, v) {LAST}"


def constants(**changed: Any) -> Constants:
    """Those of a linear layer; None removes one."""
    random = np.random.default_rng(7)
    default: Constants = {
        "s": np.float32(0.02),
        "z": np.int8(3),
        "w": random.integers(-127, 128, (8, 4)).astype(np.int8),
        "t": np.float32(0.01),
        "u": np.int8(0),
        "e": np.float32(0.05),
        "f": np.int8(-7),
    }
    return {name: value for name, value in (default | changed).items() if value is not None}


def made(
    directory: Path, body: str, values: Constants, signature: str = SIGNATURE, opset: int = 17
) -> Path:
    """A model in a file."""
    header = f'<ir_version: 8, opset_import: ["": {opset}, "com.microsoft": 1]>'
    model = parser.parse_model(f"{header} g {signature} {{ {body} }}")
    used = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in values.items()
        if name in used
    )
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type.lower()}_{index}"
    path = directory / "model.onnx"
    onnx.save(model, path)
    return path


def compiled(path: Path) -> Compilation:
    """As far as the integers, which are the same on all targets."""
    compilation = driver.load(path, None).start(get_target("host"))
    compilation.run_to("quantize")
    return compilation
