# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one ONNX node on numpy arrays.

The reference implementation of ONNX gives every operator its meaning here: nodes with constant
operands are folded with it, data movement is followed by running it on element numbers, and
functions of one variable are sampled with it. So there is no second opinion about broadcasting,
negative axes or `Reshape` targets in the importer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.graph import Array, Node


class GatherElements(OpRun):
    """That of the reference implementation takes no axis of more than 64 elements.

    It calls np.choose, which has this limit. The Hugging Face BERTs gather out of a table of all
    their positions.
    """

    op_domain = ""

    def _run(self, data: Array, indices: Array, axis: int = 0) -> tuple[Array]:
        # ONNX allows fewer indices than data on the other axes; numpy does not.
        extents = [slice(extent) for extent in indices.shape]
        extents[axis] = slice(None)
        return (np.take_along_axis(data[tuple(extents)], indices.astype(np.int64), axis),)


def evaluate(node: Node, operands: Sequence[Array | None], opset: int) -> list[Array]:
    """The node's results; an absent operand is None."""
    # Operands get names of their own: one value may be two operands with different samples.
    names = [f"i{i}" if array is not None else "" for i, array in enumerate(operands)]
    feeds = {name: array for name, array in zip(names, operands, strict=True) if array is not None}
    proto = onnx.NodeProto()
    proto.CopyFrom(node.proto)
    del proto.input[:], proto.output[:]
    proto.input.extend(names)
    wanted = [f"o{i}" for i, name in enumerate(node.outputs) if name]
    proto.output.extend(f"o{i}" if name else "" for i, name in enumerate(node.outputs))
    graph = helper.make_graph(
        [proto],
        "node",
        [_info(name, array) for name, array in feeds.items()],
        [onnx.ValueInfoProto(name=name) for name in wanted],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        results = ReferenceEvaluator(model, new_ops=[GatherElements]).run(wanted, feeds)
    except Exception as error:  # whatever numpy raises inside the reference implementation
        raise UnsupportedNodeError(
            f"cannot be evaluated at compile time ({error})", "check the model with onnxruntime"
        ) from error
    return [np.asarray(result) for result in results]


def _info(name: str, array: Array) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, kind, array.shape)
