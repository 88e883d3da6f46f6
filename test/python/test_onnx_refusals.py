# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What cannot be imported is refused with the place, the reason and a way out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, parser
from test_onnx_helpers import TOKENS, Weight, floats, model_of, saved
from tinyformer.errors import TinyFormerError
from tinyformer.onnx import ModelFileError, UnsupportedModelError, load

MODELS = Path(__file__).parent / "models"

FILES = {
    "unsupported_causal_mask": (
        "node 'add_14' (Add of 'mul_13' 1x3x7x7, 'const_10' 1x1x7x7 giving 'add_14'): "
        "adds a causal mask",
        "remove it",
    ),
    "unsupported_dynamic_batch": (
        "dimension 0 of the input 'x' is dynamic ('batch')",
        "python -m onnxruntime.tools.make_dynamic_shape_fixed --dim_param batch --dim_value 1",
    ),
    "unsupported_dynamic_sequence": (
        "dimension 1 of the input 'x' is dynamic ('sequence')",
        "the length that the device will see",
    ),
    "unsupported_lstm": ("node 'lstm_0' (LSTM of 'x' 7x1x12,", "replace the recurrent layer"),
    "unsupported_nan_weight": (
        "has the weight 'const_0' with 1 value(s) that are not finite: nan at [3, 4]",
        "training diverged",
    ),
}


def test_every_unsupported_file_is_listed() -> None:
    assert set(FILES) == {path.stem for path in MODELS.glob("unsupported_*.onnx")}


@pytest.mark.parametrize("name", FILES)
def test_file_is_refused(name: str) -> None:
    path = MODELS / f"{name}.onnx"
    with pytest.raises(UnsupportedModelError) as refusal:
        load(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}: ")
    for part in FILES[name]:
        assert part in message


