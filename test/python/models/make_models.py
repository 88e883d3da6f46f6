# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the ONNX files of this folder, and for each the outputs that onnxruntime gives.

    python make_models.py            # all of them, and the table in README.md
    python make_models.py vit_       # those whose names begin so

Needs PyTorch, onnxscript, transformers, onnx and onnxruntime; README.md has the versions. The
weights are random, from fixed seeds. `<name>.npz` holds samples stacked on the first axis, under
the names of the inputs, and onnxruntime's outputs the same way as `output_<i>`.
"""

from __future__ import annotations

import logging
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
import source_handmade as handmade
import source_huggingface as huggingface
import torch
from numpy.typing import NDArray
from source_torch import Ecg, MultiheadSelfAttention, Vit, VitConfig, encoder
from torch import nn

Exporter = Literal["ts", "dynamo"]
EXPORTERS: tuple[Exporter, Exporter] = ("ts", "dynamo")
Shapes = dict[str, tuple[int, ...]]
Arrays = dict[str, NDArray[np.float32] | NDArray[np.int64]]

HERE = Path(__file__).parent
SAMPLES = 2
LARGEST_FILE = 150_000
OPSETS: dict[Exporter, int | None] = {"ts": 17, "dynamo": None}
IMAGE: Shapes = {"image": (1, 1, 8, 8)}
TABLE_BEGIN, TABLE_END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Export:
    """A PyTorch model and how to export it. `opset` None is the exporter's own default.

    With a `vocabulary`, the inputs are ids below that.
    """

    what: str
    exporter: Exporter
    opset: int | None
    build: Callable[[], nn.Module]
    inputs: Shapes = field(default_factory=lambda: IMAGE)
    randomized: bool = True
    vocabulary: int | None = None


def seed_of(name: str) -> int:
    """A seed that depends on nothing but the name."""
    return zlib.crc32(name.encode())


def both(stem: str, export: Callable[[Exporter], Export]) -> dict[str, Export]:
    """The same model by both exporters; `*` in the name stands for the exporter's."""
    return {stem.replace("*", exporter): export(exporter) for exporter in EXPORTERS}


def encoders() -> dict[str, Export]:
    """nn.TransformerEncoder, and nn.MultiheadAttention alone."""

    def post(exporter: Exporter, opset: int | None) -> Export:
        what = "nn.TransformerEncoder, post-norm, ReLU, 2 layers, S=5 E=16 H=2"
        build = partial(encoder, 16, 2, 24, 2, "relu", norm_first=False)
        return Export(what, exporter, opset, build, {"x": (1, 5, 16)})

    def pre(exporter: Exporter, opset: int | None, randomized: bool = True) -> Export:
        what = "nn.TransformerEncoder, pre-norm, GELU, S=9 E=18 H=3"
        what += "" if randomized else ", fresh: equal weights are shared, biases zero"
        build = partial(encoder, 18, 3, 28, 1, "gelu", norm_first=True)
        return Export(what, exporter, opset, build, {"x": (1, 9, 18)}, randomized)

    def alone(exporter: Exporter, weights: bool, opset: int | None = None) -> Export:
        what = f"nn.MultiheadAttention alone, need_weights={weights}"
        build = partial(MultiheadSelfAttention, 16, 4, weights)
        return Export(what, exporter, opset or OPSETS[exporter], build, {"x": (1, 6, 16)})

    return {
        "torch_ts_encoder_postnorm_relu": post("ts", 14),  # 13 has no s.d.p. attention
        "torch_ts_encoder_prenorm_gelu": pre("ts", 17),
        "torch_ts_encoder_prenorm_gelu_opset20": pre("ts", 20),
        "torch_ts_encoder_fresh": pre("ts", 17, randomized=False),
        "torch_dynamo_encoder_postnorm_relu": post("dynamo", None),
        "torch_dynamo_encoder_prenorm_gelu": pre("dynamo", None),
        "torch_dynamo_encoder_prenorm_gelu_opset18": pre("dynamo", 18),
        "torch_dynamo_encoder_prenorm_gelu_opset23": pre("dynamo", 23),
        "torch_dynamo_encoder_fresh": pre("dynamo", None, randomized=False),
        **both("torch_*_mha", lambda exporter: alone(exporter, weights=False)),
        "torch_ts_mha_weights_opset13": alone("ts", weights=True, opset=13),
        **both("torch_*_mha_weights", lambda exporter: alone(exporter, weights=True)),
    }


