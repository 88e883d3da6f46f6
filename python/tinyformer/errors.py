# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The errors that TinyFormer reports to its users."""


class TinyFormerError(Exception):
    """A message for the user.

    It says what is wrong, where (layer, memory, file, symbol), the numbers that show it,
    and what to do. Everything that can go wrong because of the user's model, options or
    machine is one of these; any other exception is a bug in TinyFormer.
    """


class CalibrationError(TinyFormerError):
    """Samples, or inputs of a run, that do not fit the model."""


class InterfaceError(TinyFormerError):
    """A network's name, tensors or arenas cannot be turned into a C interface."""


class UnknownTargetError(TinyFormerError):
    """No target has the name that was asked for."""


class DoesNotFitError(TinyFormerError):
    """Code, weights, buffers or stack are larger than the target's memory."""


class ToolchainError(TinyFormerError):
    """The bundled C compiler, linker or archiver failed; carries what it said."""


class SimulationError(TinyFormerError):
    """The simulated program did something that the real chip forbids, or never ended."""
