# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a network as an MLIR module of `tinyattn`: on f32 tensors, or on int8 if it is integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinyformer.mlir import ir
from tinyformer.mlir.dialects import arith, func, tensor, tinyattn
from tinyformer.mlir.dialects.tinyattn import PoolKind, UnaryFunction
from tinyformer.onnx.errors import UnsupportedModelError, UnsupportedNodeError
from tinyformer.onnx.graph import Shape
from tinyformer.onnx.integers import emit as integers
from tinyformer.onnx.integers.formulas import Ints
from tinyformer.onnx.integers.layers import is_sums
from tinyformer.onnx.interpreter import Network
from tinyformer.onnx.layers import (
    Add,
    Concat,
    Conv,
    Embedding,
    Gain,
    Input,
    Layer,
    LayerNorm,
    Linear,
    Lookup,
    Mhsa,
    Parameter,
    Pool,
    Projection,
    Reshape,
    Slice,
    Softmax,
    Weights,
    in_order,
)
from tinyformer.onnx.names import attention_name, module_path, parameter_path

FUNCTIONS: Mapping[str, UnaryFunction] = {str(item): item for item in UnaryFunction}
RANGE = "tinyattn.range"
WEIGHT_SCALES = "tinyattn.weight_scales"
# Layers that keep the range of what they move, and the ops that they may be.
MOVEMENT = (Reshape, Slice)
RESHAPES = ("tensor.collapse_shape", "tensor.expand_shape")
POOL_KINDS: Mapping[str, PoolKind] = {str(item): item for item in PoolKind}


def emit(network: Network, name: str, outputs: Sequence[str], context: ir.Context) -> ir.Module:
    """The module of one function `name`; every op is located at its layer's name."""
    with context, ir.Location.unknown():
        module = ir.Module.create(ir.Location.name(name))
        with ir.InsertionPoint(module.body):
            Emitter(network).function(name, outputs)
        module.operation.verify()
    return module


