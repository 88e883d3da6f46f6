# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every model that exporters and hands wrote is imported, and computes what it should."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import tinyformer.onnx
from tinyformer.mlir import ir
from tinyformer.reference import Interpreter

HERE = Path(__file__).parent
MODELS = HERE / "models"
DIGITS = HERE.parents[1] / "examples" / "digits" / "digits.onnx"
PATHS = {
    path.stem: path
    for path in (*sorted(MODELS.glob("*.onnx")), DIGITS)
    if not path.stem.startswith(("quantised_", "unsupported_"))
}
TOLERANCE = 1e-4  # two float programs that add up in different orders


@dataclass(frozen=True)
class Family:
    """What the models whose names begin alike must become: ops by kind, and attention's form."""

    ops: dict[str, int]
    heads: int = 0
    width: int = 0


BLOCK = {"mhsa": 1, "add": 2, "layernorm": 2, "linear": 2, "lookup": 1}


def block(**others: int) -> dict[str, int]:
    """One encoder block and what is around it."""
    return dict(Counter(BLOCK) + Counter(others))


VIT = block(conv=1, add=1, layernorm=1, linear=1)

TOKENS = block(embedding=1, add=1, layernorm=1, linear=1, lookup=1)

# The longest matching beginning counts.
FAMILIES = {
    "digits": Family(
        {"conv": 1, "mhsa": 2, "add": 5, "layernorm": 5, "linear": 5, "lookup": 2}, 4, 12
    ),
    "ecg": Family(VIT, 8, 2),
    "hand_attention": Family({"mhsa": 1, "add": 1}, 3, 4),
    "hand_gelu": Family({"linear": 2, "lookup": 1, "add": 1}),
    "hand_gemm": Family({"linear": 1}),
    "hand_layernorm": Family({"layernorm": 1}),
    "hand_linear": Family({"linear": 1}),
    "hand_pool": Family({"pool": 1, "linear": 1}),
    # Two tokens are averaged by an addition; the half of it is part of the last normalisation.
    "hf_dynamo_ast": Family(block(conv=1, add=2, layernorm=2, linear=1), 3, 6),
    "hf_ts_ast": Family(block(conv=1, add=2, layernorm=2, linear=1), 3, 6),
    # Token types and positions are added at once.
    "hf_dynamo_bert": Family(block(add=1, layernorm=1, linear=1, lookup=1), 3, 6),
    "hf_ts_bert": Family(block(add=1, layernorm=1, linear=1, lookup=1), 3, 6),
    "hf_dynamo_bert_tokens": Family(TOKENS, 3, 6),
    "hf_ts_bert_tokens": Family(TOKENS, 3, 6),
    "hf_dynamo_bert_encoder": Family(BLOCK, 3, 6),
    "hf_ts_bert_encoder": Family(BLOCK, 3, 6),
    "hf_dynamo_vit": Family(VIT, 3, 6),
    "hf_ts_vit": Family(VIT, 3, 6),
    "torch_dynamo_encoder": Family(block(layernorm=1), 3, 6),
    "torch_ts_encoder": Family(block(layernorm=1), 3, 6),
    "torch_dynamo_encoder_postnorm": Family({op: 2 * count for op, count in BLOCK.items()}, 2, 8),
    "torch_ts_encoder_postnorm": Family({op: 2 * count for op, count in BLOCK.items()}, 2, 8),
    "torch_dynamo_mha": Family({"mhsa": 1}, 4, 4),
    "torch_ts_mha": Family({"mhsa": 1}, 4, 4),
    "vit_dynamo": Family(VIT, 3, 6),
    "vit_ts": Family(VIT, 3, 6),
    "vit_dynamo_mean_pool": Family(block(conv=1, add=1, layernorm=1, linear=1, pool=1), 3, 6),
    "vit_ts_mean_pool": Family(block(conv=1, add=1, layernorm=1, linear=1, pool=1), 3, 6),
}


def family(name: str) -> Family:
    """The entry of FAMILIES for a model."""
    return FAMILIES[max((key for key in FAMILIES if name.startswith(key)), key=len)]


@cache
def imported(name: str) -> tinyformer.onnx.ImportedModel:
    """A model, imported once."""
    return tinyformer.onnx.load(PATHS[name])


