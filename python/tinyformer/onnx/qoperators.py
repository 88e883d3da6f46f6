# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators on integers, as the operators on reals between (de)quantisations that they stand for.

onnxruntime's quantiser writes QLinearMatMul, QLinearAdd and their kin in its QOperator form. Each
becomes DequantizeLinear nodes, the node on reals under the same name, and a QuantizeLinear node,
which is the form that the rest of the importer reads.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onnx import NodeProto, helper

from tinyformer.onnx.errors import UnsupportedModelError

MICROSOFT = "com.microsoft"
# These mean the same in both domains.
SHARED = frozenset(["DequantizeLinear", "QuantizeLinear"])


@dataclass(frozen=True)
class _Operands:
    """The names of a node's operands: integers with scale and zero point, and others."""

    coded: tuple[tuple[str, str, str], ...]
    result: tuple[str, str]
    plain: tuple[str, ...] = ()
    bias: str = ""


def _triples(names: list[str], count: int) -> _Operands:
    """Operands one by one, each with its scale and zero point; those of the result at the end."""
    names = [*names, ""]
    coded = tuple((names[i], names[i + 1], names[i + 2]) for i in range(0, 3 * count, 3))
    return _Operands(coded, (names[3 * count], names[3 * count + 1]))


def _one(names: list[str]) -> _Operands:
    return _triples(names, 1)


def _two(names: list[str]) -> _Operands:
    return _triples(names, 2)


def _conv(names: list[str]) -> _Operands:
    operands = _triples(names, 2)
    return _Operands(operands.coded, operands.result, bias=names[8] if len(names) > 8 else "")


def _gemm(names: list[str]) -> _Operands:
    names = [*names, *[""] * (9 - len(names))]
    coded = _triples(names, 2).coded
    return _Operands(coded, (names[7], names[8]), bias=names[6])


def _concat(names: list[str]) -> _Operands:
    rest = names[2:]
    coded = tuple((rest[i], rest[i + 1], rest[i + 2]) for i in range(0, len(rest), 3))
    return _Operands(coded, (names[0], names[1]))


def _where(names: list[str]) -> _Operands:
    operands = _triples(names[1:], 2)
    return _Operands(operands.coded, operands.result, plain=(names[0],))


@dataclass(frozen=True)
class _Form:
    """The operator on reals, where the operands are, and how many there may be."""

    op: str
    operands: Callable[[list[str]], _Operands]
    counts: Container[int]


_FORMS: Mapping[str, _Form] = {
    "QGemm": _Form("Gemm", _gemm, range(6, 10)),
    "QLinearAdd": _Form("Add", _two, range(7, 9)),
    "QLinearConcat": _Form("Concat", _concat, range(5, 1 << 20, 3)),
    "QLinearConv": _Form("Conv", _conv, range(8, 10)),
    "QLinearGlobalAveragePool": _Form("GlobalAveragePool", _one, range(4, 6)),
    "QLinearLeakyRelu": _Form("LeakyRelu", _one, range(4, 6)),
    "QLinearMatMul": _Form("MatMul", _two, range(7, 9)),
    "QLinearMul": _Form("Mul", _two, range(7, 9)),
    "QLinearReduceMean": _Form("ReduceMean", _one, range(4, 6)),
    "QLinearSigmoid": _Form("Sigmoid", _one, range(4, 6)),
    "QLinearSoftmax": _Form("Softmax", _one, range(4, 6)),
    "QLinearWhere": _Form("Where", _where, range(8, 10)),
}
# Attributes of integer operators alone, and the numbers that change no meaning.
_OWN_ATTRIBUTES: Mapping[str, Container[int]] = {
    "channels_last": (0,),
    "opset": range(13, 1 << 20),
}


def expanded(path: Path, nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """The nodes of the model in `path` in order, those on integers replaced."""
    for node in nodes:
        form = _FORMS.get(node.op_type)
        if form is not None and node.domain in ("", MICROSOFT):
            _check(path, node, form)
            yield from _expand(node, form.op, form.operands(list(node.input)))
            continue
        if node.op_type in SHARED and node.domain == MICROSOFT:
            node.domain = ""
        yield node


def _check(path: Path, node: NodeProto, form: _Form) -> None:
    """What ONNX's checker leaves out, as it knows no operators of onnxruntime."""
    place = f"{path}: node {_name(node)!r} ({node.op_type})"
    if len(node.input) not in form.counts:
        raise UnsupportedModelError(
            f"{place}: has {len(node.input)} operands, which are too few or too many; write it as "
            "onnxruntime.quantization does, or as QuantizeLinear and DequantizeLinear nodes"
        )
    result = form.operands(list(node.input)).result
    if result[0] and not result[1]:
        raise UnsupportedModelError(
            f"{place}: has no zero point for its result, so that the type of that is not known; "
            "write one, 0 of int8 or uint8"
        )
    for item in node.attribute:
        if item.i not in _OWN_ATTRIBUTES.get(item.name, (item.i,)):
            raise UnsupportedModelError(
                f"{place}: has {item.name} = {item.i}, which gives it another meaning; export the "
                "model with the channels first, in opset 13 or newer"
            )


def _name(node: NodeProto) -> str:
    return node.name or f"{node.op_type}_{node.output[0]}"


def _expand(node: NodeProto, op: str, operands: _Operands) -> Iterator[NodeProto]:
    name = _name(node)
    axis = 0 if op == "Conv" or _is_transposed(node) else 1
    reals = list(operands.plain)
    for position, (value, scale, zero_point) in enumerate(operands.coded):
        reals.append(f"{name}/operand_{position}")
        # An axis counts only where there is a scale for each channel, which is in weights.
        yield _make("DequantizeLinear", (value, scale, zero_point), reals[-1], name, axis=axis)
    if operands.bias:
        scale = f"{name}/bias_scale"
        yield _make("Mul", (operands.coded[0][1], operands.coded[1][1]), scale, f"{name}/bias")
        reals.append(f"{name}/bias_real")
        yield _make("DequantizeLinear", (operands.bias, scale), reals[-1], name, axis=0)
    coded = bool(operands.result[0])
    result = f"{name}/result" if coded else node.output[0]
    real = helper.make_node(op, reals, [result], name=name)
    real.attribute.extend(item for item in node.attribute if item.name not in _OWN_ATTRIBUTES)
    alpha = [item.f for item in node.attribute if item.name == "alpha" and op == "Gemm"]
    if alpha:  # the bias counts in units of the product
        real.attribute.append(helper.make_attribute("beta", alpha[0]))
    yield real
    if coded:
        yield _make("QuantizeLinear", (result, *operands.result), node.output[0], name)


def _is_transposed(node: NodeProto) -> bool:
    return any(item.name == "transB" and item.i for item in node.attribute)


def _make(op: str, inputs: tuple[str, ...], output: str, name: str, **attributes: int) -> NodeProto:
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    node = helper.make_node(op, inputs, [output], name=f"{name}/{op}")
    node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
    return node
