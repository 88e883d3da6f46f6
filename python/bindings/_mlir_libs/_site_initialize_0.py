# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Called by MLIR's bindings for every new context: registers our dialects."""

from . import _tinyformer

_tinyformer.register_passes()
register_dialects = _tinyformer.register_dialects
