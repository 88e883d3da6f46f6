# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models that arrive quantised keep their integers, and compute what onnxruntime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from conftest import MODELS, CliResult
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper
from quantised_models import FORMS, quantised, run_onnxruntime, samples_of
from tinyformer import driver
from tinyformer.compiler import Compilation, CompilerError
from tinyformer.mlir import ir
from tinyformer.onnx import load
from tinyformer.onnx.ranges import Encoding
from tinyformer.options import CompileOptions
from tinyformer.quantization import dequantize, quantize, signal_to_noise_db
from tinyformer.reference import Interpreter
from tinyformer.reference.values import constant_array
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

# Hugging Face's classes and nn.TransformerEncoder, by both exporters.
NAMES = [
    "hf_ts_vit_sdpa",
    "hf_dynamo_vit_eager",
    "hf_ts_bert_sdpa",
    "hf_dynamo_bert_encoder_eager",
    "hf_ts_bert_tokens",
    "hf_dynamo_bert_tokens",
    "hf_ts_ast_eager",
    "hf_dynamo_ast_sdpa",
    "torch_ts_encoder_prenorm_gelu",
    "torch_dynamo_encoder_prenorm_gelu",
    "ecg_ts",
]
BOARDS = ["stm32l4", "stm32h7", "gap9"]
FLOOR_DB = 20.0


def compiled(path: Path, target: str = "host") -> Compilation:
    """A compilation without calibration."""
    return driver.load(path, None).start(get_target(target))


def outputs_of(compilation: Compilation, samples: list[dict[str, Any]]) -> npt.NDArray[Any]:
    """The first output of the integer reference, as reals."""
    compilation.run_to("quantize")
    assert compilation.quantized is not None
    reference = Interpreter(compilation.quantized)
    results = [reference.run(integers(compilation, sample)) for sample in samples]
    return np.stack([dequantize(first, compilation.output_tensors[0]) for first, *_ in results])


def integers(compilation: Compilation, sample: dict[str, Any]) -> list[npt.NDArray[Any]]:
    return [quantize(sample[tensor.name], tensor) for tensor in compilation.input_tensors]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_is_as_close_to_onnxruntime_as_wanted(name: str, form: str, tmp_path: Path) -> None:
    path = quantised(name, FORMS[form], tmp_path)
    samples = samples_of(path, 8, seed=1)
    ours, theirs = outputs_of(compiled(path), samples), run_onnxruntime(path, samples)
    assert signal_to_noise_db(theirs, ours) >= FLOOR_DB


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["hf_ts_vit_sdpa", "torch_dynamo_encoder_prenorm_gelu"])
def test_weights_keep_their_integers(name: str, form: str, tmp_path: Path) -> None:
    path = quantised(name, FORMS[form], tmp_path)
    wanted = {
        tuple(sorted(numpy_helper.to_array(tensor).ravel().tolist()))
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type == TensorProto.INT8 and len(tensor.dims) in (2, 4)
    }
    compilation = compiled(path)
    compilation.run_to("quantize")
    found = {tuple(sorted(array.ravel().tolist())) for array in weights_of(compilation.module)}
    # One projection of attention may be a part of a packed one.
    parts = [set(weights) for weights in found - wanted]
    assert len(found & wanted) >= 3
    assert all(any(part <= set(whole) for whole in wanted) for part in parts)


def weights_of(module: ir.Module) -> list[npt.NDArray[np.int8]]:
    """The int8 matrices of a quantised module that are weights."""
    projections = [f"{part}_weight" for part in ("query", "key", "value", "output")]
    names = {
        "tinyattn.linear": ["weight"],
        "tinyattn.conv": ["weight"],
        "tinyattn.mhsa": projections,
    }
    found = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        for name in names.get(op.name, ()):
            found.append(constant_array(getattr(op.opview, name).owner))
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def test_interface_has_the_scales_of_the_file(tmp_path: Path) -> None:
    for form, offset in (("qdq_int8", 0), ("qdq_uint8_channels", -128)):
        path = quantised("hf_ts_vit_sdpa", FORMS[form], tmp_path)
        arrays = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
        compilation = compiled(path)
        compilation.run_to("quantize")
        (pixels,) = compilation.input_tensors
        assert pixels.scale == arrays["pixels_scale"].item()
        assert pixels.zero_point == int(arrays["pixels_zero_point"].item()) + offset


