# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The numpy reference interpreter: it defines what a tinyattn module computes.

    interpreter = Interpreter(module)
    (logits,) = interpreter.run([image])

It executes float modules (after import) and integer modules (after quantisation, and after
decomposition); the bits of the latter are what every target must reproduce.
"""

from .integer import BoundError
from .interpreter import Interpreter, Observer

__all__ = ["BoundError", "Interpreter", "Observer"]