def refusal_of(directory: Path, model: onnx.ModelProto) -> str:
    """The message about a model."""
    path = saved(directory, model)
    with pytest.raises(UnsupportedModelError) as refusal:
        load(path)
    assert isinstance(refusal.value, TinyFormerError)
    message = str(refusal.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


# name: signature, body, weights, what the message says
CASES: dict[str, tuple[str, str, dict[str, Weight], str]] = {
    "grouped_convolution": (
        "(float[1,4,6,6] x) => (float[1,4,5,5] y)",
        "y = Conv <group = 4> (x, k)",
        {"k": (4, 1, 2, 2)},
        r"node 'conv_0' \(Conv of 'x' 1x4x6x6, 'k' 4x1x2x2 giving 'y'\): is a convolution in 4 "
        r"groups .* use groups=1",
    ),
    "dilated_convolution": (
        "(float[1,4,6,6] x) => (float[1,2,4,4] y)",
        "y = Conv <dilations = [2, 2]> (x, k)",
        {"k": (2, 4, 2, 2)},
        "dilated convolution; use dilation=1",
    ),
    "volume_convolution": (
        "(float[1,1,4,4,4] x) => (float[1,2,3,3,3] y)",
        "y = Conv(x, k)",
        {"k": (2, 1, 2, 2, 2)},
        "convolves in 3 dimensions; use Conv1d or Conv2d",
    ),
    "convolution_of_a_batch": (
        "(float[2,1,6,6] x) => (float[2,2,5,5] y)",
        "y = Conv(x, k)",
        {"k": (2, 1, 2, 2)},
        "convolves a batch of 2; export with batch 1",
    ),
    "max_pooling": (
        "(float[1,4,6,6] x) => (float[1,4,3,3] y)",
        "y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x)",
        {},
        "MaxPool is not supported; use a strided convolution",
    ),
    "gating": (
        TOKENS,
        "h = MatMul(x, w) i = MatMul(x, v) y = Mul(h, i)",
        {"w": (8, 8), "v": (8, 8)},
        "combines two different activations by Mul; gating .*RMSNorm",
    ),
    "unknown_function": (
        TOKENS,
        "y = Softsign(x)",
        {},
        r"the output 'y' .* none of relu, gelu, gelu_tanh, tanh, sigmoid, silu, .*; the closest, ",
    ),
    "unknown_function_inside": (
        TOKENS,
        "h = Softsign(x) y = MatMul(h, w)",
        {"w": (8, 8)},
        r"node 'matmul_1' .* reads a function of one variable that is none of",
    ),
    "broadcast_activation": (
        TOKENS,
        "m = ReduceMean <axes = [1]> (x) y = Add(x, m)",
        {},
        "adds activations of the shapes .1, 5, 8. and .1, 1, 8.",
    ),
    "constant_repeats_activation": (
        "(float[1,1,8] x) => (float[1,5,8] y)",
        "y = Add(x, c)",
        {"c": (5, 8)},
        "repeats an activation of shape .1, 1, 8. for a constant of shape .5, 8.",
    ),
    "factors_of_tokens": (
        TOKENS,
        "y = Mul(x, g)",
        {"g": (5, 1)},
        "multiplies 'x' by a constant of shape .5, 1., which is not one factor for each feature",
    ),
    "power_by_features": (
        TOKENS,
        "y = Pow(x, g)",
        {"g": (8,)},
        "combines an activation and a constant of shape .8. by Pow; only one number",
    ),
    "mean_over_features": (
        "(float[1,5,8] x) => (float[1,5,1] y)",
        "y = ReduceMean <axes = [-1]> (x)",
        {},
        "the means over the features .* exist only inside layer normalisation",
    ),
    "maximum_over_features": (
        "(float[1,5,8] x) => (float[1,5,1] y)",
        "y = ReduceMax <axes = [-1]> (x)",
        {},
        "takes the max over the features of each token; pool over the tokens",
    ),
    "rms_normalisation": (
        TOKENS,
        "s = Mul(x, x) m = ReduceMean <axes = [-1]> (s) e = Add(m, eps) r = Sqrt(e) y = Div(x, r)",
        {"eps": 1e-5},
        "a function of its means over the features by Div; RMSNorm .* use nn.LayerNorm",
    ),
    "sequence_pooling": (
        "(float[1,5,8] x) => (float[1,1,8] y)",
        "l = MatMul(x, w) s = Softmax <axis = 1> (l) t = Transpose <perm = [0, 2, 1]> (s) "
        "h = MatMul(t, x) y = LayerNormalization(h, g)",
        {"w": (8, 1), "g": (8,)},
        "weights activations by a softmax .* pool by the mean, the maximum, or a class token",
    ),
    "sequence_pooling_by_a_sum": (
        "(float[1,5,8] x) => (float[1,8] y)",
        "l = MatMul(x, w) s = Softmax <axis = 1> (l) h = Mul(s, x) "
        "y = ReduceSum <keepdims = 0> (h, axis)",
        {"w": (8, 1), "axis": [1]},
        "weights activations by a softmax .* pool by the mean, the maximum, or a class token",
    ),
    "learned_queries": (
        "(float[1,5,8] x) => (float[1,2,1,5] y)",
        "r = Reshape(x, split) k = Transpose <perm = [0, 2, 3, 1]> (r) y = MatMul(q, k)",
        {"split": [1, 5, 2, 4], "q": (1, 2, 1, 4)},
        r"has a weight of shape .1, 2, 4, 1.: .* learned queries\) is not supported",
    ),
    "normalisation_by_the_deviation_plus_epsilon": (
        TOKENS,
        "m = ReduceMean <axes = [-1]> (x) d = Sub(x, m) s = Mul(d, d) "
        "v = ReduceMean <axes = [-1]> (s) r = Sqrt(v) e = Add(r, eps) y = Div(d, e)",
        {"eps": 0.1},
        "divides by another function of the variance",
    ),
    "normalisation_over_tokens_and_features": (
        TOKENS,
        "y = LayerNormalization <axis = 1> (x, g)",
        {"g": (5, 8)},
        "normalises over the last 2 axes",
    ),
    "transposed_output": (
        "(float[1,5,8] x) => (float[1,8,5] y)",
        "y = Transpose <perm = [0, 2, 1]> (x)",
        {},
        r"the output 'y' \(1x8x5\) needs the elements of 'x' in another order",
    ),
    "reordered_output": (
        "(float[1,1,6,4] x) => (float[1,6,5] y)",
        "i = Transpose <perm = [0, 1, 3, 2]> (x) e = Conv <strides = [2, 2]> (i, k) "
        "f = Reshape(e, flat) y = Transpose <perm = [0, 2, 1]> (f)",
        {"k": (5, 1, 2, 2), "flat": [1, 5, 6]},
        "the output 'y' .* needs the elements of 'conv_1' in another order",
    ),
    "transposed_tokens": (
        TOKENS,
        "h = MatMul(x, w) r = Reshape(h, s) t = Transpose <perm = [0, 2, 1]> (r) f = Reshape(t, u) "
        "y = LayerNormalization(f, g)",
        {"w": (8, 8), "s": [1, 8, 5], "u": [1, 5, 8], "g": (8,)},
        "node 'layernormalization_4' .* needs the elements of 'matmul_0' in another order",
    ),
    "residual_in_another_order": (
        "(float[1,4,4] x) => (float[1,4,4] y)",
        "t = Transpose <perm = [0, 2, 1]> (x) y = Add(x, t)",
        {},
        "in another order than they are in memory",
    ),
    "repeated_tokens": (
        "(float[1,1,8] x) => (float[1,5,8] y)",
        "h = Expand(x, s) y = LayerNormalization(h, g)",
        {"s": [1, 5, 8], "g": (8,)},
        "repeats rows or columns of 'x'",
    ),
    "scattered_tokens": (
        "(float[1,5,8] x) => (float[1,2,8] y)",
        "h = Gather <axis = 1> (x, i) y = LayerNormalization(h, g)",
        {"i": [0, 3], "g": (8,)},
        "picks rows or columns of 'x' that are not neighbours",
    ),
    "weights_for_each_head": (
        "(float[1,2,5,8] x) => (float[1,2,5,3] y)",
        "y = MatMul(x, w)",
        {"w": (2, 8, 3)},
        "has a weight of shape .2, 8, 3.: a matrix for each batch entry or head",
    ),
    "infinite_bias": (
        TOKENS,
        "h = MatMul(x, w) y = Add(h, b)",
        {"w": (8, 8), "b": floats(0, 1, np.inf, 0, 0, 0, 0, -np.inf)},
        r"the constant 'b' with 2 value\(s\) that are not finite: inf at .2.",
    ),
    "data_dependent_choice": (
        TOKENS,
        "c = Greater(x, z) y = Where(c, x, z)",
        {"z": 0.0},
        "Greater is not supported",
    ),
    "argmax": (
        "(float[1,8] x) => (int64[1,1] y)",
        "y = ArgMax <axis = 1> (x)",
        {},
        "ArgMax is not supported; let the network end with its logits",
    ),
    "cast": (
        "(float[1,8] x) => (int64[1,8] y)",
        "y = Cast <to = 7> (x)",
        {},
        "casts an activation",
    ),
    "random": (
        TOKENS,
        "n = RandomNormal <shape = [1, 5, 8]> () y = Add(x, n)",
        {},
        "RandomNormal is not supported",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_node_is_refused(name: str, tmp_path: Path) -> None:
    signature, body, weights, message = CASES[name]
    assert re.search(message, refusal_of(tmp_path, model_of(signature, body, weights)))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (TensorProto.INT64, "the output 'y' .*are token ids"),
        (TensorProto.FLOAT16, r"elements of type float16.*model\.float\(\)"),
    ],
)
def test_input_of_another_type(tmp_path: Path, kind: int, message: str) -> None:
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Identity(x)")
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.elem_type = kind
    assert re.search(message, refusal_of(tmp_path, model))


def test_input_without_shape(tmp_path: Path) -> None:
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Relu(x)")
    model.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ModelFileError, match="'shape' of 'type' is required"):
        load(saved(tmp_path, model))


