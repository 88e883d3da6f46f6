# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models that arrive quantised: QuantizeLinear and DequantizeLinear.

Behind the importer a network computes on reals, and `tinyattn-quantize` chooses its integers. So a
pair of these nodes changes no value; what it says is the range that the value has, and that is
noted for the layer. Weights become reals that carry their scales: their integers are found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from onnx import TensorProto

from tinyformer.onnx.builder import Builder
from tinyformer.onnx.embedding import decoded
from tinyformer.onnx.errors import UnsupportedNodeError
from tinyformer.onnx.functions import Function
from tinyformer.onnx.graph import Array, Node
from tinyformer.onnx.handler import Handler
from tinyformer.onnx.layers import Embedding, Input, Lookup, Softmax
from tinyformer.onnx.ranges import Encoding
from tinyformer.onnx.values import Constant, Operands, Value, View, Virtual

LARGEST_WEIGHT = 127
EIGHT_BITS = "quantise to 8 bits: activation_type=QuantType.QInt8 or QUInt8"


def quantize(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """QuantizeLinear of an activation."""
    view = operands[0]
    if not isinstance(view, View):
        raise UnsupportedNodeError("has a scale computed from the input", "use static quantisation")
    encoding = _encoding(operands, _result_type(node) == TensorProto.INT8)
    view = _saturated(build, node, view, encoding)
    build.annotate(view, encoding.range)
    return [replace(view, known=encoding.range, coded=encoding)]


def _result_type(node: Node) -> int:
    """The attribute that says the type of the integers where no zero point does."""
    kind: int = node.attributes.get("output_dtype", TensorProto.UNDEFINED)
    if kind in (TensorProto.UNDEFINED, TensorProto.UINT8, TensorProto.INT8):
        return kind
    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    raise UnsupportedNodeError(
        f"quantises an activation to {names.get(kind, kind)} (output_dtype)", EIGHT_BITS
    )


def dequantize(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """DequantizeLinear of an activation."""
    del node
    view = operands[0]
    if not isinstance(view, View):
        raise UnsupportedNodeError("has a scale computed from the input", "use static quantisation")
    if isinstance(view.layer, Embedding) and view.layer.coded is not None:
        encoding = _encoding(operands, signed=view.layer.coded == "int8")
        layer = decoded(build, view.layer, encoding)
        return [replace(view, layer=layer, known=encoding.range)]
    integers = view.coded is not None or _is_integer_input(view)
    if not integers:
        raise UnsupportedNodeError("dequantises what was not quantised", "check the model")
    signed = view.coded.signed if view.coded else _is_signed_input(view)
    encoding = _encoding(operands, signed)
    if view.coded is None:
        build.annotate(view, encoding.range)
        return [replace(view, known=encoding.range)]
    if view.coded != encoding:
        raise UnsupportedNodeError(
            f"dequantises by scale {encoding.scale:g} and zero point {encoding.zero_point} what "
            f"was quantised by {view.coded.scale:g} and {view.coded.zero_point}",
            "use the same for both; a factor between them belongs into a Mul node",
        )
    return [replace(view, coded=None)]


def clip(build: Builder, node: Node, operands: Operands) -> Sequence[Value]:
    """Clip of the integers of an activation: fewer than 8 bits, or a narrower range.

    The value saturates at the ends of its range, as it does anyway; so the range is what is noted.
    """
    del node
    view, *bounds = operands
    if not isinstance(view, View) or view.coded is None or not all(map(_is_number, bounds)):
        raise UnsupportedNodeError("clips integers by what is no constant", "use constant bounds")
    encoding = view.coded
    first = -128 if encoding.signed else 0
    ends = [first, first + 255]
    for i, bound in enumerate(bounds):
        if isinstance(bound, Constant):
            ends[i] = min(max(int(bound.array.item()), first), first + 255)
    if not ends[0] <= encoding.zero_point <= ends[1] or ends[0] == ends[1]:
        raise UnsupportedNodeError(
            f"clips to integers from {ends[0]} to {ends[1]}, with the zero point "
            f"{encoding.zero_point}",
            "a range has several integers, the zero point among them: check the quantiser's bounds",
        )
    low, high = (encoding.scale * (end - encoding.zero_point) for end in ends)
    build.narrow(view, (low, high))
    return [replace(view, known=(low, high))]


def _is_number(value: Value | None) -> bool:
    return value is None or (isinstance(value, Constant) and value.array.size == 1)


def dequantize_constant(node: Node, operands: Operands) -> Constant:
    """DequantizeLinear of a constant, which keeps its scale."""
    integers, scale, zero_point = (*operands, None)[:3]
    assert isinstance(integers, Constant) and isinstance(scale, Constant)
    assert zero_point is None or isinstance(zero_point, Constant)
    _check_scales(scale, zero_point)
    shape = integers.shape
    scales = _spread(node, scale.array.astype(np.float64), shape)
    zeros = np.zeros(()) if zero_point is None else zero_point.array.astype(np.float64)
    centred = integers.array.astype(np.float64) - _spread(node, zeros, shape)
    exact = bool((np.abs(centred) <= LARGEST_WEIGHT).all())
    encoding = None
    if integers.array.dtype in (np.int8, np.uint8) and scale.array.size == 1:
        signed = integers.array.dtype == np.int8
        encoding = Encoding(float(scale.array.item()), int(zeros.item()), signed)
    return Constant(scales * centred, integers.name, scales if exact else None, encoding)


def _spread(node: Node, array: Array, shape: tuple[int, ...]) -> Array:
    """Scales or zero points of a tensor, a channel or a block, for each element."""
    if array.size == 1:
        return np.broadcast_to(array.reshape(()), shape)
    if not shape or array.ndim not in (1, len(shape)):
        raise UnsupportedNodeError(
            f"has scales or zero points of shape {list(array.shape)} for integers of {list(shape)}",
            "give one number, one for each channel, or one for each block",
        )
    axis = node.attributes.get("axis", 1) % len(shape)
    if array.ndim == 1:
        array = array.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    elif array.shape != shape:
        block = node.attributes.get("block_size") or -(-shape[axis] // array.shape[axis])
        array = np.repeat(array, block, axis).take(range(shape[axis]), axis)
    return np.broadcast_to(array, shape)


def _encoding(operands: Operands, signed: bool) -> Encoding:
    """Scale and zero point of an activation; `signed` if no zero point tells the type."""
    scale, zero_point = (*operands, None)[1:3]
    if isinstance(scale, View) or isinstance(zero_point, View):
        raise UnsupportedNodeError(
            "has a scale or zero point computed from the input",
            "dynamic quantisation is not supported: use quantize_static",
        )
    assert scale is not None
    if scale.array.size != 1:
        raise UnsupportedNodeError(
            f"has {scale.array.size} scales for an activation",
            "use one scale for each activation; weights may have one for each channel",
        )
    _check_scales(scale, zero_point)
    zero = 0
    if zero_point is not None:
        kind = zero_point.array.dtype
        if kind not in (np.int8, np.uint8):
            raise UnsupportedNodeError(f"quantises an activation to {kind}", EIGHT_BITS)
        zero, signed = int(zero_point.array.item()), kind == np.int8
    return Encoding(float(scale.array.item()), zero, signed)


def _check_scales(scale: Constant, zero_point: Constant | None) -> None:
    """A scale is a step between two integers; each has its own zero point, or none has one."""
    if zero_point is not None and zero_point.array.size != scale.array.size:
        raise UnsupportedNodeError(
            f"has {scale.array.size} scale(s) and {zero_point.array.size} zero points",
            "give as many zero points as scales, or none",
        )
    wrong = np.argwhere(~(np.isfinite(scale.array) & (scale.array > 0)))
    if len(wrong):
        place = wrong[0].tolist()
        where = f" at {place}" if place else ""
        raise UnsupportedNodeError(
            f"has {len(wrong)} scale(s) that are not positive and finite: "
            f"{scale.array[tuple(place)]:g}{where}",
            "calibrate the quantiser on samples that reach this node; where all numbers are 0, any "
            "positive scale will do",
        )


def _saturated(build: Builder, node: Node, view: View, encoding: Encoding) -> View:
    """The view with the ReLU that a range without negative values is: quantisers remove the node.

    No function is added to what cannot be negative, nor to an input, which arrives in integers.
    """
    if encoding.range[0] < 0 or isinstance(view.layer, Virtual | Softmax | Input):
        return view
    if _is_not_negative(view):
        return view
    if view.function.affine is not None and not view.function.is_identity:
        view = build.plain(view)
    return view.mapped(Function(np.maximum(view.function.samples, 0.0), node.name))


def _is_not_negative(view: View) -> bool:
    if not view.function.is_identity:
        return bool((view.function.samples >= 0).all())
    return isinstance(view.layer, Lookup) and view.layer.function in ("relu", "sigmoid")


def _is_integer_input(view: View) -> bool:
    return isinstance(view.layer, Input) and view.layer.kind in ("int8", "uint8")


def _is_signed_input(view: View) -> bool:
    return isinstance(view.layer, Input) and view.layer.kind == "int8"


# What nodes mean between QuantizeLinear and DequantizeLinear, if not what they mean on reals.
ON_CODED: Mapping[str, Handler] = {"Clip": clip}

HANDLERS: Mapping[str, Handler] = {"DequantizeLinear": dequantize, "QuantizeLinear": quantize}
