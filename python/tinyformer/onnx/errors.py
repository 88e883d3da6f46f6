# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can be wrong with a model file, and how the importer says so."""

from __future__ import annotations

from tinyformer.errors import TinyFormerError


class ModelFileError(TinyFormerError):
    """The file cannot be read as an ONNX model."""


class UnsupportedModelError(TinyFormerError):
    """The model is valid ONNX, but no network that TinyFormer compiles."""


class UnsupportedNodeError(Exception):
    """Why a node cannot be imported, raised where it is found out.

    Only the interpreter knows the node and the file; it adds both and raises
    `UnsupportedModelError`.
    """

    def __init__(self, why: str, instead: str) -> None:
        super().__init__(why)
        self.why = why
        self.instead = instead
