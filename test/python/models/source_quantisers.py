# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the files `quantised_*.onnx` of this folder: an encoder layer as each tool quantises it.

    python source_quantisers.py

Needs PyTorch, Brevitas, NNCF, torchao, onnxoptimizer, onnxscript and onnx; README.md has the
versions. Weights and calibration data are random, from fixed seeds.
"""

from __future__ import annotations

from pathlib import Path

import brevitas.nn as qnn
import nncf
import numpy as np
import onnx
import torch
from brevitas.export import export_onnx_qcdq
from brevitas.graph.calibrate import calibration_mode
from brevitas.quant import (
    Int8ActPerTensorFloat,
    Int8WeightPerChannelFloat,
    Int32Bias,
    Uint8ActPerTensorFloat,
)
from torch import nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

HERE = Path(__file__).parent
TOKENS, WIDTH, HEADS, HIDDEN, CLASSES = 9, 16, 2, 32, 4
SHAPE = (1, TOKENS, WIDTH)
SAMPLES = 32
OPSET = 17


def split(x: torch.Tensor) -> torch.Tensor:
    """[1, S, E] to [1, H, S, P]."""
    return x.reshape(1, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention; `scores` and `weights` may quantise what is inside."""

    def __init__(self, linear: type[nn.Linear] = nn.Linear) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (linear(WIDTH, WIDTH) for _ in range(4))
        self.scores, self.weights = nn.Identity(), nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (split(part(x)) for part in (self.query, self.key, self.value))
        scores = self.scores(query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5)
        context = self.weights(torch.softmax(scores, -1)) @ value
        return self.out(context.transpose(1, 2).reshape(SHAPE))


class Layer(nn.Module):
    """An encoder layer and a classifier of the mean token."""

    def __init__(self, linear: type[nn.Linear] = nn.Linear) -> None:
        super().__init__()
        self.norm1, self.attention, self.norm2 = (
            nn.LayerNorm(WIDTH),
            Attention(linear),
            nn.LayerNorm(WIDTH),
        )
        self.up, self.down = linear(WIDTH, HIDDEN), linear(HIDDEN, WIDTH)
        self.head = linear(WIDTH, CLASSES)
        self.input, self.middle, self.end = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.input(x)
        x = self.middle(x + self.attention(self.norm1(x)))
        x = self.end(x + self.down(nn.functional.gelu(self.up(self.norm2(x)))))
        return self.head(x.mean(1))


def inputs() -> list[torch.Tensor]:
    """Samples for calibration."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(SHAPE, generator=generator) for _ in range(SAMPLES)]


def brevitas_linear(inputs: int, outputs: int) -> nn.Module:
    """A linear layer with 8 bits on all sides."""
    return qnn.QuantLinear(
        inputs,
        outputs,
        bias=True,
        weight_quant=Int8WeightPerChannelFloat,
        input_quant=Int8ActPerTensorFloat,
        output_quant=Int8ActPerTensorFloat,
        bias_quant=Int32Bias,
    )


def write_brevitas() -> None:
    """Quantised everywhere, so that the file says all ranges."""
    torch.manual_seed(0)
    model = Layer(brevitas_linear).eval()
    for holder, name in ((model, "input"), (model, "middle"), (model, "end")):
        setattr(holder, name, qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat))
    model.attention.scores = qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat)
    model.attention.weights = qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat)
    with torch.no_grad(), calibration_mode(model):
        for x in inputs():
            model(x)
    path = HERE / "quantised_brevitas.onnx"
    export_onnx_qcdq(
        model, args=inputs()[0], export_path=str(path), opset_version=OPSET, dynamo=False
    )


def write_nncf() -> None:
    """Post-training quantisation of an ONNX file, with and without smoothed activations."""
    torch.manual_seed(0)
    source = HERE / "nncf_source.onnx"
    torch.onnx.export(
        Layer().eval(), inputs()[0], source, input_names=["x"], opset_version=OPSET, dynamo=False
    )
    model = onnx.load(source)
    source.unlink()
    data = nncf.Dataset([{"x": x.numpy()} for x in inputs()])
    np.random.seed(0)
    for name, kind in (("transformer", nncf.ModelType.TRANSFORMER), ("plain", None)):
        onnx.save(nncf.quantize(model, data, model_type=kind), HERE / f"quantised_nncf_{name}.onnx")


def write_pt2e() -> None:
    """PyTorch's quantisation of exported programs, with the X86 quantizer of torchao."""
    torch.manual_seed(0)
    program = torch.export.export(Layer().eval(), (inputs()[0],)).module()
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(program, quantizer)
    for x in inputs():
        prepared(x)
    converted = torch.export.export(convert_pt2e(prepared), (inputs()[0],))
    torch.onnx.export(
        converted,
        (inputs()[0],),
        HERE / "quantised_pt2e.onnx",
        dynamo=True,
        external_data=False,
        opset_version=18,
    )


def clean() -> None:
    """Removes what exporters note about their host."""
    for path in HERE.glob("quantised_*.onnx"):
        model = onnx.load(path)
        for node in model.graph.node:
            node.doc_string = ""
            kept = [
                item for item in node.metadata_props if item.key == "pkg.torch.onnx.name_scopes"
            ]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        del model.metadata_props[:], model.graph.metadata_props[:]
        for info in (*model.graph.input, *model.graph.output, *model.graph.value_info):
            del info.metadata_props[:]
        onnx.save(model, path)


if __name__ == "__main__":
    write_brevitas()
    write_nncf()
    write_pt2e()
    clean()
