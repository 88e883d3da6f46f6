# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The MLIR bindings with our dialect in them."""

from __future__ import annotations

import numpy as np
import pytest
from tinyformer.mlir import ir
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.mlir.dialects import arith, func, tinyattn


def build_mhsa(width: int, key_width: int) -> ir.Module:
    """A function of one mhsa op; valid if both widths are equal."""
    with ir.Context(), ir.Location.unknown():
        f32 = ir.F32Type.get()
        module = ir.Module.create()
        tokens = ir.RankedTensorType.get([5, width], f32)

        def constant(*shape: int) -> ir.Value:
            data = np.ones(shape, np.float32)
            return arith.ConstantOp(
                ir.RankedTensorType.get(shape, f32), ir.DenseElementsAttr.get(data)
            ).result

        with ir.InsertionPoint(module.body):

            @func.FuncOp.from_py_func(tokens)
            def layer(x: ir.Value) -> ir.Value:
                weight, bias = constant(8, width), constant(8)
                return tinyattn.mhsa(
                    tokens,
                    x,
                    query_weight=weight,
                    query_bias=bias,
                    key_weight=constant(8, key_width),
                    key_bias=bias,
                    value_weight=weight,
                    value_bias=bias,
                    output_weight=constant(width, 8),
                    output_bias=constant(width),
                    heads=2,
                    scale=0.5,
                )

        return module


def test_mhsa_builds_and_verifies() -> None:
    module = build_mhsa(6, 6)
    assert module.operation.verify()
    assert "tinyattn.mhsa" in str(module)


def test_mhsa_with_a_key_of_the_wrong_width_does_not_verify() -> None:
    module = build_mhsa(6, 7)
    with pytest.raises(ir.MLIRError) as error:
        module.operation.verify()
    assert "expects key_weight of shape [8, 6], got [8, 7]" in str(error.value)


def test_element_bytes_reads_dense_splat_and_resource() -> None:
    with ir.Context(), ir.Location.unknown():
        data = np.arange(6, dtype=np.int32).reshape(2, 3)
        type_ = ir.RankedTensorType.get([2, 3], ir.IntegerType.get_signless(32))
        dense = ir.DenseElementsAttr.get(data, type=type_)
        assert _tinyformer.element_bytes(dense) == data.tobytes()
        splat = ir.Attribute.parse("dense<7> : tensor<3xi16>")
        assert _tinyformer.element_bytes(splat) == np.full(3, 7, np.int16).tobytes()
        resource = ir.DenseResourceElementsAttr.get_from_buffer(data, "data", type_)
        assert _tinyformer.element_bytes(resource) == data.tobytes()
        with pytest.raises(ValueError, match="dense"):
            _tinyformer.element_bytes(ir.Attribute.parse("42 : i32"))


def test_requant_fields() -> None:
    with ir.Context():
        text = "#tinyattn.requant<multiplier = 5, shift = 9, zero_point = -3, wide = true>"
        assert _tinyformer.requant_fields(ir.Attribute.parse(text)) == (5, 9, -3, True)
        with pytest.raises(ValueError, match="requant"):
            _tinyformer.requant_fields(ir.Attribute.parse("unit"))


def test_translation_refuses_other_dialects() -> None:
    with pytest.raises(ValueError, match="llvm"):
        _tinyformer.translate_to_llvmir(build_mhsa(6, 6).operation)
