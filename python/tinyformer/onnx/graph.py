# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model as the importer walks it: nodes in topological order, constants as numpy arrays."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
InputKind = Literal["float", "int8", "uint8", "ids"]

# Where PyTorch's exporter lists the modules around a node, the operator's own scope last.
NAME_SCOPES = "pkg.torch.onnx.name_scopes"


@dataclass(frozen=True, eq=False)
class Node:
    """One ONNX node; an absent optional input or output is an empty name."""

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: onnx.NodeProto

    @classmethod
    def of(cls, proto: onnx.NodeProto) -> Node:
        """The node of a protocol buffer."""
        return cls(
            _name(proto),
            proto.op_type,
            proto.domain,
            tuple(proto.input),
            tuple(proto.output),
            {item.name: _plain(onnx.helper.get_attribute_value(item)) for item in proto.attribute},
            proto,
        )


def _name(proto: onnx.NodeProto) -> str:
    """The node's name, behind the path of its module.

    TorchScript writes such names itself. The newer exporter gives the path as metadata only, and
    others do not give names at all: then the node is called after its first output.
    """
    name: str = proto.name or f"{proto.op_type}_{proto.output[0]}"
    scopes = {item.key: item.value for item in proto.metadata_props}.get(NAME_SCOPES)
    if scopes is None or "/" in name:
        return name
    try:
        path = ast.literal_eval(scopes)[-2]
    except (ValueError, SyntaxError, IndexError, TypeError):
        return name
    return f"/{path}/{name}" if path else name


def _plain(value: Any) -> Any:
    """Strings are bytes in ONNX."""
    return value.decode() if isinstance(value, bytes) else value


@dataclass(frozen=True)
class TensorInfo:
    """A graph input; `kind` is the type of its elements, see `Input`."""

    name: str
    shape: Shape
    kind: InputKind = "float"


@dataclass(frozen=True, eq=False)
class Graph:
    """A checked model; `integer` if it is in the dialect of `onnx.integers`."""

    path: Path
    opset: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Array]
    nodes: tuple[Node, ...] = field(repr=False)
    integer: bool = False

    @cached_property
    def uses(self) -> Counter[str]:
        """How many operands and graph outputs each value is."""
        counts = Counter(name for node in self.nodes for name in node.inputs)
        counts.update(self.outputs)
        return counts


def array_of(tensor: onnx.TensorProto) -> Array:
    """A tensor's elements; half and double floats become float32."""
    array: Array = onnx.numpy_helper.to_array(tensor)
    if array.dtype.kind == "f" and array.dtype != np.float32:
        return array.astype(np.float32)
    return array
