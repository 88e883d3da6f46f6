# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention in spellings that the files in `models` do not have, and what is no self-attention."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper
from test_onnx_helpers import TOKENS, Weight, check, floats, model_of
from test_onnx_refusals import refusal_of

# Attention: projections to [1, H, S, P], the scores, and the context back to tokens.
HEADS = (
    "qp = MatMul(x, wq) qb = Add(qp, bq) qr = Reshape(qb, split) "
    "kp = MatMul(x, wk) kb = Add(kp, bk) kr = Reshape(kb, split) "
    "vp = MatMul(x, wv) vb = Add(vp, bv) vr = Reshape(vb, split) "
)
PERMUTED = (
    HEADS + "q = Transpose <perm = [0, 2, 1, 3]> (qr) k = Transpose <perm = [0, 2, 1, 3]> (kr) "
    "v = Transpose <perm = [0, 2, 1, 3]> (vr) "
)
MERGED = (
    "m = Transpose <perm = [0, 2, 1, 3]> (c) r = Reshape(m, joined) "
    "o = MatMul(r, wo) y = Add(o, bo)"
)
PROJECTIONS: dict[str, Weight] = {
    **{f"w{part}": (8, 8) for part in "qkvo"},
    **{f"b{part}": (8,) for part in "qkvo"},
    "split": [1, 5, 2, 4],
    "joined": [1, 5, 8],
    "scale": 0.3,
}

ATTENTION = {
    "by_einsum": HEADS + 's = Einsum <equation = "bihd,bjhd->bhij"> (qr, kr) z = Mul(s, scale) '
    'p = Softmax(z) c = Einsum <equation = "bhij, bjhd -> bhid"> (p, vr) ' + MERGED,
    "keys_first": PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (q) s = MatMul(k, t) "
    "z = Mul(s, scale) p = Softmax <axis = 2> (z) u = Transpose <perm = [0, 1, 3, 2]> (p) "
    "c = MatMul(u, v) " + MERGED,
    "values_first": PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) "
    "z = Mul(s, scale) p = Softmax(z) pt = Transpose <perm = [0, 1, 3, 2]> (p) "
    "vt = Transpose <perm = [0, 1, 3, 2]> (v) ct = MatMul(vt, pt) "
    "c = Transpose <perm = [0, 1, 3, 2]> (ct) " + MERGED,
    "mask_constant_along_rows": PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (k) "
    "s = MatMul(q, t) z = Mul(s, scale) a = Add(z, rows) p = Softmax(a) c = MatMul(p, v) " + MERGED,
    "scale_everywhere": PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (k) q2 = Mul(scale, q) "
    "t2 = Div(t, scale) s = MatMul(q2, t2) z = Mul(s, scale) p = Softmax(z) "
    "v2 = Mul(v, scale) c = MatMul(p, v2) " + MERGED,
    "numbers_added": PERMUTED + "q2 = Add(q, scale) k2 = Mul(k, scale) v2 = Sub(v, scale) "
    "t = Transpose <perm = [0, 1, 3, 2]> (k2) s = MatMul(q2, t) p = Softmax(s) "
    "c = MatMul(p, v2) " + MERGED,
    "bias_behind_the_heads": "qp = MatMul(x, wq) qr = Reshape(qp, split) "
    "kp = MatMul(x, wk) kr = Reshape(kp, split) vp = MatMul(x, wv) vr = Reshape(vp, split) "
    "qa = Add(qr, heads) q = Transpose <perm = [0, 2, 1, 3]> (qa) "
    "t = Transpose <perm = [0, 2, 3, 1]> (kr) v = Transpose <perm = [0, 2, 1, 3]> (vr) "
    "s = MatMul(q, t) z = Mul(s, scale) p = Softmax(z) c = MatMul(p, v) " + MERGED,
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention(name: str, tmp_path: Path) -> None:
    extra: dict[str, Weight] = {"rows": (1, 2, 5, 1), "heads": (1, 1, 2, 4)}
    model = model_of(TOKENS, ATTENTION[name], {**PROJECTIONS, **extra})
    (mhsa,) = check(tmp_path, model, "mhsa")
    assert mhsa["heads"] == 2
    assert mhsa["scale"] == pytest.approx(0.3, rel=1e-6)


def test_attention_without_output_projection(tmp_path: Path) -> None:
    body = (
        PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) p = Softmax(s) "
        "c = MatMul(p, v) m = Transpose <perm = [0, 2, 1, 3]> (c) y = Reshape(m, joined)"
    )
    (mhsa,) = check(tmp_path, model_of(TOKENS, body, PROJECTIONS), "mhsa")
    assert mhsa["scale"] == 1.0