def vits() -> dict[str, Export]:
    """Handwritten vision transformers: what varies is in the name."""
    variants: dict[str, tuple[str, VitConfig]] = {
        "separate_scale_scores": ("(q k^T) * c", VitConfig("separate", "scores")),
        "separate_scale_query": ("(q * c) k^T", VitConfig("separate", "query")),
        "separate_scale_key": ("q (k * c)^T", VitConfig("separate", "key")),
        "separate_divide": ("(q k^T) / c", VitConfig("separate", "divide")),
        "separate_sdpa": ("scaled_dot_product_attention", VitConfig("separate", "sdpa")),
        "packed_scale_both": ("packed QKV, unbind, (q * c) (k * c)^T", VitConfig("packed", "both")),
        "packed_sdpa": ("packed QKV, unbind, s.d.p. attention", VitConfig("packed", "sdpa")),
        "chunked_scale_scores": ("packed QKV, chunk", VitConfig("chunked", "scores")),
        "mean_pool": ("mean over the tokens, no class token", VitConfig(pool="mean")),
        "tanh_gelu": ("GELU by tanh", VitConfig(approximate="tanh")),
        "overlapping_patches": (
            "conv kernel 3, stride 2, padding 1",
            VitConfig(kernel=3, stride=2, padding=1),
        ),
    }
    exports: dict[str, Export] = {}
    for name, (what, config) in variants.items():
        exports |= both(f"vit_*_{name}", partial(vit, what=what, config=config))
    old = "GELU by tanh, opset {}"
    tanh = variants["tanh_gelu"][1]
    return exports | {
        "vit_ts_opset13": vit("ts", "opset 13: LayerNorm in pieces", VitConfig(), 13),
        "vit_ts_tanh_gelu_opset20": vit("ts", old.format(20), tanh, 20),
        "vit_ts_mean_pool_opset13": vit("ts", "mean, opset 13", VitConfig(pool="mean"), 13),
        "vit_dynamo_tanh_gelu_opset18": vit("dynamo", old.format(18), tanh, 18),
    }


def vit(exporter: Exporter, what: str, config: VitConfig, opset: int | None = None) -> Export:
    """A handwritten vision transformer."""
    opset = opset or OPSETS[exporter]
    return Export(f"handwritten ViT: {what}", exporter, opset, partial(Vit, config))


def plain(exporter: Exporter, what: str, build: Callable[[], nn.Module], inputs: Shapes) -> Export:
    """A model at the exporter's usual opset."""
    return Export(what, exporter, OPSETS[exporter], build, inputs)


def others() -> dict[str, Export]:
    """ECG classifiers and Hugging Face's models."""
    ecg_inputs: Shapes = {"signal": (1, 1, 198), "intervals": (1, 2)}
    ecg = "1-D conv 24, stride 12, padding 3; S=17 E=16 H=8; second input before the classifier"
    exports = both("ecg_*", partial(plain, what=ecg, build=Ecg, inputs=ecg_inputs))

    tokens: Shapes = {"x": (1, 9, 18)}
    families: dict[str, tuple[str, Callable[[huggingface.Implementation], nn.Module], Shapes]] = {
        "vit": ("ViTForImageClassification", huggingface.vit, {"pixels": (1, 1, 12, 12)}),
        "bert": ("BertModel from inputs_embeds to pooler", huggingface.bert, tokens),
        "bert_encoder": ("BertModel.encoder, gelu_new", huggingface.bert_encoder, tokens),
        "ast": ("ASTForAudioClassification", huggingface.ast, {"spectrogram": (1, 20, 12)}),
    }
    kinds: tuple[huggingface.Implementation, ...] = ("eager", "sdpa")
    for family, (what, build, inputs) in families.items():
        for kind in kinds:
            described = f"Hugging Face {what}, {kind} attention"
            made = partial(plain, what=described, build=partial(build, kind), inputs=inputs)
            exports |= both(f"hf_*_{family}_{kind}", made)
    tokens_what = "Hugging Face BertModel from input_ids to pooler, sdpa attention"
    build_tokens = partial(huggingface.bert_tokens, "sdpa")
    for exporter in EXPORTERS:
        made_ids = plain(exporter, tokens_what, build_tokens, {"ids": (1, 9)})
        exports[f"hf_{exporter}_bert_tokens"] = replace(made_ids, vocabulary=huggingface.VOCABULARY)
    return exports


def randomize(module: nn.Module, generator: torch.Generator) -> None:
    """Fills every parameter, so that nothing is zero or one by chance of initialisation."""
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name.lower() and name.endswith("weight"):
            parameter.data = 1.0 + 0.2 * noise
        elif parameter.dim() > 1:
            parameter.data = noise * 1.5 / parameter[0].numel() ** 0.5
        else:
            parameter.data = 0.2 * noise


def samples_of(name: str, inputs: Shapes, vocabulary: int | None = None) -> Arrays:
    """Normally distributed samples for each input, or ids."""
    random = np.random.default_rng(seed_of(name))
    if vocabulary is not None:
        return {
            key: random.integers(0, vocabulary, (SAMPLES, *shape)) for key, shape in inputs.items()
        }
    return {
        key: random.standard_normal((SAMPLES, *shape), dtype=np.float32)
        for key, shape in inputs.items()
    }