def ops(name: str, kind: str = "") -> list[ir.Operation]:
    """The tinyattn ops of a model, of one kind if it is given."""
    function = imported(name).module.body.operations[0]
    body = [op.operation for op in function.regions[0].blocks[0].operations]
    return [op for op in body if op.name.startswith(f"tinyattn.{kind}")]


def location(op: ir.Operation) -> str:
    """The name in an op's location."""
    return str(op.location).removeprefix('loc("').removesuffix('")')


def test_all_models_are_tested() -> None:
    assert len(PATHS) >= 70
    assert "digits" in PATHS
    for name in PATHS:
        assert family(name)


# Outputs of the digits model are not recorded: test_digits_agrees_with_onnxruntime.
RECORDED = [name for name in PATHS if name != "digits"]


@pytest.mark.parametrize("name", RECORDED)
def test_computes_what_onnxruntime_computes(name: str) -> None:
    model = imported(name)
    data = np.load(PATHS[name].with_suffix(".npz"))
    interpreter = Interpreter(model.module)
    for sample in range(len(data["output_0"])):
        (result,) = interpreter.run([data[input_name][sample] for input_name, _ in model.inputs])
        np.testing.assert_allclose(result, data["output_0"][sample], rtol=0, atol=TOLERANCE)


def test_digits_agrees_with_onnxruntime() -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(DIGITS, providers=["CPUExecutionProvider"])
    interpreter = Interpreter(imported("digits").module)
    for image in np.load(DIGITS.with_name("test.npz"))["input"][:8]:
        (result,) = interpreter.run([image])
        (expected,) = session.run(None, {"input": image})
        np.testing.assert_allclose(result, expected, rtol=0, atol=TOLERANCE)


def commutative_nodes(proto: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in proto.graph.node if node.op_type in ("Add", "Mul")]


@pytest.mark.parametrize(
    "name", [name for name in RECORDED if commutative_nodes(onnx.load(PATHS[name]))]
)
def test_order_of_operands_does_not_matter(name: str, tmp_path: Path) -> None:
    proto = onnx.load(PATHS[name])
    for node in commutative_nodes(proto):
        node.input[:] = list(node.input)[::-1]
    path = tmp_path / "swapped.onnx"
    onnx.save(proto, path)
    model = tinyformer.onnx.load(path)
    data = np.load(PATHS[name].with_suffix(".npz"))
    inputs = [data[input_name][0] for input_name, _ in model.inputs]
    (result,) = Interpreter(model.module).run(inputs)
    np.testing.assert_allclose(result, data["output_0"][0], rtol=0, atol=TOLERANCE)
    body = model.module.body.operations[0].regions[0].blocks[0].operations
    kinds = [op.operation.name for op in body]
    found = Counter(kind.removeprefix("tinyattn.") for kind in kinds if "tinyattn." in kind)
    assert found == family(name).ops


@pytest.mark.parametrize("name", PATHS)
def test_becomes_the_expected_ops(name: str) -> None:
    assert Counter(op.name.removeprefix("tinyattn.") for op in ops(name)) == family(name).ops


@pytest.mark.parametrize("name", [name for name in PATHS if family(name).heads])
def test_attention_has_the_heads_and_the_scale(name: str) -> None:
    expected = family(name)
    for op in ops(name, "mhsa"):
        assert op.attributes["heads"].value == expected.heads
        assert op.attributes["scale"].value == pytest.approx(expected.width**-0.5, rel=1e-6)
        assert ir.RankedTensorType(op.operands[1].type).shape[0] == expected.heads * expected.width


@pytest.mark.parametrize("name", PATHS)
def test_module_is_well_formed(name: str) -> None:
    model = imported(name)
    assert model.module.operation.verify()
    (function,) = model.module.body.operations
    assert function.name.value == model.name
    allowed = {"arith.constant", "func.return"}
    for op in function.regions[0].blocks[0].operations:
        assert op.operation.name in allowed or op.operation.name.startswith(
            ("tinyattn.", "tensor.")
        )


@pytest.mark.parametrize("name", PATHS)
def test_survives_its_own_text(name: str) -> None:
    text = str(imported(name).module)
    with ir.Context():
        assert str(ir.Module.parse(text)) == text