def test_one_head_without_reshapes(tmp_path: Path) -> None:
    body = (
        "q = MatMul(x, wq) k = MatMul(x, wk) v = MatMul(x, wv) "
        "t = Transpose <perm = [0, 2, 1]> (k) s = MatMul(q, t) p = Softmax(s) c = MatMul(p, v) "
        "y = MatMul(c, wo)"
    )
    (mhsa,) = check(tmp_path, model_of(TOKENS, body, PROJECTIONS), "mhsa")
    assert mhsa["heads"] == 1


def test_attention_without_projections(tmp_path: Path) -> None:
    body = "t = Transpose <perm = [0, 2, 1]> (x) s = MatMul(x, t) p = Softmax(s) y = MatMul(p, x)"
    check(tmp_path, model_of(TOKENS, body), "mhsa")


def test_values_and_outputs_of_other_widths(tmp_path: Path) -> None:
    body = (
        "q = MatMul(x, wq) k = MatMul(x, wk) v = MatMul(x, wv) "
        "t = Transpose <perm = [0, 2, 1]> (k) s = MatMul(q, t) p = Softmax(s) c = MatMul(p, v) "
        "y = MatMul(c, wo)"
    )
    weights: dict[str, Weight] = {"wq": (8, 2), "wk": (8, 2), "wv": (8, 6), "wo": (6, 3)}
    signature = "(float[1,5,8] x) => (float[1,5,3] y)"
    check(tmp_path, model_of(signature, body, weights), "mhsa")


def test_keys_shared_by_heads(tmp_path: Path) -> None:
    body = (
        "qp = MatMul(x, wq) qr = Reshape(qp, split) q = Transpose <perm = [0, 2, 1, 3]> (qr) "
        "k = MatMul(x, wk) t = Transpose <perm = [0, 2, 1]> (k) t1 = Unsqueeze(t, one) "
        "v = MatMul(x, wv) v1 = Unsqueeze(v, one) s = MatMul(q, t1) p = Softmax(s) "
        "c = MatMul(p, v1) " + MERGED
    )
    weights: dict[str, Weight] = {**PROJECTIONS, "wk": (8, 4), "wv": (8, 4), "one": [1]}
    (mhsa,) = check(tmp_path, model_of(TOKENS, body, weights), "mhsa")
    assert mhsa["heads"] == 2


@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_attention_operator_of_rank_3(tmp_path: Path, kv_heads: int) -> None:
    body = (
        "q = MatMul(x, wq) k = MatMul(x, wk) v = MatMul(x, wv) "
        f"c = Attention <q_num_heads = 4, kv_num_heads = {kv_heads}, scale = 0.25> (q, k, v, m) "
        "y = MatMul(c, wo)"
    )
    width = 2 * kv_heads
    weights: dict[str, Weight] = {**PROJECTIONS, "wk": (8, width), "wv": (8, width)}
    model = model_of(TOKENS, body, weights, opset=23)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((5, 5), bool), "m"))
    (mhsa,) = check(tmp_path, model, "mhsa")
    assert mhsa["scale"] == 0.25
    assert mhsa["heads"] == 4


def test_tokens_in_another_order_than_in_memory(tmp_path: Path) -> None:
    """The transposed image gives its patches by columns; attention, positions, mean do not mind."""
    body = (
        "i = Transpose <perm = [0, 1, 3, 2]> (image) e = Conv <strides = [2, 2]> (i, kernel) "
        "f = Reshape(e, flat) n = Transpose <perm = [0, 2, 1]> (f) x = Add(n, positions) "
        + PERMUTED
        + "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) p = Softmax(s) "
        + "c = MatMul(p, v) "
        + MERGED.replace("y =", "z =")
        + " a = Add(z, x) g = Gather <axis = 1> (a, third) l = LayerNormalization(g, bo) "
        "h = ReduceMean <axes = [1], keepdims = 0> (a) y = Add(l, h)"
    )
    weights: dict[str, Weight] = {
        **PROJECTIONS,
        "kernel": (8, 1, 2, 2),
        "positions": (1, 6, 8),
        "flat": [1, 8, 6],
        "split": [1, 6, 2, 4],
        "joined": [1, 6, 8],
    }
    model = model_of("(float[1,1,6,4] image) => (float[1,8] y)", body, weights)
    model.graph.initializer.append(numpy_helper.from_array(np.array(3), "third"))
    check(tmp_path, model, "conv add mhsa add layernorm pool add")


SCORES = PERMUTED + "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) "
CONTEXT = "c = MatMul(p, v) " + MERGED
TO_HEADS = "Transpose <perm = [0, 2, 1, 3]>"

