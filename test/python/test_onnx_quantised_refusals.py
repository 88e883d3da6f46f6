# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantised nodes that are refused, and why."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from quantised_nodes import LAST, LINEAR, Constants, compiled, constants, made
from tinyformer.onnx import UnsupportedModelError, load

REFUSED: dict[str, tuple[str, Constants, str]] = {
    "another scale back": (
        LINEAR.replace("r = DequantizeLinear(q, s, z)", "r = DequantizeLinear(q, e, z)"),
        {},
        r"node 'dequantizelinear_1' .*by scale 0\.05 and zero point 3 what was quantised by 0\.02 "
        r"and 3; use the same for both",
    ),
    "sixteen bits": (LINEAR, {"z": np.uint16(3)}, "to uint16; quantise to 8 bits: activation_type"),
    "a scale a channel": (
        LINEAR,
        {"s": np.full(8, 0.1, np.float32), "z": np.zeros(8, np.int8)},
        "has 8 scales for an activation; use one scale for each activation",
    ),
    "a scale of zero": (
        LINEAR,
        {"s": np.float32(0)},
        r"node 'quantizelinear_0' .*has 1 scale\(s\) that are not positive and finite: 0; "
        "calibrate the quantiser",
    ),
    "a negative scale": (LINEAR, {"e": np.float32(-0.1)}, r"finite: -0\.1; calib"),
    "a scale that is no number": (LINEAR, {"s": np.float32(np.nan)}, r"finite: nan; calib"),
    "an infinite scale": (LINEAR, {"e": np.float32(np.inf)}, r"finite: inf; calib"),
    "a channel with scale zero": (
        LINEAR,
        {"t": np.array([0.1, 0, 0.2, 0], np.float32), "u": np.zeros(4, np.int8)},
        r"node 'dequantizelinear_2' .*has 2 scale\(s\) .*finite: 0 at \[1\]",
    ),
    "more zero points than scales": (
        LINEAR,
        {"u": np.zeros(4, np.int8)},
        r"has 1 scale\(s\) and 4 zero points; give as many zero points as scales, or none",
    ),
    "zero points for an activation": (
        LINEAR,
        {"z": np.zeros(2, np.int8)},
        r"node 'quantizelinear_0' .*has 1 scale\(s\) and 2 zero points",
    ),
    "scales that do not fit": (
        LINEAR,
        {"t": np.full(3, 0.1, np.float32), "u": np.zeros(3, np.int8)},
        r"node 'dequantizelinear_2' .*has operands whose shapes do not fit",
    ),
    "scales of another rank": (
        LINEAR,
        {"t": np.full((2, 1, 1), 0.1, np.float32), "u": np.zeros((2, 1, 1), np.int8)},
        r"of shape \[2, 1, 1\] for integers of \[8, 4\]; give one number",
    ),
    "scales of one number": (
        LINEAR,
        {"w": np.int8(3), "t": np.full(2, 0.1, np.float32), "u": np.zeros(2, np.int8)},
        r"of shape \[2\] for integers of \[\]; give one number",
    ),
    "integers in a function": (
        "q = QuantizeLinear(x, s, z) a = Relu(q) r = DequantizeLinear(a, s, z) "
        f"v = DequantizeLinear(w, t, u) y = MatMul(r, v) {LAST}",
        {},
        r"\(Relu of .*computes with the integers of a quantised tensor; put a DequantizeLinear",
    ),
    "not quantised": (
        f"a = Relu(x) r = DequantizeLinear(a, s, z) v = DequantizeLinear(w, t, u) "
        f"y = MatMul(r, v) {LAST}",
        {},
        "dequantises what was not quantised",
    ),
    "dynamic": (
        "q, s2, z2 = DynamicQuantizeLinear(x) o = MatMulInteger(q, w, z2)",
        {},
        "DynamicQuantizeLinear is not supported; dynamic quantisation is not supported: use "
        "onnxruntime.quantization.quantize_static",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_node_is_refused(name: str, tmp_path: Path) -> None:
    body, changed, message = REFUSED[name]
    path = made(tmp_path, body, constants(**changed))
    with pytest.raises(UnsupportedModelError) as refusal:
        load(path)
    assert re.search(message, str(refusal.value))


OPERATORS: dict[str, tuple[str, str]] = {
    "too few operands": (
        "QLinearAdd(q, s, z, q, s, z)",
        r"model.onnx: node 'qlinearadd_1' \(QLinearAdd\): has 6 operands, which are too few",
    ),
    "too many operands": ("QLinearSigmoid(q, s, z, e, f, f)", "has 6 operands"),
    "half an operand": ("QLinearConcat <axis = 1> (e, f, q, s, z, q)", "has 6 operands"),
    "no operand": ("QLinearWhere(q)", "has 1 operands"),
    "no zero point": (
        "QLinearAdd(q, s, z, q, s, z, e)",
        "has no zero point for its result, so that the type of that is not known; write one",
    ),
    "another order": (
        "QLinearGlobalAveragePool <channels_last = 1> (q, s, z, e, f)",
        "has channels_last = 1, which gives it another meaning; export the model with the channels",
    ),
    "an old softmax": ("QLinearSoftmax <axis = 0, opset = 12> (q, s, z, e, f)", "has opset = 12"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_on_integers_is_refused(name: str, tmp_path: Path) -> None:
    operator, message = OPERATORS[name]
    body = f"q = QuantizeLinear(x, s, z) p = com.microsoft.{operator} o = DequantizeLinear(p, e, f)"
    path = made(tmp_path, body, constants())
    with pytest.raises(UnsupportedModelError, match=message):
        load(path)


TYPES = {
    TensorProto.UNDEFINED: -128,
    TensorProto.UINT8: -128,
    TensorProto.INT8: 0,
    TensorProto.INT16: "to int16 .output_dtype.; quantise to 8 bits: activation_type",
    TensorProto.UINT16: "to uint16 .output_dtype.; quantise to 8 bits: activation_type",
    TensorProto.UINT4: "to uint4 .output_dtype.; quantise to 8 bits: activation_type",
    TensorProto.FLOAT8E4M3FN: "to float8e4m3fn .output_dtype.; quantise to 8 bits",
    99: "to 99 .output_dtype.; quantise to 8 bits",
}


@pytest.mark.parametrize("kind", TYPES)
def test_type_of_integers_without_a_zero_point(kind: int, tmp_path: Path) -> None:
    body = LINEAR.replace(
        "QuantizeLinear(x, s, z)", f"QuantizeLinear <output_dtype = {kind}> (x, s)"
    )
    path = made(tmp_path, body.replace("(q, s, z)", "(q, s)"), constants(), opset=21)
    wanted = TYPES[kind]
    if isinstance(wanted, int):
        assert compiled(path).input_tensors[0].zero_point == wanted
        return
    with pytest.raises(UnsupportedModelError, match=wanted):
        load(path)


IDS: dict[str, tuple[str, str]] = {
    "mask": (
        "m = Cast <to = 1> (i) n = Unsqueeze(m, last) o = Mul(n, c)",
        "casts integers that are an input; .* export without attention_mask",
    ),
    "computed": (
        "k = Mul(i, two) o = Gather(c, k)",
        r"node 'mul_0' .*computes with integers that are an input; .*choose rows of a table",
    ),
    "positions_from_ids": (  # RoBERTa's
        "e = Equal(i, two) k = Cast <to = 7> (e) o = Gather(c, k)",
        r"node 'equal_0' .* position ids must be constant: RoBERTa,",
    ),
    "columns": (
        "a = Gather <axis = 1> (c, i) o = Transpose <perm = [1, 0]> (a)",
        r"looks up elements of a constant of shape \[30, 4\] on axis 1; look up rows",
    ),
    "reversed": (
        "k = Gather(i, order) o = Gather(c, k)",
        "looks up some of the ids 'i', or in another order",
    ),
}


@pytest.mark.parametrize("name", IDS)
def test_use_of_ids_is_refused(name: str, tmp_path: Path) -> None:
    body, message = IDS[name]
    values = {
        "c": np.ones((30, 4), np.float32),
        "two": np.int64(2),
        "last": np.array([1], np.int64),
        "order": np.array([4, 3, 2, 1, 0], np.int64),
    }
    path = made(tmp_path, body, values, "(int64[5] i) => (float[5,4] o)")
    with pytest.raises(UnsupportedModelError) as refusal:
        load(path)
    assert re.search(message, str(refusal.value))