def test_input_without_dimensions(tmp_path: Path) -> None:
    model = model_of("(float x) => (float y)", "y = Relu(x)")
    assert "the input 'x' has no dimension; export it with the shape [1]" in refusal_of(
        tmp_path, model
    )


@pytest.mark.parametrize("body", ["y = ReduceMean <keepdims = 0> (x)", "y = MatMul(x, w)"])
def test_output_without_dimensions(body: str, tmp_path: Path) -> None:
    model = model_of("(float[8] x) => (float y)", body, {"w": (8,)})
    assert "the output 'y' has no dimension; keep one" in refusal_of(tmp_path, model)


def test_unnamed_dynamic_dimension(tmp_path: Path) -> None:
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Relu(x)")
    model.graph.input[0].type.tensor_type.shape.dim[1].Clear()
    message = refusal_of(tmp_path, model)
    assert "dimension 1 of the input 'x' is dynamic (without a size)" in message
    assert "--input_name x" in message


def test_old_opset(tmp_path: Path) -> None:
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Relu(x)", opset=11)
    assert "uses ONNX opset 11, but TinyFormer reads 13 and newer" in refusal_of(tmp_path, model)


def test_operator_of_a_runtime(tmp_path: Path) -> None:
    model: onnx.ModelProto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]> '
        "g (float[1,8] x) => (float[1,8] y) { y = com.microsoft.FastGelu(x) }"
    )
    message = refusal_of(tmp_path, model)
    assert "is an operator of the domain 'com.microsoft'" in message
    assert "before any runtime's optimiser" in message


