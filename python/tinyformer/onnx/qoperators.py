# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators on integers, as the operators on reals between (de)quantisations that they stand for.

onnxruntime's quantiser writes QLinearMatMul, QLinearAdd and their kin in its QOperator form. Each
becomes DequantizeLinear nodes, the node on reals under the same name, and a QuantizeLinear node,
which is the form that the rest of the importer reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from onnx import NodeProto, helper

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


# The operator on reals, and where the operands are.
_FORMS: Mapping[str, tuple[str, Callable[[list[str]], _Operands]]] = {
    "QGemm": ("Gemm", _gemm),
    "QLinearAdd": ("Add", _two),
    "QLinearConcat": ("Concat", _concat),
    "QLinearConv": ("Conv", _conv),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", _one),
    "QLinearLeakyRelu": ("LeakyRelu", _one),
    "QLinearMatMul": ("MatMul", _two),
    "QLinearMul": ("Mul", _two),
    "QLinearReduceMean": ("ReduceMean", _one),
    "QLinearSigmoid": ("Sigmoid", _one),
    "QLinearSoftmax": ("Softmax", _one),
    "QLinearWhere": ("Where", _where),
}
# Attributes of the integer operator alone.
_OWN_ATTRIBUTES = {"QLinearSoftmax": ("opset",), "QLinearGlobalAveragePool": ("channels_last",)}


def expanded(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """The nodes in order, those on integers replaced."""
    for node in nodes:
        form = _FORMS.get(node.op_type)
        if form is not None and node.domain in ("", MICROSOFT):
            yield from _expand(node, form[0], form[1](list(node.input)))
            continue
        if node.op_type in SHARED and node.domain == MICROSOFT:
            node.domain = ""
        yield node


def _expand(node: NodeProto, op: str, operands: _Operands) -> Iterator[NodeProto]:
    name = node.name or f"{node.op_type}_{node.output[0]}"
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
    skipped = _OWN_ATTRIBUTES.get(node.op_type, ())
    real.attribute.extend(item for item in node.attribute if item.name not in skipped)
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