class Emitter:
    """Makes ops at the insertion point; `values` holds the results so far."""

    def __init__(self, network: Network) -> None:
        self.network, self.ranges = network, network.ranges
        self.i32 = ir.IntegerType.get_signless(32)
        self.i8 = ir.IntegerType.get_signless(8)
        self.element = self.i8 if network.integer else ir.F32Type.get()
        self.emitters = {**EMITTERS, **integers.EMITTERS} if network.integer else EMITTERS
        self.values: dict[Layer, ir.Value] = {}
        self.names: set[str] = set()

    def function(self, name: str, outputs: Sequence[str]) -> None:
        """The network as a function."""
        network = self.network
        arguments = [
            self.type(layer.shape, self.i32 if is_ids(layer) else None) for layer in network.inputs
        ]
        results = [
            self.type(layer.shape, self.i32 if is_sums(layer) else None)
            for layer in network.outputs
        ]
        function = func.FuncOp(name, (arguments, results), loc=ir.Location.name(name))
        block = function.add_entry_block(
            arg_locs=[ir.Location.name(layer.name) for layer in network.inputs]
        )
        self.values.update(zip(network.inputs, block.arguments, strict=True))
        with ir.InsertionPoint(block):
            for layer in in_order(network.outputs):
                if not isinstance(layer, Input):
                    self.layer(layer)
            locations = [ir.Location.name(output) for output in outputs]
            returned = [self.values[layer] for layer in network.outputs]
            func.ReturnOp(returned, loc=ir.Location.fused(locations))
        attributes = function.operation.attributes
        if network.integer or any(layer in self.ranges for layer in network.inputs):
            entries = [self.interface_attributes(layer) for layer in network.inputs]
            attributes["arg_attrs"] = ir.ArrayAttr.get(entries)
        if network.integer:
            entries = [self.interface_attributes(layer) for layer in network.outputs]
            attributes["res_attrs"] = ir.ArrayAttr.get(entries)

    def layer(self, layer: Layer) -> None:
        """The op of a layer whose inputs have theirs."""
        with ir.Location.name(self.layer_name(layer)):
            try:
                value = self.emitters[type(layer)](self, layer)
            except UnsupportedNodeError as refusal:
                raise UnsupportedModelError(
                    f"{self.network.path}: node {layer.name!r}: {refusal.why}; {refusal.instead}"
                ) from refusal
            if value is not None:
                self.values[layer] = value
                self.annotate(layer)

    def interface_attributes(self, layer: Layer) -> ir.Attribute:
        """The range of an input, if a quantised model says it; what the bytes of integers mean."""
        if self.network.integer:
            return ir.DictAttr.get({} if is_ids(layer) else integers.interface(layer))
        known = self.ranges.get(layer)
        return ir.DictAttr.get({} if known is None else {RANGE: ir.DenseF64ArrayAttr.get(known)})

    def annotate(self, layer: Layer) -> None:
        """Write down what a quantised model says about the result of a layer."""
        known = self.ranges.get(layer)
        if known is None or isinstance(layer, MOVEMENT):
            return
        op = self.values[layer].owner
        while op.name in RESHAPES:
            op = op.operands[0].owner
        op.attributes[RANGE] = ir.DenseF64ArrayAttr.get(known)

    def layer_name(self, layer: Layer) -> str:
        """The name in the op's location. Those of layers are unique; moving data is no layer."""
        name = attention_name(layer) if isinstance(layer, Mhsa) else layer.name
        if isinstance(layer, Reshape | Slice | Parameter):
            return name
        unique, copies = name, 0
        while unique in self.names:
            copies += 1
            unique = f"{name}_{copies}"
        self.names.add(unique)
        return unique

    def type(self, shape: Shape, element: ir.Type | None = None) -> ir.Type:
        """A tensor, of the network's activations unless said otherwise."""
        return ir.RankedTensorType.get(shape, element or self.element)

    def empty(self, shape: Shape, element: ir.Type | None = None) -> ir.Value:
        """The destination of an op."""
        return tensor.empty(shape, element or self.element)

    def constant(self, array: Weights, name: str, scales: Gain | None = None) -> ir.Value:
        """A weight, in a resource of a readable name; `scales` of its rows if it has them."""
        kind = self.type(array.shape)
        data = np.ascontiguousarray(array, dtype="<f4")
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, module_path(name), kind)
        op = arith.ConstantOp(kind, attribute)
        if scales is not None:
            op.operation.attributes[WEIGHT_SCALES] = ir.DenseF64ArrayAttr.get(scales.tolist())
        return op.result

    def integers(self, array: Ints, name: str, element: ir.Type | None = None) -> ir.Value:
        """Integers as they are, bytes unless said otherwise."""
        kind = self.type(array.shape, element or self.i8)
        bits = ir.IntegerType(kind.element_type).width
        reach = 1 << (bits - 1)
        if array.size and not -reach <= array.min() <= array.max() < reach:
            raise UnsupportedNodeError(
                f"needs integers from {array.min()} to {array.max()} in {name!r}",
                f"that has {bits} bits: keep them within {-reach} to {reach - 1}",
            )
        data = np.ascontiguousarray(array, dtype=f"<i{bits // 8}")
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, module_path(name), kind)
        return arith.ConstantOp(kind, attribute).result

    def weights(self, layer: Linear | Conv | LayerNorm) -> tuple[ir.Value, ir.Value]:
        """Weight and bias, called after the layer's module."""
        name = parameter_path(layer.name)
        scales = None if isinstance(layer, LayerNorm) else layer.scales
        weight = self.constant(layer.weight, f"{name}.weight", scales)
        return weight, self.constant(layer.bias, f"{name}.bias")

    def reshaped(self, value: ir.Value, source: Shape, target: Shape) -> ir.Value:
        """The value in another shape: collapsed, expanded, or both through a vector."""
        if source == target:
            return value
        kind = self.type(target, ir.RankedTensorType(value.type).element_type)
        groups = _groups(source, target)
        if groups is not None:
            return tensor.CollapseShapeOp(kind, value, groups).result
        groups = _groups(target, source)
        if groups is not None:
            return tensor.ExpandShapeOp(kind, value, groups, [], target).result
        squeezed = tuple(extent for extent in source if extent != 1)
        if squeezed != tuple(extent for extent in target if extent != 1):
            squeezed = (int(np.prod(source)),)
        return self.reshaped(self.reshaped(value, source, squeezed), squeezed, target)


def is_ids(layer: Layer) -> bool:
    """Whether a layer are token ids, as they were given to the network."""
    return isinstance(layer, Input) and layer.kind == "ids"


def _groups(fine: Shape, coarse: Shape) -> list[list[int]] | None:
    """Which dimensions of `fine` make up each of `coarse`; None if none do."""
    if len(fine) < len(coarse) or not coarse:
        return None
    groups: list[list[int]] = []
    axis = 0
    for position, extent in enumerate(coarse):
        group, size = [axis], fine[axis]
        axis += 1
        needed = len(coarse) - position - 1
        while size < extent and len(fine) - axis > needed:
            size *= fine[axis]
            group.append(axis)
            axis += 1
        if size != extent:
            return None
        groups.append(group)
    rest = range(axis, len(fine))
    if any(fine[item] != 1 for item in rest):
        return None
    groups[-1].extend(rest)
    return groups


def _reshape(emitter: Emitter, layer: Reshape) -> ir.Value:
    return emitter.reshaped(emitter.values[layer.input], layer.input.shape, layer.shape)


def _slice(emitter: Emitter, layer: Slice) -> ir.Value:
    return tensor.ExtractSliceOp(
        emitter.type(layer.shape),
        emitter.values[layer.input],
        [],
        [],
        [],
        list(layer.offsets),
        list(layer.shape),
        [1, 1],
    ).result


