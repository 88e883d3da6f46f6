# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Spellings that the files in `models` do not have, each held against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
import tinyformer.onnx
from onnx import parser
from test_onnx_helpers import TOKENS, TOLERANCE, Weight, check, floats, inputs_of, model_of
from tinyformer.reference import Interpreter

LINEAR: Mapping[str, Weight] = {"w": (8, 8), "b": (8,)}

CASES: dict[str, tuple[str, str, str, dict[str, Weight]]] = {
    # name: signature, body, expected ops, weights
    "bias_subtracted": (TOKENS, "h = MatMul(x, w) y = Sub(h, b)", "linear", {**LINEAR}),
    "subtracted_from_bias": (TOKENS, "h = MatMul(x, w) y = Sub(b, h)", "linear", {**LINEAR}),
    "layer_scale": (
        TOKENS,
        "h = MatMul(x, w) i = Add(b, h) j = Mul(i, g) y = Add(j, x)",
        "linear add",
        {**LINEAR, "g": (8,)},
    ),
    "factors_behind_a_function": (
        TOKENS,
        "h = Sigmoid(x) i = Mul(x, h) j = Mul(i, g) y = MatMul(j, w)",
        "lookup linear linear",
        {"g": (8,), "w": (8, 8)},
    ),
    "factors_of_an_input": (
        TOKENS,
        "h = Add(x, half) y = Mul(h, g)",
        "linear",
        {"g": (8,), "half": 0.5},
    ),
    "division_by_features": (
        TOKENS,
        "h = MatMul(x, w) y = Div(h, g)",
        "linear",
        {**LINEAR, "g": np.linspace(1, 2, 8, dtype=np.float32)},
    ),
    "bias_of_a_shared_product": (
        "(float[1,5,8] x) => (float[1,5,8] y, float[1,5,8] h)",
        "h = MatMul(x, w) y = Add(h, b)",
        "linear add",
        {**LINEAR},
    ),
    "positions_twice": (
        TOKENS,
        "h = Add(x, p) i = Add(q, h) y = MatMul(i, w)",
        "add linear",
        {"p": (1, 5, 8), "q": (5, 8), "w": (8, 8)},
    ),
    "positions_out_of_a_long_table": (  # as Hugging Face's BERTs gather token types
        TOKENS,
        "g = GatherElements <axis = 1> (numbers, ids) p = Gather(table, g) y = Add(x, p)",
        "add",
        {"numbers": [[*range(128)]], "ids": [[3, 127, 64, 0, -2]], "table": (128, 8)},
    ),
    "elements_of_a_part_of_a_table": (
        TOKENS,
        "p = GatherElements(table, ids) y = Add(x, p)",
        "add",
        {"table": (70, 9), "ids": [[7 * row + column for column in range(8)] for row in range(5)]},
    ),
    "difference_of_branches": (
        TOKENS,
        "h = MatMul(x, w) i = MatMul(x, v) y = Sub(h, i)",
        "linear linear add",
        {"w": (8, 8), "v": (8, 8)},
    ),
    "sum_of_three": (
        TOKENS,
        "h = MatMul(x, w) y = Sum(h, x, b)",
        "linear add add",
        {**LINEAR},
    ),
    "scaled_input": (
        TOKENS,
        "h = Sub(x, half) i = Div(h, quarter) y = MatMul(i, w)",
        "linear",
        {"half": 0.5, "quarter": 0.25, "w": (8, 8)},
    ),
    "number_and_factors_behind_a_layer": (
        TOKENS,
        "h = MatMul(x, w) i = Add(h, half) y = Mul(i, g)",
        "linear",
        {"w": (8, 8), "half": 0.5, "g": (8,)},
    ),
    "one_output_with_bias": (
        "(float[1,8] x) => (float[1,1] y)",
        "h = MatMul(x, w) i = Add(h, b) y = Sigmoid(i)",
        "linear lookup",
        {"w": (8, 1), "b": (1,)},
    ),
    "gemm_transposed_left": (
        "(float[8,5] x) => (float[5,3] y)",
        "y = Gemm <transA = 1> (x, w, b)",
        "conv",
        {"w": (8, 3), "b": (3,)},
    ),
    "gemm_with_a_bias_per_row": (
        "(float[5,8] x) => (float[5,3] y)",
        "y = Gemm <beta = 0.5> (x, w, b)",
        "linear add",
        {"w": (8, 3), "b": (5, 3)},
    ),
    "vector_weight": (
        "(float[1,5,8] x) => (float[1,5] y)",
        "y = MatMul(x, w)",
        "linear",
        {"w": (8,)},
    ),
    "token_mixing": (
        "(float[1,5,8] x) => (float[1,8,3] y)",
        "h = MatMul(a, x) y = Transpose <perm = [0, 2, 1]> (h)",
        "conv",
        {"a": (3, 5)},
    ),
    "half_of_the_features": (
        "(float[1,5,8] x) => (float[1,5,3] y)",
        "a, c = Split <axis = 2> (x) y = MatMul(c, w)",
        "linear",
        {"w": (4, 3)},
    ),
    "flattened_tokens": (
        "(float[1,5,8] x) => (float[1,3] y)",
        "h = MatMul(x, v) f = Flatten(h) y = Gemm(f, w)",
        "linear linear",
        {"v": (8, 8), "w": (40, 3)},
    ),
    "flattened_features_first": (
        "(float[1,5,8] x) => (float[1,3] y)",
        "h = MatMul(x, v) t = Transpose <perm = [0, 2, 1]> (h) f = Flatten(t) y = Gemm(f, w)",
        "linear linear",
        {"v": (8, 8), "w": (40, 3)},
    ),
    "signal_channels_first": (
        "(float[1,8,5] x) => (float[1,5,3] y)",
        "t = Transpose <perm = [0, 2, 1]> (x) y = MatMul(t, w)",
        "conv",
        {"w": (8, 3)},
    ),
    "layernorm_of_half": (
        TOKENS,
        "h = Mul(x, c) y = LayerNormalization <epsilon = 0.1> (h, g, b)",
        "layernorm",
        {"c": 0.5, "g": (8,), "b": (8,)},
    ),
    "layernorm_of_negative": (
        TOKENS,
        "h = Neg(x) y = LayerNormalization(h, g, b)",
        "layernorm",
        {"g": (8,), "b": (8,)},
    ),
    "layernorm_without_bias": (TOKENS, "y = LayerNormalization(x, g)", "layernorm", {"g": (8,)}),
    "layernorm_by_pow": (
        TOKENS,
        "m = ReduceMean <axes = [-1]> (x) d = Sub(x, m) s = Pow(d, two) "
        "v = ReduceMean <axes = [-1]> (s) e = Add(v, eps) r = Pow(e, minushalf) y = Mul(r, d)",
        "layernorm",
        {"two": 2.0, "eps": 0.01, "minushalf": -0.5},
    ),
    "layernorm_two_differences": (
        TOKENS,
        "m = ReduceMean <axes = [2]> (x) c = Sub(x, m) d = Sub(x, m) s = Mul(c, d) "
        "v = ReduceMean <axes = [2]> (s) e = Add(eps, v) r = Sqrt(e) y = Div(d, r)",
        "layernorm",
        {"eps": 0.01},
    ),
    "silu": (TOKENS, "s = Sigmoid(x) y = Mul(s, x)", "lookup", {}),
    "relu6_by_clip": (TOKENS, "y = Clip(x, zero, six)", "lookup", {"zero": 0.0, "six": 6.0}),
    "clip_below_half": (
        TOKENS,
        "y = Clip(x, zero, half)",
        "lookup lookup",
        {"zero": 0.0, "half": 0.5},
    ),
    "leaky_relu": (TOKENS, "y = LeakyRelu(x)", "lookup", {}),
    "elu": (TOKENS, "y = Elu(x)", "lookup", {}),
    "selu": (TOKENS, "y = Selu(x)", "lookup", {}),
    "hard_swish": (TOKENS, "y = HardSwish(x)", "lookup", {}),
    "hard_sigmoid": (TOKENS, "y = HardSigmoid <alpha = 0.166666667, beta = 0.5> (x)", "lookup", {}),
    "hard_sigmoid_of_onnx": (TOKENS, "y = HardSigmoid(x)", "lookup", {}),
    "softplus": (TOKENS, "y = Softplus(x)", "lookup", {}),
    "mish": (TOKENS, "s = Softplus(x) t = Tanh(s) y = Mul(x, t)", "lookup", {}),
    "quick_gelu": (
        TOKENS,
        "c = Mul(x, f) s = Sigmoid(c) h = Mul(x, s) y = MatMul(h, w)",
        "lookup linear",
        {"f": 1.702, "w": (8, 8)},
    ),
    "quick_gelu_alone": (
        TOKENS,
        "c = Mul(x, f) s = Sigmoid(c) y = Mul(x, s)",
        "lookup lookup",
        {"f": 1.702},
    ),
    "tanh_of_double": (TOKENS, "c = Mul(x, f) y = Tanh(c)", "lookup", {"f": 2.0}),
    "sigmoid_by_exp": (
        TOKENS,
        "n = Neg(x) e = Exp(n) p = Add(one, e) y = Reciprocal(p)",
        "lookup",
        {"one": 1.0},
    ),
    "relu_by_max": (TOKENS, "y = Max(zero, x)", "lookup", {"zero": 0.0}),
    "relu_by_clip": (TOKENS, "y = Clip(x, zero)", "lookup", {"zero": 0.0}),
    "activation_of_two_users": (
        TOKENS,
        "r = Relu(x) h = MatMul(r, w) y = Add(h, r)",
        "lookup linear add",
        {"w": (8, 8)},
    ),
    "softmax_of_classes": ("(float[1,8] x) => (float[1,8] y)", "y = Softmax(x)", "softmax", {}),
    "max_over_tokens": (
        "(float[1,5,8] x) => (float[1,8] y)",
        "y = ReduceMax <axes = [1], keepdims = 0> (x)",
        "pool",
        {},
    ),
    "sum_over_tokens": (
        "(float[1,5,8] x) => (float[1,3] y)",
        "s = ReduceSum <keepdims = 0> (x, axis) y = MatMul(s, w)",
        "pool linear",
        {"axis": [1], "w": (8, 3)},
    ),
    "mean_of_a_multiple": (
        "(float[1,5,8] x) => (float[1,3] y)",
        "a = Mul(x, two) b = Add(a, two) m = ReduceMean <axes = [1], keepdims = 0> (b) "
        "y = MatMul(m, w)",
        "pool linear",
        {"two": 2.0, "w": (8, 3)},
    ),
    "minimum_over_tokens": (
        "(float[1,5,8] x) => (float[1,8] y)",
        "n = Neg(x) y = ReduceMax <axes = [1], keepdims = 0> (n)",
        "lookup pool",
        {},
    ),
    "mean_without_class_token": (
        "(float[1,5,8] x) => (float[1,8] y)",
        "t = Slice(x, one, five, one) y = ReduceMean <axes = [1], keepdims = 0> (t)",
        "pool",
        {"one": [1], "five": [5]},
    ),
    "mean_features_first": (
        "(float[1,5,8] x) => (float[1,8] y)",
        "t = Transpose <perm = [0, 2, 1]> (x) y = ReduceMean <axes = [2], keepdims = 0> (t)",
        "pool",
        {},
    ),
    "inputs_side_by_side": (
        "(float[1,8] x, float[1,8] z) => (float[1,3] y)",
        "h = Concat <axis = -1> (x, z) y = MatMul(h, w)",
        "linear",
        {"w": (16, 3)},
    ),
    "constant_side_by_side": (
        "(float[1,5,8] x) => (float[1,5,3] y)",
        "h = Concat <axis = 2> (c, x) y = MatMul(h, w)",
        "linear",
        {"c": (1, 5, 2), "w": (10, 3)},
    ),
    "constant_beside_reordered_tokens": (
        "(float[1,1,6,4] x) => (float[1,3] y)",
        "i = Transpose <perm = [0, 1, 3, 2]> (x) e = Conv <strides = [2, 2]> (i, k) "
        "f = Reshape(e, flat) t = Transpose <perm = [0, 2, 1]> (f) h = Concat <axis = 2> (t, c) "
        "g = Flatten(h) y = MatMul(g, w)",
        "conv linear",
        {"k": (5, 1, 2, 2), "flat": [1, 5, 6], "c": (1, 6, 2), "w": (42, 3)},
    ),
    "class_token_features_first": (
        "(float[1,5,8] x) => (float[1,6,8] y)",
        "t = Transpose <perm = [0, 2, 1]> (x) c = Concat <axis = 2> (k, t) "
        "y = Transpose <perm = [0, 2, 1]> (c)",
        "",
        {"k": (1, 8, 1)},
    ),
    "conv_batch_norm_relu": (
        "(float[1,3,9,7] x) => (float[1,15,4] y)",
        "c = Conv <strides = [2, 2], pads = [1, 0, 0, 1]> (x, k, b) "
        "n = BatchNormalization(c, s, o, m, v) r = Relu(n) f = Reshape(r, s4) "
        "y = Transpose <perm = [0, 2, 1]> (f)",
        "conv lookup",
        {
            "k": (4, 3, 2, 3),
            "b": (4,),
            "s": (4,),
            "o": (4,),
            "m": (4,),
            "v": floats(1, 2, 3, 4),
            "s4": [1, 4, -1],
        },
    ),
    "conv_after_conv": (
        "(float[1,3,9,7] x) => (float[1,2] y)",
        'c = Conv(x, k) d = Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (c, l) '
        "g = GlobalAveragePool(d) y = Flatten(g)",
        "conv conv pool",
        {"k": (4, 3, 3, 3), "l": (2, 4, 3, 2)},
    ),
    "conv_same_lower": (
        "(float[1,1,10] x) => (float[1,4] y)",
        'c = Conv <auto_pad = "SAME_LOWER", strides = [3]> (x, k) m = GlobalMaxPool(c) '
        "y = Squeeze(m, two)",
        "conv pool",
        {"k": (4, 1, 4), "two": [2]},
    ),
    "conv_of_scaled_image": (
        "(float[1,3,6,6] x) => (float[1,4] y)",
        "h = Sub(x, half) i = Div(h, quarter) c = Conv <strides = [2, 2]> (i, k, b) "
        "m = GlobalAveragePool(c) y = Flatten(m)",
        "conv pool",
        {"half": 0.5, "quarter": 0.25, "k": (4, 3, 2, 2), "b": (4,)},
    ),
    "padded_conv_of_scaled_image": (
        "(float[1,3,6,6] x) => (float[1,4] y)",
        "h = Sub(x, half) i = Div(h, quarter) c = Conv <pads = [1, 1, 1, 1]> (i, k) "
        "m = GlobalAveragePool(c) y = Flatten(m)",
        "lookup add conv pool",
        {"half": 0.5, "quarter": 0.25, "k": (4, 3, 2, 2)},
    ),
    "conv_of_transposed_image": (
        "(float[1,9,7] x) => (float[1,4] y)",
        "u = Unsqueeze(x, one) t = Transpose <perm = [0, 1, 3, 2]> (u) "
        "c = Conv <strides = [1, 2], pads = [0, 1, 2, 3]> (t, k) m = GlobalAveragePool(c) "
        "y = Flatten(m)",
        "conv pool",
        {"one": [1], "k": (4, 1, 2, 3)},
    ),
    "patches_by_rearrangement": (
        "(float[1,3,8,6] x) => (float[1,12,5] y)",
        "r = Reshape(x, parts) t = Transpose <perm = [0, 2, 4, 3, 5, 1]> (r) "
        "f = Reshape(t, tokens) y = MatMul(f, w)",
        "conv",
        {"parts": [1, 3, 4, 2, 3, 2], "tokens": [1, 12, 12], "w": (12, 5)},
    ),
    "patches_channels_outside": (
        "(float[1,3,8,6] x) => (float[1,12,5] y)",
        "r = Reshape(x, parts) t = Transpose <perm = [0, 2, 4, 1, 3, 5]> (r) "
        "f = Reshape(t, tokens) h = MatMul(f, w) y = Add(h, b)",
        "conv",
        {"parts": [1, 3, 4, 2, 3, 2], "tokens": [1, 12, 12], "w": (12, 5), "b": (5,)},
    ),
    "signal_in_frames": (
        "(float[1,2,12] x) => (float[1,4,5] y)",
        "r = Reshape(x, parts) t = Transpose <perm = [0, 2, 1, 3]> (r) "
        "f = Reshape(t, tokens) y = MatMul(f, w)",
        "conv",
        {"parts": [1, 2, 4, 3], "tokens": [1, 4, 6], "w": (6, 5)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_spelling(name: str, tmp_path: Path) -> None:
    signature, body, ops, weights = CASES[name]
    check(tmp_path, model_of(signature, body, weights), ops)


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    model: onnx.ModelProto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17, "local": 1]> '
        "g (float[1,5,8] x) => (float[1,5,8] y) { y = local.twice(x) } "
        '<domain: "local", opset_import: ["": 17]> twice (a) => (c) { b = Relu(a) c = Tanh(b) }'
    )
    with pytest.raises(tinyformer.onnx.UnsupportedModelError, match="tanh"):
        check(tmp_path, model, "")  # tanh(relu(x)) is no function that a table is made for


def test_external_weights_are_read(tmp_path: Path) -> None:
    model = model_of(TOKENS, "y = MatMul(x, w)", {"w": (8, 8)})
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    inputs = inputs_of(model)
    weight = np.random.default_rng(404).normal(0, 8**-0.5, (8, 8)).astype(np.float32)
    imported = tinyformer.onnx.load(path)
    (result,) = Interpreter(imported.module).run([inputs["x"]])
    np.testing.assert_allclose(result, inputs["x"] @ weight, rtol=0, atol=TOLERANCE)


def test_factor_of_a_lookup(tmp_path: Path) -> None:
    body = "c = Mul(x, f) s = Sigmoid(c) h = Mul(x, s) y = MatMul(h, w)"
    lookup, _ = check(tmp_path, model_of(TOKENS, body, {"f": 1.702, "w": (8, 8)}), "lookup linear")
    assert "silu" in lookup["function"]
    assert lookup["factor"] == pytest.approx(1.702, rel=1e-6)


def test_epsilon_follows_the_factor(tmp_path: Path) -> None:
    body = "h = Mul(x, c) y = LayerNormalization <epsilon = 0.1> (h, g)"
    (norm,) = check(tmp_path, model_of(TOKENS, body, {"c": 0.5, "g": (8,)}), "layernorm")
    assert norm["epsilon"] == pytest.approx(0.4, rel=1e-6)
