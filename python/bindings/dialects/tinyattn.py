# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tinyattn dialect: encoder transformers, in float and in int8."""

from ._tinyattn_enum_gen import *  # noqa: F403
from ._tinyattn_ops_gen import *  # noqa: F403
from ._tinyattn_ops_gen import _Dialect  # noqa: F401