@pytest.mark.slow
@pytest.mark.parametrize("target", BOARDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name",
    ["hf_ts_vit_sdpa", "hf_ts_bert_tokens", "hf_dynamo_ast_sdpa", "torch_ts_encoder_prenorm_gelu"],
)
def test_same_bits_on_boards(name: str, form: str, target: str, tmp_path: Path) -> None:
    path = quantised(name, FORMS[form], tmp_path)
    compilation = compiled(path, target)
    image = compilation.build(tmp_path)
    assert compilation.quantized is not None
    session = open_session(image, compilation.target)
    reference = Interpreter(compilation.quantized)
    for sample in samples_of(path, 2, seed=1):
        inputs = integers(compilation, sample)
        for ours, theirs in zip(session.run(inputs).outputs, reference.run(inputs), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["host", *BOARDS])
def test_float_model_of_token_ids(target: str, tmp_path: Path) -> None:
    model = load(MODELS / "hf_dynamo_bert_tokens.onnx")
    samples = samples_of(MODELS / "hf_dynamo_bert_tokens.onnx", 16, seed=0)
    stacked = {"ids": np.stack([sample["ids"] for sample in samples])}
    outputs = [name for name, _ in model.outputs]
    compilation = Compilation(model.module, model.name, stacked, outputs, get_target(target))
    image = compilation.build(tmp_path)
    assert compilation.quantized is not None
    assert "const int32_t *input_0" in image.header.read_text()
    session, reference = open_session(image, compilation.target), Interpreter(compilation.quantized)
    beside = [{"ids": np.array([[-1, 24, 99, 0, 1, 2, 3, 4, 2**31 - 1]])}]
    for sample in [*samples[:2], *beside]:
        inputs = integers(compilation, sample)
        np.testing.assert_array_equal(session.run(inputs).outputs[0], reference.run(inputs)[0])


def test_arrived_quantised_is_not_fused(tmp_path: Path) -> None:
    path = quantised("hf_ts_vit_sdpa", FORMS["qdq_int8"], tmp_path)
    compilation = compiled(path)
    compilation.run_to("fuse")
    (decision,) = compilation.fusion
    assert decision.quantized and not decision.fused


def test_fused_needs_samples(tmp_path: Path) -> None:
    path = quantised("hf_ts_vit_sdpa", FORMS["qdq_int8"], tmp_path)
    model = driver.load(path, None)
    compilation = model.start(get_target("host"), CompileOptions(fuse="always"))
    with pytest.raises(CompilerError, match=r"attention: .*has no .*--calibration"):
        compilation.run_to("quantize")


def test_samples_fill_what_the_model_does_not_say(tmp_path: Path) -> None:
    name = "torch_dynamo_encoder_prenorm_gelu_opset23"  # its scores are inside one node
    path = quantised(name, FORMS["qdq_int8"], tmp_path)
    with pytest.raises(CompilerError, match=r"self_attn: .*scores_range.*--calibration"):
        compiled(path).run_to("quantize")
    samples = samples_of(path, 16, seed=0)
    np.savez(tmp_path / "samples.npz", x=np.stack([sample["x"] for sample in samples]))
    compilation = driver.load(path, tmp_path / "samples.npz").start(get_target("host"))
    ours, theirs = outputs_of(compilation, samples[:8]), run_onnxruntime(path, samples[:8])
    assert signal_to_noise_db(theirs, ours) >= FLOOR_DB
    arrays = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    assert compilation.input_tensors[0].scale == arrays["x_scale"].item()


def test_command_needs_no_calibration(cli: Any, tmp_path: Path) -> None:
    path = quantised("hf_ts_vit_sdpa", FORMS["qdq_uint8_channels"], tmp_path)
    result: CliResult = cli("compile", path, "--target", "host", "-o", tmp_path / "out")
    assert result.code == 0
    assert "not fused (arrives quantised: keeps its own integers)" in result.out
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "What quantisation costs" not in page and "signal to noise" not in page


def test_floats_need_calibration(cli: Any, tmp_path: Path) -> None:
    path = MODELS / "hf_ts_vit_sdpa.onnx"
    result: CliResult = cli("compile", path, "--target", "host", "-o", tmp_path / "out")
    assert result.code == 2
    assert "is a model of floats" in result.err and "--calibration FILE" in result.err


@given(
    scale=st.floats(2.0**-20, 2.0**20, width=32),
    stored=st.integers(0, 255),
    signed=st.booleans(),
)
def test_range_gives_scale_and_zero_point_back(scale: float, stored: int, signed: bool) -> None:
    """`chooseAffine`, in the same steps and the same double precision."""
    low, high = Encoding(scale, stored - 128 if signed else stored, signed).range
    found = (high - low) / 255.0
    assert found == scale
    assert np.floor(-128.0 - low / found + 0.5) == stored - 128
