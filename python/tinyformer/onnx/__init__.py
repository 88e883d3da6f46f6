# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imports ONNX models.

    model = tinyformer.onnx.load(Path("digits.onnx"))
    print(model.module)

The graph is interpreted abstractly, node by node: each value is a constant or a view of a layer,
that is, some of its elements in some order with a function of one variable on top (`values`).
What exporters spell in many ways - reshapes and transpositions around attention's heads, a GELU in
eight nodes - is thereby understood by its meaning. `interpreter` is the place to begin reading; one
file for each family of operators gives them their meaning; `emit` writes the collected `layers`.
Models that arrive quantised say ranges (`quantized`), or compute on integers (`integers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyformer.mlir import ir
from tinyformer.onnx.emit import emit
from tinyformer.onnx.errors import ModelFileError, UnsupportedModelError
from tinyformer.onnx.interpreter import interpret
from tinyformer.onnx.loader import read_graph
from tinyformer.onnx.names import network_name

__all__ = ["ImportedModel", "ModelFileError", "UnsupportedModelError", "load"]

NamedShape = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class ImportedModel:
    """A model as a module of `tinyattn` on f32, and the names that its function's types lack.

    If it arrived `quantized`, the module has the ranges that it says, or, from a model of the
    integer dialect, has integers in the place of reals.
    """

    module: ir.Module
    name: str
    inputs: tuple[NamedShape, ...]
    outputs: tuple[NamedShape, ...]
    quantized: bool


def load(
    path: Path, context: ir.Context | None = None, *, calibrated: bool = False
) -> ImportedModel:
    """Imports the model in `path`, into a new context unless one is given.

    Where a quantised model does not say a range, one is taken that follows from its neighbours,
    unless it is going to be `calibrated`.

    Raises ModelFileError if the file is no valid ONNX model, and UnsupportedModelError, which
    names the node and what to do instead, if TinyFormer cannot compile it.
    """
    graph = read_graph(path)
    network = interpret(graph, implied=not calibrated)
    name = network_name(path)
    module = emit(network, name, graph.outputs, context or ir.Context())
    outputs = zip(graph.outputs, network.outputs, strict=True)
    return ImportedModel(
        module,
        name,
        tuple((info.name, info.shape) for info in graph.inputs),
        tuple((output, layer.shape) for output, layer in outputs),
        bool(network.ranges) or network.integer,
    )
