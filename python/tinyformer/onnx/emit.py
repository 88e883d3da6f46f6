# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a network as an MLIR module of `tinyattn` on f32 tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinyformer.mlir import ir
from tinyformer.mlir.dialects import arith, func, tensor, tinyattn
from tinyformer.mlir.dialects.tinyattn import PoolKind, UnaryFunction
from tinyformer.onnx.graph import Shape
from tinyformer.onnx.interpreter import Network
from tinyformer.onnx.layers import (
    Add,
    Concat,
    Conv,
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
)
from tinyformer.onnx.names import attention_name, module_path, parameter_path

FUNCTIONS: Mapping[str, UnaryFunction] = {str(item): item for item in UnaryFunction}
POOL_KINDS: Mapping[str, PoolKind] = {str(item): item for item in PoolKind}


def emit(network: Network, name: str, outputs: Sequence[str], context: ir.Context) -> ir.Module:
    """The module of one function `name`; every op is located at its layer's name."""
    with context, ir.Location.unknown():
        module = ir.Module.create(ir.Location.name(name))
        with ir.InsertionPoint(module.body):
            _Emitter().function(network, name, outputs)
        module.operation.verify()
    return module


def _in_order(outputs: Sequence[Layer]) -> Iterator[Layer]:
    """The layers that the outputs need, each after its inputs."""
    done: set[Layer] = set()
    stack = [(layer, iter(layer.inputs)) for layer in reversed(outputs)]
    while stack:
        layer, inputs = stack[-1]
        pending = next((item for item in inputs if item not in done), None)
        if pending is not None:
            stack.append((pending, iter(pending.inputs)))
            continue
        stack.pop()
        if layer not in done:
            done.add(layer)
            yield layer


class _Emitter:
    """Makes ops at the insertion point; `values` holds the results so far."""

    def __init__(self) -> None:
        self.f32 = ir.F32Type.get()
        self.values: dict[Layer, ir.Value] = {}
        self.names: set[str] = set()

    def function(self, network: Network, name: str, outputs: Sequence[str]) -> None:
        """The network as a function."""
        arguments = [self.type(layer.shape) for layer in network.inputs]
        results = [self.type(layer.shape) for layer in network.outputs]
        function = func.FuncOp(name, (arguments, results), loc=ir.Location.name(name))
        block = function.add_entry_block(
            arg_locs=[ir.Location.name(layer.name) for layer in network.inputs]
        )
        self.values.update(zip(network.inputs, block.arguments, strict=True))
        with ir.InsertionPoint(block):
            for layer in _in_order(network.outputs):
                if not isinstance(layer, Input):
                    with ir.Location.name(self.layer_name(layer)):
                        self.values[layer] = EMITTERS[type(layer)](self, layer)
            locations = [ir.Location.name(output) for output in outputs]
            returned = [self.values[layer] for layer in network.outputs]
            func.ReturnOp(returned, loc=ir.Location.fused(locations))

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

    def type(self, shape: Shape) -> ir.Type:
        """A float tensor."""
        return ir.RankedTensorType.get(shape, self.f32)

    def empty(self, shape: Shape) -> ir.Value:
        """The destination of an op."""
        return tensor.empty(shape, self.f32)

    def constant(self, array: Weights, name: str) -> ir.Value:
        """A weight, in a resource of a readable name."""
        kind = self.type(array.shape)
        data = np.ascontiguousarray(array, dtype="<f4")
        attribute = ir.DenseResourceElementsAttr.get_from_buffer(data, module_path(name), kind)
        return arith.ConstantOp(kind, attribute).result

    def weights(self, layer: Linear | Conv | LayerNorm) -> tuple[ir.Value, ir.Value]:
        """Weight and bias, called after the layer's module."""
        name = parameter_path(layer.name)
        weight = self.constant(layer.weight, f"{name}.weight")
        return weight, self.constant(layer.bias, f"{name}.bias")

    def reshaped(self, value: ir.Value, source: Shape, target: Shape) -> ir.Value:
        """The value in another shape: collapsed, expanded, or both through a vector."""
        if source == target:
            return value
        groups = _groups(source, target)
        if groups is not None:
            return tensor.CollapseShapeOp(self.type(target), value, groups).result
        groups = _groups(target, source)
        if groups is not None:
            return tensor.ExpandShapeOp(self.type(target), value, groups, [], target).result
        squeezed = tuple(extent for extent in source if extent != 1)
        if squeezed != tuple(extent for extent in target if extent != 1):
            squeezed = (int(np.prod(source)),)
        return self.reshaped(self.reshaped(value, source, squeezed), squeezed, target)


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


