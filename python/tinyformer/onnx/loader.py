# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads an ONNX file, checks it, and makes the graph that the importer walks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, checker, external_data_helper, helper, inliner

from tinyformer.onnx.errors import ModelFileError, UnsupportedModelError
from tinyformer.onnx.graph import Graph, InputKind, Node, Shape, TensorInfo, array_of
from tinyformer.onnx.qoperators import expanded

MIN_OPSET = 13
# What the exporters of the integer dialect write; no converter knows its operators.
MIN_INTEGER_OPSET = 11
DEFAULT_DOMAINS = ("", "ai.onnx")
# Operators of QuantLib and Deeploy, which their tools write in this domain or in none.
INTEGER_DOMAIN = "PACTOps"
INTEGER_OPERATORS = frozenset(
    ["ITAMax", "IntegerMean", "RequantShift", "iGELU", "iLayerNorm", "iSoftmax"]
)
INTEGERS: Mapping[int, InputKind] = {
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "uint8",
    TensorProto.INT32: "ids",
    TensorProto.INT64: "ids",
}


def read_graph(path: Path) -> Graph:
    """The model in `path`, its shapes static, its local functions inlined."""
    model = _read(path)
    integer = _mark_integer_operators(model)
    _check(path, model)
    opset = _opset(path, model, MIN_INTEGER_OPSET if integer else MIN_OPSET)
    if model.functions:
        model = inliner.inline_local_functions(model)
    graph = model.graph
    if graph.sparse_initializer:
        raise UnsupportedModelError(
            f"{path}: holds sparse weights ({graph.sparse_initializer[0].values.name!r}); "
            "export them dense"
        )
    constants = {tensor.name: array_of(tensor) for tensor in graph.initializer}
    inputs = tuple(_input(path, info) for info in graph.input if info.name not in constants)
    if not inputs:
        raise UnsupportedModelError(f"{path}: has no input, so that its output is a constant")
    return Graph(
        path,
        opset,
        inputs,
        tuple(info.name for info in graph.output),
        constants,
        tuple(Node.of(node) for node in expanded(path, graph.node)),
        integer,
    )


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such file")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise ModelFileError(
            f"{path}: is not an ONNX model ({error}); if it came out of a repository, see whether "
            "it is a Git LFS pointer instead of the model"
        ) from error
    for tensor in model.graph.initializer:
        _check_external(path, tensor)
    onnx.load_external_data_for_model(model, str(path.parent))
    return model


def _mark_integer_operators(model: onnx.ModelProto) -> bool:
    """Puts the operators of the integer dialect into its domain; gives whether there are any.

    The checker of ONNX accepts them there, and nowhere else.
    """
    nodes = [node for node in model.graph.node if node.op_type in INTEGER_OPERATORS]
    for node in nodes:
        node.domain = INTEGER_DOMAIN
    if nodes and all(item.domain != INTEGER_DOMAIN for item in model.opset_import):
        model.opset_import.append(helper.make_opsetid(INTEGER_DOMAIN, 1))
    return bool(nodes)


def _check_external(path: Path, tensor: TensorProto) -> None:
    if not external_data_helper.uses_external_data(tensor):
        return
    location = external_data_helper.ExternalDataInfo(tensor).location
    if not (path.parent / location).is_file():
        raise ModelFileError(
            f"{path}: the weight {tensor.name!r} is stored in the file {location!r}, which is not "
            "beside the model; copy it there, or export with external_data=False"
        )


def _check(path: Path, model: onnx.ModelProto) -> None:
    try:
        checker.check_model(model)
    except checker.ValidationError as error:
        reason = str(error).strip().splitlines()
        raise ModelFileError(
            f"{path}: is not a valid ONNX model: {reason[0] if reason else 'empty'}"
        ) from error


def _opset(path: Path, model: onnx.ModelProto, least: int) -> int:
    versions = {item.domain: item.version for item in model.opset_import}
    version = next((versions[domain] for domain in DEFAULT_DOMAINS if domain in versions), 0)
    if version < least:
        raise UnsupportedModelError(
            f"{path}: uses ONNX opset {version}, but TinyFormer reads {least} and newer; "
            "export with opset_version=17, or convert with onnx.version_converter"
        )
    return int(version)


def _input(path: Path, info: onnx.ValueInfoProto) -> TensorInfo:
    kind = info.type.WhichOneof("value")
    if kind != "tensor_type":
        raise UnsupportedModelError(
            f"{path}: the input {info.name!r} is no tensor but a {kind}; pass tensors"
        )
    tensor = info.type.tensor_type
    if tensor.elem_type in INTEGERS:
        return TensorInfo(info.name, _shape(path, info), INTEGERS[tensor.elem_type])
    if tensor.elem_type != TensorProto.FLOAT:
        name = TensorProto.DataType.Name(tensor.elem_type).lower()
        raise UnsupportedModelError(
            f"{path}: the input {info.name!r} holds elements of type {name}; TinyFormer reads "
            "float32 models: call model.float() before the export"
        )
    return TensorInfo(info.name, _shape(path, info))


def _shape(path: Path, info: onnx.ValueInfoProto) -> Shape:
    dims = info.type.tensor_type.shape.dim
    if not dims:
        raise UnsupportedModelError(
            f"{path}: the input {info.name!r} has no dimension; export it with the shape [1]"
        )
    for axis, dim in enumerate(dims):
        if dim.WhichOneof("value") != "dim_value" or dim.dim_value < 1:
            raise UnsupportedModelError(_dynamic(path, info.name, axis, dim.dim_param))
    return tuple(dim.dim_value for dim in dims)


def _dynamic(path: Path, name: str, axis: int, parameter: str) -> str:
    what = f"{parameter!r}" if parameter else "without a size"
    option = f"--dim_param {parameter} --dim_value {1 if axis == 0 else 'N'}"
    if not parameter:
        option = f"--input_name {name} --input_shape 1,..."
    wanted = "1, one sample at a time" if axis == 0 else "the length that the device will see"
    return (
        f"{path}: dimension {axis} of the input {name!r} is dynamic ({what}), but every size must "
        f"be known at compile time; set it to {wanted}: python -m "
        f"onnxruntime.tools.make_dynamic_shape_fixed {option} {path.name} fixed.onnx, or export "
        "without dynamic_axes and dynamic_shapes"
    )
