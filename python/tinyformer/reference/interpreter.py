# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Executes the function of a module, op by op."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.errors import TinyFormerError
from tinyformer.mlir import ir
from tinyformer.reference import movement
from tinyformer.reference.attention import ATTENTION
from tinyformer.reference.layers import LAYERS
from tinyformer.reference.values import (
    Array,
    computed,
    constant_array,
    empty_array,
    type_shape,
)

Observer = Callable[[ir.Operation, str, npt.NDArray[Any]], None]
"""Called with an op, the name of one of its values ("result", "scores", …) and the value."""

INDICES: dict[str, Callable[..., Any]] = {
    "arith.addi": operator.add,
    "arith.muli": operator.mul,
}
"""Arithmetic on the offsets of tiles."""


class Interpreter:
    """Runs the public function of `module` on numpy arrays, of reals in float64.

    Raises TinyFormerError on ops that have no meaning here (after bufferization).
    """

    def __init__(self, module: ir.Module, observer: Observer | None = None) -> None:
        self.module = module  # An operation does not keep its module alive.
        self.function = public_function(module)
        self.observer = observer or (lambda operation, name, value: None)
        self.constants: dict[ir.Value, Array] = {}
        self.bodies: dict[ir.Block, list[ir.Operation]] = {}
        self._prepare(self.function.regions[0].blocks[0])

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The results for one input array an argument, of exactly its shape."""
        values = dict(self.constants)
        arguments = self.function.regions[0].blocks[0].arguments
        if len(inputs) != len(arguments):
            raise TinyFormerError(f"expected {len(arguments)} inputs, got {len(inputs)}")
        for argument, array in zip(arguments, inputs, strict=True):
            if tuple(array.shape) != type_shape(argument.type):
                raise TinyFormerError(
                    f"input {argument.arg_number} has shape {tuple(array.shape)}, "
                    f"expected {type_shape(argument.type)}"
                )
            values[argument] = computed(array)
            self.observer(self.function, f"argument {argument.arg_number}", values[argument])
        return self._run_block(self.function.regions[0].blocks[0], values)

    def _prepare(self, block: ir.Block) -> None:
        """Read the constants of a block and of the loops in it, once and for all."""
        body = self.bodies[block] = []
        for op in block.operations:
            operation = op.operation
            if operation.name == "arith.constant":
                self.constants[operation.results[0]] = constant_array(operation)
            elif operation.name == "tensor.empty":
                self.constants[operation.results[0]] = empty_array(operation)
            else:
                body.append(operation)
                for region in operation.regions:
                    for inner in region.blocks:
                        self._prepare(inner)

    def _run_block(self, block: ir.Block, values: dict[ir.Value, Array]) -> list[Array]:
        """What the terminator of `block` hands on."""
        for operation in self.bodies[block]:
            if operation.name in ("func.return", "scf.yield"):
                return [values[operand] for operand in operation.operands]
            self._execute(operation, values)
        raise TinyFormerError("a block does not return")

    def _run_loop(self, loop: ir.Operation, values: dict[ir.Value, Array]) -> list[Array]:
        first, last, step, *carried = (values[operand] for operand in loop.operands)
        block = loop.regions[0].blocks[0]
        for index in range(int(first), int(last), int(step)):
            arguments: list[Any] = [np.int64(index), *carried]
            values.update(zip(block.arguments, arguments, strict=True))
            carried = self._run_block(block, values)
        return carried

    def _execute(self, operation: ir.Operation, values: dict[ir.Value, Array]) -> None:
        def read(value: ir.Value | None) -> Any:
            return None if value is None else values[value]

        def observe(name: str, value: npt.NDArray[Any]) -> None:
            self.observer(operation, name, value)

        view = operation.opview
        if operation.name in LAYERS:
            results = LAYERS[operation.name](view, read)
        elif operation.name in ATTENTION:
            results = ATTENTION[operation.name](view, read, observe)
        elif operation.name == "scf.for":
            results = self._run_loop(operation, values)
        elif operation.name in INDICES:
            results = [INDICES[operation.name](*map(read, operation.operands))]
        elif operation.name in movement.MOVEMENT:
            results = movement.MOVEMENT[operation.name](operation, read)
        else:
            raise TinyFormerError(
                f"the reference interpreter cannot execute '{operation.name}' "
                f"at {operation.location}"
            )
        for result, value in zip(operation.results, results, strict=True):
            values[result] = value
        if results:
            observe("result", results[0])


def public_function(module: ir.Module) -> ir.Operation:
    """The one function of a module that callers see."""
    for op in module.body.operations:
        attributes = op.operation.attributes
        if op.operation.name == "func.func" and "sym_visibility" not in attributes:
            return op.operation
    raise TinyFormerError("the module has no public function")
