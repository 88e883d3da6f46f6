# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The type of the functions that give ONNX operators their meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tinyformer.onnx.builder import Builder
from tinyformer.onnx.graph import Node
from tinyformer.onnx.values import Operands, Value

# Takes a node and its operands, of which at least one is a view; gives its results.
Handler: TypeAlias = Callable[[Builder, Node, Operands], Sequence[Value]]