# name: body, weights beside those of the projections, what the message says
REFUSED: dict[str, tuple[str, dict[str, Weight], str]] = {
    "relative_positions": (
        SCORES + "a = Add(s, mask) p = Softmax(a) " + CONTEXT,
        {"mask": (1, 2, 5, 5)},
        "adds a bias of positions .* biases of scores .* are not supported",
    ),
    "padding_mask": (
        SCORES + "a = Add(s, mask) p = Softmax(a) " + CONTEXT,
        {"mask": floats(0, 0, 0, 0, -1e9)},
        "adds a mask to the scores of attention; .* every token attends to all",
    ),
    "scores_plus_an_activation": (
        SCORES + "other = MatMul(k, t) a = Add(s, other) p = Softmax(a) " + CONTEXT,
        {},
        "combines the scores .* by Add; masks that are an input are not supported",
    ),
    "causal_mask_of_a_large_number": (
        SCORES + "a = Add(s, mask) p = Softmax(a) " + CONTEXT,
        {"mask": np.triu(np.full((5, 5), -3e38, np.float32), 1)},
        "adds a causal mask",
    ),
    "softcap": (
        SCORES + "a = Tanh(s) p = Softmax(a) " + CONTEXT,
        {},
        "softmax of a function of the scores",
    ),
    "temperature_for_each_head": (
        SCORES + "a = Mul(s, mask) p = Softmax(a) " + CONTEXT,
        {"mask": (1, 2, 1, 1)},
        "reads the scores of .* exist only inside self-attention",
    ),
    "scaled_probabilities": (
        SCORES + "p1 = Softmax(s) p = Mul(p1, mask) " + CONTEXT,
        {"mask": 0.5},
        "changes the probabilities of attention",
    ),
    "softmax_over_queries": (
        SCORES + "p = Softmax <axis = 2> (s) " + CONTEXT,
        {},
        "changes the probabilities of attention",
    ),
    "no_softmax": (
        SCORES + "p = Relu(s) " + CONTEXT,
        {},
        "reads the scores of 'matmul_.*' of|reads the scores",
    ),
    "cross_attention": (
        "z = Relu(x) "
        + PERMUTED.replace("kp = MatMul(x", "kp = MatMul(z")
        + "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) p = Softmax(s) "
        + CONTEXT,
        {},
        "is cross-attention: .* come from different tensors, 'x' and 'relu_0'",
    ),
    "class_attention": (
        HEADS + "q1 = Gather <axis = 1> (qr, zero) q2 = Unsqueeze(q1, one) "
        f"q = {TO_HEADS} (q2) k = {TO_HEADS} (kr) v = {TO_HEADS} (vr) "
        "t = Transpose <perm = [0, 1, 3, 2]> (k) s = MatMul(q, t) p = Softmax(s) c = MatMul(p, v) "
        "m = Transpose <perm = [0, 2, 1, 3]> (c) r = Reshape(m, joined) y = MatMul(r, wo)",
        {"zero": 0.0, "one": [1], "joined": [1, 1, 8]},
        "lets 1 of 5 tokens attend",
    ),
    "heads_across_tokens": (
        SCORES.replace(
            "kr = Reshape(kb, split)", "kr0 = Reshape(kb, other) kr = Reshape(kr0, split)"
        ).replace("k = Transpose <perm = [0, 2, 1, 3]> (kr)", "k = Reshape(kr, flat)")
        + "p = Softmax(s) "
        + CONTEXT,
        {"other": [1, 2, 5, 4], "flat": [1, 2, 5, 4]},
        "reads keys in which a head is no slice of the features",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_attention_is_refused(name: str, tmp_path: Path) -> None:
    body, extra, message = REFUSED[name]
    signature = TOKENS.replace("[1,5,8] y", "[1,1,8] y") if name == "class_attention" else TOKENS
    weights: dict[str, Weight] = {**PROJECTIONS, **extra}
    model = model_of(signature, body, weights)
    for tensor in model.graph.initializer:
        if tensor.name == "zero":
            tensor.CopyFrom(numpy_helper.from_array(np.array(0), "zero"))
    assert re.search(message, refusal_of(tmp_path, model))


def test_batch_of_samples_in_attention(tmp_path: Path) -> None:
    body = SCORES + "p = Softmax(s) " + CONTEXT
    weights: dict[str, Weight] = {**PROJECTIONS, "split": [2, 5, 2, 4], "joined": [2, 5, 8]}
    model = model_of("(float[2,5,8] x) => (float[2,5,8] y)", body, weights)
    assert "export with batch 1" in refusal_of(tmp_path, model)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [("is_causal = 1", "is causal, as in decoders"), ("softcap = 2.0", "softcap")],
)
def test_attention_operator(tmp_path: Path, attributes: str, message: str) -> None:
    body = f"y = Attention <q_num_heads = 2, kv_num_heads = 2, {attributes}> (x, x, x)"
    assert message in refusal_of(tmp_path, model_of(TOKENS, body, opset=23))


def test_attention_operator_with_a_mask(tmp_path: Path) -> None:
    body = "y = Attention <q_num_heads = 2, kv_num_heads = 2> (x, x, x, m)"
    model = model_of(TOKENS, body, opset=23)
    mask = np.tril(np.ones((5, 5), bool))
    model.graph.initializer.append(numpy_helper.from_array(mask, "m"))
    assert "adds a causal mask" in refusal_of(tmp_path, model)