def _concat(emitter: Emitter, layer: Concat) -> ir.Value:
    parts = [emitter.values[part] for part in layer.parts]
    return tensor.ConcatOp(emitter.type(layer.shape), layer.axis, parts).result


def _parameter(emitter: Emitter, layer: Parameter) -> ir.Value:
    return emitter.constant(layer.array, layer.name)


def _linear(emitter: Emitter, layer: Linear) -> ir.Value:
    weight, bias = emitter.weights(layer)
    init = emitter.empty(layer.shape)
    kind = emitter.type(layer.shape)
    return tinyattn.LinearOp([kind], emitter.values[layer.input], weight, bias, [init]).result


def _conv(emitter: Emitter, layer: Conv) -> ir.Value:
    weight, bias = emitter.weights(layer)
    outputs = layer.shape[1]
    image = (*layer.spatial, outputs)
    result = tinyattn.ConvOp(
        [emitter.type(image)],
        emitter.values[layer.input],
        weight,
        bias,
        [emitter.empty(image)],
        layer.strides,
        layer.padding,
        channels_first=layer.channels_first or None,
    ).result
    return emitter.reshaped(result, image, layer.shape)


def _layernorm(emitter: Emitter, layer: LayerNorm) -> ir.Value:
    weight, bias = emitter.weights(layer)
    return tinyattn.LayernormOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        weight,
        bias,
        [emitter.empty(layer.shape)],
        epsilon=layer.epsilon,
    ).result


def _mhsa(emitter: Emitter, layer: Mhsa) -> ir.Value:
    name = attention_name(layer)
    projections: Mapping[str, Projection] = {
        "query": layer.query,
        "key": layer.key,
        "value": layer.value,
        "output": layer.output,
    }
    operands = []
    for part, projection in projections.items():
        operands.append(
            emitter.constant(projection.weight, f"{name}.{part}.weight", projection.scales)
        )
        operands.append(emitter.constant(projection.bias, f"{name}.{part}.bias"))
    op = tinyattn.MhsaOp(
        emitter.type(layer.shape),
        emitter.values[layer.input],
        *operands,
        layer.heads,
        scale=layer.scale,
    )
    for key, known in _inner_ranges(emitter, layer).items():
        op.operation.attributes[f"tinyattn.{key}"] = ir.DenseF64ArrayAttr.get(known)
    return op.result


def _inner_ranges(emitter: Emitter, layer: Mhsa) -> dict[str, list[float]]:
    """What is known inside attention: one bound a head for queries, keys and values."""
    known = dict(layer.known)
    if not layer.projected and layer in emitter.ranges:
        known["context"] = emitter.ranges[layer]
    return {
        f"{name}_range" if name in ("scores", "context") else f"{name}_absmax": list(ends)
        if name in ("scores", "context")
        else [max(map(abs, ends))] * layer.heads
        for name, ends in known.items()
    }


def _lookup(emitter: Emitter, layer: Lookup) -> ir.Value:
    return tinyattn.LookupOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        [emitter.empty(layer.shape)],
        function=FUNCTIONS[layer.function],
        factor=None if layer.factor == 1.0 else layer.factor,
    ).result


def _add(emitter: Emitter, layer: Add) -> ir.Value:
    lhs, rhs = emitter.values[layer.lhs], emitter.values[layer.rhs]
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.AddOp([kind], lhs, rhs, [init]).result


def _softmax(emitter: Emitter, layer: Softmax) -> ir.Value:
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.SoftmaxOp([kind], emitter.values[layer.input], [init]).result


def _pool(emitter: Emitter, layer: Pool) -> ir.Value:
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    how = POOL_KINDS[layer.kind]
    return tinyattn.PoolOp([kind], emitter.values[layer.input], [init], how).result


def _embedding(emitter: Emitter, layer: Embedding) -> ir.Value:
    source = layer.input
    ids = emitter.reshaped(emitter.values[source], source.shape, (source.size,))
    table = emitter.constant(layer.table, f"{parameter_path(layer.name)}.weight")
    if layer.known is not None:
        table.owner.attributes[RANGE] = ir.DenseF64ArrayAttr.get(layer.known)
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.EmbeddingOp([kind], ids, table, [init]).result


EMITTERS: Mapping[type[Layer], Callable[[Emitter, Any], ir.Value | None]] = {
    Add: _add,
    Concat: _concat,
    Conv: _conv,
    Embedding: _embedding,
    LayerNorm: _layernorm,
    Linear: _linear,
    Lookup: _lookup,
    Mhsa: _mhsa,
    Parameter: _parameter,
    Pool: _pool,
    Reshape: _reshape,
    Slice: _slice,
    Softmax: _softmax,
}