def each_sample(samples: Arrays) -> Iterator[Arrays]:
    """The samples one by one."""
    for index in range(SAMPLES):
        yield {name: array[index] for name, array in samples.items()}


def strip(model: onnx.ModelProto) -> None:
    """Removes what the exporters note about their host: stack traces with its paths."""
    del model.metadata_props[:]
    for item in (model.graph, *model.graph.node, *model.graph.value_info):
        item.doc_string = ""
        del item.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]


def run_onnx(model: onnx.ModelProto, samples: Arrays) -> Arrays:
    """onnxruntime's outputs, every node as it stands in the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    runs = [session.run(None, sample) for sample in each_sample(samples)]
    return {f"output_{i}": np.stack(parts) for i, parts in enumerate(zip(*runs, strict=True))}


def write(name: str, model: onnx.ModelProto, samples: Arrays, outputs: Arrays) -> None:
    """Writes `<name>.onnx` and, if there are samples, `<name>.npz`."""
    path = HERE / f"{name}.onnx"
    onnx.save(model, path)
    if path.stat().st_size > LARGEST_FILE:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, {LARGEST_FILE} are allowed")
    if samples:
        np.savez_compressed(HERE / f"{name}.npz", **samples, **outputs)  # type: ignore[arg-type]


def check_torch(name: str, module: nn.Module, samples: Arrays, outputs: Arrays) -> None:
    """Holds onnxruntime's outputs against PyTorch's."""
    with torch.no_grad():
        runs = [
            module(*(torch.from_numpy(array) for array in sample.values())).numpy()
            for sample in each_sample(samples)
        ]
    error = float(np.abs(np.stack(runs) - outputs["output_0"]).max())
    if not error < 1e-4:
        raise SystemExit(f"{name}: onnxruntime and PyTorch differ by {error:.2e}")


def make_export(name: str, export: Export) -> None:
    """Exports one PyTorch model, checks it, writes it."""
    torch.manual_seed(seed_of(name))
    module = export.build().eval()
    if export.randomized:
        randomize(module, torch.Generator().manual_seed(seed_of(name)))
    path = HERE / f"{name}.onnx"
    kind = torch.float32 if export.vocabulary is None else torch.int64
    torch.onnx.export(
        module,
        tuple(torch.zeros(shape, dtype=kind) for shape in export.inputs.values()),
        path,
        input_names=list(export.inputs),
        opset_version=export.opset,
        verbose=False,
        dynamo=export.exporter == "dynamo",
        external_data=False,
    )
    model = onnx.load(path)
    strip(model)
    onnx.checker.check_model(model, full_check=True)
    samples = samples_of(name, export.inputs, export.vocabulary)
    outputs = run_onnx(model, samples)
    check_torch(name, module, samples, outputs)
    write(name, model, samples, outputs)


def make_handmade(name: str, model: onnx.ModelProto) -> None:
    """Checks and writes one model made node by node."""
    onnx.checker.check_model(model, full_check=True)
    if name in handmade.UNSUPPORTED:
        write(name, model, {}, {})
        return
    dims = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    samples = samples_of(name, {"x": tuple(dims)})
    write(name, model, samples, run_onnx(model, samples))


def table_row(name: str, what: str) -> str:
    """The row of README.md about one file, in part read back from the file."""
    model = onnx.load(HERE / f"{name}.onnx")
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    producer = f"{model.producer_name} {model.producer_version}".strip()
    if producer.startswith("pytorch"):
        producer += " dynamo" if "_dynamo_" in f"_{name}_" else " TorchScript"
    counts = Counter(node.op_type for node in model.graph.node)
    return f"| `{name}` | {what} | {producer} | {opset} | {' '.join(sorted(counts))} |"


def write_table(descriptions: dict[str, str]) -> None:
    """Puts the table of all files into README.md."""
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(TABLE_BEGIN)
    after = rest.split(TABLE_END)[1]
    head = ["| file | what | written by | opset | ops |", "|---|---|---|---|---|"]
    rows = [table_row(name, what) for name, what in sorted(descriptions.items())]
    table = "\n".join([TABLE_BEGIN, *head, *rows, TABLE_END])
    readme.write_text(before + table + after)


def main() -> None:
    """Makes the models whose names begin with the argument; all of them without one."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    prefix = sys.argv[1] if len(sys.argv) > 1 else ""
    exports = encoders() | vits() | others()
    by_hand = handmade.SUPPORTED | handmade.UNSUPPORTED
    for name, export in exports.items():
        if name.startswith(prefix):
            print(name, flush=True)
            make_export(name, export)
    for name, by_node in by_hand.items():
        if name.startswith(prefix):
            print(name, flush=True)
            make_handmade(name, by_node.build())
    descriptions = {name: export.what for name, export in exports.items()}
    descriptions |= {name: model.what for name, model in by_hand.items()}
    if not prefix:
        write_table(descriptions)


if __name__ == "__main__":
    main()