def _reshape(emitter: _Emitter, layer: Reshape) -> ir.Value:
    return emitter.reshaped(emitter.values[layer.input], layer.input.shape, layer.shape)


def _slice(emitter: _Emitter, layer: Slice) -> ir.Value:
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


def _concat(emitter: _Emitter, layer: Concat) -> ir.Value:
    parts = [emitter.values[part] for part in layer.parts]
    return tensor.ConcatOp(emitter.type(layer.shape), layer.axis, parts).result


def _parameter(emitter: _Emitter, layer: Parameter) -> ir.Value:
    return emitter.constant(layer.array, layer.name)


def _linear(emitter: _Emitter, layer: Linear) -> ir.Value:
    weight, bias = emitter.weights(layer)
    init = emitter.empty(layer.shape)
    kind = emitter.type(layer.shape)
    return tinyattn.LinearOp([kind], emitter.values[layer.input], weight, bias, [init]).result


def _conv(emitter: _Emitter, layer: Conv) -> ir.Value:
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


def _layernorm(emitter: _Emitter, layer: LayerNorm) -> ir.Value:
    weight, bias = emitter.weights(layer)
    return tinyattn.LayernormOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        weight,
        bias,
        [emitter.empty(layer.shape)],
        epsilon=layer.epsilon,
    ).result


def _mhsa(emitter: _Emitter, layer: Mhsa) -> ir.Value:
    name = attention_name(layer)
    projections: Mapping[str, Projection] = {
        "query": layer.query,
        "key": layer.key,
        "value": layer.value,
        "output": layer.output,
    }
    operands = [
        emitter.constant(array, f"{name}.{part}.{what}")
        for part, projection in projections.items()
        for what, array in (("weight", projection.weight), ("bias", projection.bias))
    ]
    return tinyattn.MhsaOp(
        emitter.type(layer.shape),
        emitter.values[layer.input],
        *operands,
        layer.heads,
        scale=layer.scale,
    ).result


def _lookup(emitter: _Emitter, layer: Lookup) -> ir.Value:
    return tinyattn.LookupOp(
        [emitter.type(layer.shape)],
        emitter.values[layer.input],
        [emitter.empty(layer.shape)],
        function=FUNCTIONS[layer.function],
        factor=None if layer.factor == 1.0 else layer.factor,
    ).result


def _add(emitter: _Emitter, layer: Add) -> ir.Value:
    lhs, rhs = emitter.values[layer.lhs], emitter.values[layer.rhs]
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.AddOp([kind], lhs, rhs, [init]).result


def _softmax(emitter: _Emitter, layer: Softmax) -> ir.Value:
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    return tinyattn.SoftmaxOp([kind], emitter.values[layer.input], [init]).result


def _pool(emitter: _Emitter, layer: Pool) -> ir.Value:
    kind, init = emitter.type(layer.shape), emitter.empty(layer.shape)
    how = POOL_KINDS[layer.kind]
    return tinyattn.PoolOp([kind], emitter.values[layer.input], [init], how).result


EMITTERS: Mapping[type[Layer], Callable[[_Emitter, Any], ir.Value]] = {
    Add: _add,
    Concat: _concat,
    Conv: _conv,
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
