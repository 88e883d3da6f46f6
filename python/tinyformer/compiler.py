# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a float module to firmware: the phases, in order.

    compilation = Compilation(module, name, samples, output_names, target)
    compilation.run_to("llvm")
    image = compilation.build(directory)

Calibration is the end of the phase `fuse`: fused weights have ranges of their own. Each phase is a
pipeline of `tinyformer-opt` of the same name; the text of the module after any of them can be
taken with `text()` and read back by `tinyformer-opt`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinyformer.calibration import calibrate
from tinyformer.decisions import (
    Arena,
    FusionDecision,
    MemoryPlan,
    NarrowedLayer,
    Schedule,
    ScheduleChoice,
    TiledFeedForward,
    location_name,
    read_arenas,
    read_choices,
    read_feed_forward,
    read_fusion,
    read_layers,
    read_narrowed,
    read_plan,
    read_schedules,
)
from tinyformer.errors import TinyFormerError
from tinyformer.firmware.fit import check_constants, data_bytes, place_data
from tinyformer.firmware.interface import WIDTHS
from tinyformer.mlir import ir, passmanager
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.options import CompileOptions
from tinyformer.progress import Progress, no_progress
from tinyformer.reference.interpreter import public_function
from tinyformer.reference.values import float_of, int_of
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.firmware import FirmwareImage, Library, NetworkInterface, TensorInterface

Array = npt.NDArray[Any]

PHASES = ("import", "fuse", "quantize", "tile", "bufferize", "kernels", "llvm")


class CompilerError(TinyFormerError):
    """A phase refused the module; the message has its diagnostics."""