@pytest.mark.parametrize("name", PATHS)
def test_interface_is_that_of_the_model(name: str) -> None:
    graph = onnx.load(PATHS[name]).graph
    constants = {tensor.name for tensor in graph.initializer}

    def interface(values: list[onnx.ValueInfoProto]) -> tuple[tuple[str, tuple[int, ...]], ...]:
        shapes = [value.type.tensor_type.shape.dim for value in values]
        names = [value.name for value in values]
        return tuple(
            (name, tuple(dim.dim_value for dim in shape))
            for name, shape in zip(names, shapes, strict=True)
        )

    model = imported(name)
    assert model.inputs == interface([info for info in graph.input if info.name not in constants])
    assert [shape for _, shape in model.outputs] == [s for _, s in interface(list(graph.output))]
    assert [output for output, _ in model.outputs] == [info.name for info in graph.output]


@pytest.mark.parametrize("name", PATHS)
def test_layers_have_names_of_their_own(name: str) -> None:
    names = [location(op) for op in ops(name)]
    assert len(set(names)) == len(names)
    nodes = {node.name for node in onnx.load(PATHS[name]).graph.node}
    layers = [op for op in ops(name) if op.name != "tinyattn.mhsa"]
    assert {location(op) for op in layers} <= nodes


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("digits", ["blocks.0.attention", "blocks.1.attention"]),
        ("torch_ts_encoder_postnorm_relu", ["layers.0.self_attn", "layers.1.self_attn"]),
        ("torch_dynamo_encoder_postnorm_relu", ["layers.0.self_attn", "layers.1.self_attn"]),
        ("torch_dynamo_encoder_fresh", ["layers.0.self_attn"]),  # a bias of zeros tells its path
        ("hf_dynamo_vit_sdpa", ["model.vit.layers.0.attention"]),
        ("hand_attention", ["matmul_18"]),  # no paths: the node of the output projection
    ],
)
def test_attention_is_called_after_its_module(name: str, paths: list[str]) -> None:
    assert [location(op) for op in ops(name, "mhsa")] == paths


def test_paths_in_metadata_are_used(tmp_path: Path) -> None:
    """The newer exporter's names of nodes say little, its metadata all; `models` have none."""
    proto = onnx.load(PATHS["torch_dynamo_encoder_fresh"])
    for node in proto.graph.node:
        module = "norm1" if node.op_type == "LayerNormalization" else "self_attn"
        scopes = ["", "layers", "layers.0", f"layers.0.{module}", "operator"]
        node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=str(scopes))
    path = tmp_path / "model.onnx"
    onnx.save(proto, path)
    model = tinyformer.onnx.load(path)
    text = model.module.operation.get_asm(enable_debug_info=True, large_resource_limit=1)
    assert 'loc("layers.0.self_attn")' in text
    assert 'loc("/layers.0.norm1/node_layer_norm")' in text
    assert "dense_resource<layers.0.norm1.weight>" in text


def test_arguments_and_results_are_located() -> None:
    function = imported("ecg_ts").module.body.operations[0]
    block = function.regions[0].blocks[0]
    assert ['"signal"' in str(argument.location) for argument in block.arguments] == [True, False]
    assert '"intervals"' in str(block.arguments[1].location)
    (output,) = imported("ecg_ts").outputs
    assert f'"{output[0]}"' in str(list(block.operations)[-1].location)


def test_weights_are_resources_with_readable_names() -> None:
    text = imported("digits").module.operation.get_asm(large_resource_limit=1)
    assert "dense_resource<blocks.0.norm1.weight> : tensor<48xf32>" in text
    assert "dense_resource<blocks.1.attention.query.weight> : tensor<48x48xf32>" in text
    assert "dense_resource<classifier.bias> : tensor<10xf32>" in text
    assert "dense<" not in text


def test_given_context_is_used() -> None:
    context = ir.Context()
    model = tinyformer.onnx.load(PATHS["hand_attention"], context)
    assert model.module.context == context


def test_package_alone_loads_nothing_heavy() -> None:
    program = (
        "import sys, tinyformer\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'tinyformer.mlir', 'tinyformer.onnx'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