def test_constant_output(tmp_path: Path) -> None:
    model = model_of("(float[1,8] x) => (float[8] y)", "y = Relu(c)", {"c": (8,)})
    assert "the output 'y' does not depend on the input" in refusal_of(tmp_path, model)


def test_secondary_result(tmp_path: Path) -> None:
    model = model_of(
        "(float[1,8] x) => (float[1,8] y, float[1,1] m)",
        "y, m = LayerNormalization(x, g)",
        {"g": (8,)},
    )
    assert "the output 'm'" in refusal_of(tmp_path, model)


def test_shapes_that_do_not_fit(tmp_path: Path) -> None:
    model = model_of(TOKENS, "y = Add(x, b)", {"b": (7,)})
    message = refusal_of(tmp_path, model)
    assert "node 'add_0' (Add of 'x' 1x5x8, 'b' 7 giving 'y'): has operands whose shapes" in message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is no such file"):
        load(tmp_path / "absent.onnx")


@pytest.mark.parametrize("content", [b"version https://git-lfs.github.com/spec/v1\n", b"\xff" * 64])
def test_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"is not an ONNX model .*Git LFS"):
        load(path)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    with pytest.raises(ModelFileError, match="is not a valid ONNX model"):
        load(path)


def test_invalid_model(tmp_path: Path) -> None:
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Relu(x)")
    model.graph.node[0].input[0] = "nowhere"
    with pytest.raises(ModelFileError, match=r"is not a valid ONNX model: .*nowhere"):
        load(saved(tmp_path, model))


def test_missing_external_weights(tmp_path: Path) -> None:
    model = model_of(TOKENS, "y = MatMul(x, w)", {"w": (8, 8)})
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelFileError, match=r"weight 'w' is stored in the file 'weights\.bin'"):
        load(path)


def test_branch_is_not_folded(tmp_path: Path) -> None:
    """A branch whose condition is known still sees values that are no operands."""
    branch = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"])],
        "branch",
        [],
        [helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 8])],
    )
    model = model_of("(float[1,8] x) => (float[1,8] y)", "y = Relu(x)")
    del model.graph.node[:]
    node = helper.make_node("If", ["c"], ["y"], "if_0", then_branch=branch, else_branch=branch)
    model.graph.node.append(node)
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "c"))
    assert "If is not supported; remove the branch" in refusal_of(tmp_path, model)