class Compilation:
    """A module on its way through the phases.

    `module` is after `import`; it is changed in place. `samples` calibrate it: an array for each
    input, in the order of the arguments, whose first axis counts samples. Without any, the module
    has arrived quantised and `input_names` are given. A module that `is_integer` has integers in
    the place of reals from the start, and needs none either. `given` has the types of the inputs
    that are int8 or uint8 in the model itself. `quantized` is the module after
    `quantize`, for the reference interpreter; `input_tensors` and `output_tensors` describe its
    interface. `schedules` are known after `tile`, `arenas` after `bufferize`, `layers` (the layer
    of each function) after `kernels`; with the option `explain` also `choices`, `plan`, and
    `calibrated`, the float module that was quantised.
    """

    def __init__(
        self,
        module: ir.Module,
        name: str,
        samples: Mapping[str, Array],
        output_names: Sequence[str],
        target: Target,
        options: CompileOptions | None = None,
        *,
        input_names: Sequence[str] = (),
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.samples = samples
        self.input_names = tuple(samples) or tuple(input_names)
        self.output_names = tuple(output_names)
        self.given = dict(given or {})
        self.target = place_data(target, _io_bytes(module))
        self.options = options or CompileOptions()
        self.progress: Progress = no_progress
        self.phase = "import"
        self.is_integer = is_integer(module)
        self.narrowed: tuple[NarrowedLayer, ...] = ()
        self.fusion: tuple[FusionDecision, ...] = ()
        self.quantized: ir.Module | None = None
        self.input_tensors: tuple[TensorInterface, ...] = ()
        self.output_tensors: tuple[TensorInterface, ...] = ()
        self.schedules: tuple[Schedule, ...] = ()
        self.feed_forward: tuple[TiledFeedForward, ...] = ()
        self.choices: tuple[ScheduleChoice, ...] = ()
        self.arenas: tuple[Arena, ...] = ()
        self.plan: MemoryPlan | None = None
        self.layers: dict[str, str] = {}
        self.calibrated: ir.Module | None = None
        attach_target(module, self.target, {self.target.data_memory: data_bytes(_io_bytes(module))})

    def run_to(self, phase: str) -> None:
        """Run the phases behind the present one up to and including `phase`."""
        if phase not in PHASES:
            raise CompilerError(f"unknown phase '{phase}'; the phases are {', '.join(PHASES)}")
        start, end = PHASES.index(self.phase), PHASES.index(phase)
        for following in PHASES[start + 1 : end + 1]:
            self._run(following)

    def text(self) -> str:
        """The module as MLIR, with names and locations of layers."""
        return str(self.module.operation.get_asm(enable_debug_info=True))

    def build(self, directory: Path) -> FirmwareImage:
        """Firmware for the target's simulator in `directory`."""
        from tinyformer.firmware import build_firmware

        return build_firmware(self.interface(), self.llvm_ir(), self.target, directory)

    def build_with_library(self, directory: Path) -> tuple[FirmwareImage, Library]:
        """The same, and the library for firmware of the user's."""
        from tinyformer.firmware import build_both

        return build_both(self.interface(), self.llvm_ir(), self.target, directory)

    def llvm_ir(self) -> str:
        """The network as LLVM IR, a function with the name that the C interface has for it."""
        self.run_to("llvm")
        _rename(self.module, self.interface().invoke_symbol)
        ir_text: str = _tinyformer.translate_to_llvmir(self.module.operation)
        return ir_text

    def interface(self) -> NetworkInterface:
        """The C interface of the network, known when its memory is planned."""
        from tinyformer.firmware import NetworkInterface

        self.run_to("bufferize")
        arenas = {arena.memory: arena.size for arena in self.arenas}
        return NetworkInterface(
            self.name, self.input_tensors, self.output_tensors, arenas, self.target.cores
        )

    def _run(self, phase: str) -> None:
        arguments = self.options.pipeline_arguments(phase)
        run_pipeline(self.module, f"tinyformer-{phase}{arguments}", f"phase '{phase}'")
        self.phase = phase
        if phase == "fuse":
            self.narrowed = read_narrowed(public_function(self.module))
            self.fusion = read_fusion(public_function(self.module))
            if self.samples and not self.is_integer:
                calibrate(
                    self.module,
                    self.samples,
                    percentile=self.options.percentile,
                    progress=self.progress,
                )
            if self.options.explain:
                self.calibrated = self._copy()
        if phase == "quantize":
            self._reserve_constants()
            self.quantized = self._copy()
            inputs, self.output_tensors = _tensor_interfaces(
                public_function(self.module), self.input_names, self.output_names
            )
            self.input_tensors = tuple(
                replace(tensor, given=self.given.get(tensor.name)) for tensor in inputs
            )
        if phase == "tile":
            self.schedules = read_schedules(public_function(self.module))
            self.feed_forward = read_feed_forward(public_function(self.module))
            if self.options.explain:
                self.choices = read_choices(public_function(self.module))
        if phase == "bufferize":
            self.arenas = read_arenas(public_function(self.module))
            if self.options.explain:
                self.plan = read_plan(public_function(self.module))
        if phase == "kernels":
            self.layers = read_layers(self.module)

    def _copy(self) -> ir.Module:
        with self.module.context:
            return ir.Module.parse(self.text())

    def _reserve_constants(self) -> None:
        """Tell the planner what the weights take of a memory that has arenas, too."""
        taken = Counter({self.target.data_memory: data_bytes(_io_bytes(self.module))})
        name = self.target.constant_memory
        if name in self.target.arena_memories:
            taken[name] += _constant_bytes(self.module)
            check_constants(self.name, taken[name], self.target)
        attach_target(self.module, self.target, taken)


def is_integer(module: ir.Module) -> bool:
    """Whether a module of the phase `import` computes on integers only."""
    function = public_function(module)
    type_ = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    elements = (str(ir.RankedTensorType(result).element_type) for result in type_.results)
    return "f32" not in elements


def run_pipeline(module: ir.Module, pipeline: str, what: str) -> None:
    """Run a registered pass pipeline; its diagnostics become a CompilerError."""
    diagnostics: list[str] = []

    def collect(diagnostic: ir.Diagnostic) -> bool:
        diagnostics.append(f"{_layer(diagnostic.location)}{diagnostic.message}")
        return True

    with module.context as context:
        handler = context.attach_diagnostic_handler(collect)
        try:
            passmanager.PassManager.parse(f"builtin.module({pipeline})").run(module.operation)
        except ir.MLIRError as error:
            messages = [f"{_layer(d.location)}{d.message}" for d in error.error_diagnostics]
            details = "\n".join(messages or diagnostics) or str(error)
            raise CompilerError(f"{what} failed: {details}") from None
        finally:
            handler.detach()


def attach_target(
    module: ir.Module, target: Target, taken: Mapping[str, int] | None = None
) -> None:
    """Say in the module for which machine it is compiled; `taken` is by memory what lies beside
    the arena."""
    # A pointer and an index are 32 bits wide on every microcontroller here.
    index_bits = 64 if target.isa == "x86-64" else 32
    with module.context:
        attributes = module.operation.attributes
        attributes["tinyattn.target"] = ir.Attribute.parse(_target_attribute(target, taken or {}))
        attributes["dlti.dl_spec"] = ir.Attribute.parse(
            f"#dlti.dl_spec<index = {index_bits} : i32>"
        )


def _target_attribute(target: Target, taken: Mapping[str, int]) -> str:
    memories = []
    order = [*target.arena_memories, *(m.name for m in target.memories)]
    for name in dict.fromkeys(order):
        memory = target.memory(name)
        if name in target.arena_memories:
            reserved = memory.size - target.arena_capacity(name)
            if target.code_memory is not None:
                reserved = min(memory.size, reserved + taken.get(name, 0))
        else:
            reserved = memory.size
        memories.append(
            f'<name = "{name}", kind = {memory.kind}, size = {memory.size}, reserved = {reserved}>'
        )
    dma = "" if target.dma is None else f", dma = {_dma_attribute(target)}"
    return (
        f'#tinyattn.target<name = "{target.name}", core = "{target.core}", isa = "{target.isa}", '
        f"cores = {target.cores}, memories = [{', '.join(memories)}]{dma}>"
    )


def _dma_attribute(target: Target) -> str:
    assert target.dma is not None
    return (
        f'<far = "{target.constant_memory}", setup_cycles = {target.dma.setup_cycles}, '
        f"bytes_per_cycle = {target.dma.bytes_per_cycle}>"
    )


def _io_bytes(module: ir.Module) -> int:
    """Bytes of inputs and outputs, which are int8 in the end, or int32 if they are ids."""
    function = public_function(module)
    type_ = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    tensors = map(ir.RankedTensorType, [*type_.inputs, *type_.results])
    return sum(prod(tensor.shape) * WIDTHS[_element(tensor)] for tensor in tensors)


def _element(tensor: ir.RankedTensorType) -> str:
    """The type in C of the elements of a tensor of the interface, without `_t`."""
    return "int32" if str(tensor.element_type) == "i32" else "int8"


def _constant_bytes(module: ir.Module) -> int:
    """Bytes of all weights, biases, multipliers and tables of a quantised module."""
    total = 0

    def count(op: ir.Operation) -> ir.WalkResult:
        nonlocal total
        if op.name == "arith.constant" and isinstance(op.results[0].type, ir.RankedTensorType):
            type_ = op.results[0].type
            total += prod(type_.shape) * ir.IntegerType(type_.element_type).width // 8
        return ir.WalkResult.ADVANCE

    module.operation.walk(count)
    return total


def _layer(location: ir.Location) -> str:
    """`layer: ` for a location with a name, else nothing."""
    name = location_name(location)
    return f"{name}: " if name else ""


def _tensor_interfaces(
    function: ir.Operation, input_names: Sequence[str], output_names: Sequence[str]
) -> tuple[tuple[TensorInterface, ...], tuple[TensorInterface, ...]]:
    from tinyformer.firmware import TensorInterface

    type_ = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)

    def describe(
        names: Sequence[str], types: Sequence[ir.Type], key: str
    ) -> tuple[TensorInterface, ...]:
        result = []
        # Ids have no attributes, and a function without any other argument has no list of them.
        entries = [ir.DictAttr.get({}, function.context)] * len(types)
        if key in function.attributes:
            entries = list(function.attributes[key])
        for name, tensor, entry in zip(names, types, entries, strict=True):
            ranked = ir.RankedTensorType(tensor)
            attributes, element = ir.DictAttr(entry), _element(ranked)
            ids = element == "int32"
            result.append(
                TensorInterface(
                    name,
                    tuple(ranked.shape),
                    prod(ranked.shape) * WIDTHS[element],
                    1.0 if ids else float_of(attributes["tinyattn.scale"]),
                    0 if ids else int_of(attributes["tinyattn.zero_point"]),
                    element,
                )
            )
        return tuple(result)

    return (
        describe(input_names, type_.inputs, "arg_attrs"),
        describe(output_names, type_.results, "res_attrs"),
    )


def _rename(module: ir.Module, symbol: str) -> None:
    """Name the one public function, which nothing in the module calls."""
    for op in module.body.operations:
        attributes = op.operation.attributes
        if op.operation.name != "llvm.func" or "sym_visibility" in attributes:
            continue
        if len(op.operation.regions[0].blocks):
            with module.context:
                attributes["sym_name"] = ir.StringAttr.get(symbol)
