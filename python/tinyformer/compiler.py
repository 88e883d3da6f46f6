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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinyformer.calibration import calibrate
from tinyformer.defaults import DEFAULT_PERCENTILE
from tinyformer.errors import TinyFormerError
from tinyformer.mlir import ir, passmanager
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.progress import Progress, no_progress
from tinyformer.reference.interpreter import public_function
from tinyformer.reference.values import float_of, int_of
from tinyformer.targets import Target

if TYPE_CHECKING:
    from tinyformer.firmware import FirmwareImage, NetworkInterface, TensorInterface

Array = npt.NDArray[Any]

PHASES = ("import", "fuse", "quantize", "tile", "bufferize", "kernels", "llvm")


class CompilerError(TinyFormerError):
    """A phase refused the module; the message has its diagnostics."""


@dataclass(frozen=True)
class CompileOptions:
    """What the user may choose. `fuse`: auto, always or never; `optimize`: cycles or size;
    `percentile`: see `calibrate`."""

    fuse: str = "auto"
    optimize: str = "cycles"
    percentile: float = DEFAULT_PERCENTILE

    def __post_init__(self) -> None:
        _check_choice("fuse", self.fuse, ("auto", "always", "never"))
        _check_choice("optimize", self.optimize, ("cycles", "size"))

    def pipeline_arguments(self, phase: str) -> str:
        """`{name=value ...}` for the pipeline of a phase."""
        return f"{{mode={self.fuse} optimize={self.optimize}}}" if phase == "fuse" else ""


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise CompilerError(f"--{option} takes {', '.join(choices)}; got '{value}'")


@dataclass(frozen=True)
class FusionDecision:
    """Whether a layer's query and key weights were fused, and the estimates for either form of
    what differs between them."""

    layer: str
    fused: bool
    plain_cycles: float
    fused_cycles: float
    plain_weight_bytes: int
    fused_weight_bytes: int


@dataclass(frozen=True)
class Arena:
    """The planned arena: its memory, size and lower bound in bytes."""

    memory: str
    size: int
    lower_bound: int


class Compilation:
    """A module on its way through the phases.

    `module` is after `import`; it is changed in place. `samples` calibrate it: an array for each
    input, in the order of the arguments, whose first axis counts samples. `quantized` is the
    module after `quantize`, for the reference interpreter; `input_tensors` and `output_tensors`
    describe its interface. `arena` is known after `bufferize`.
    """

    def __init__(
        self,
        module: ir.Module,
        name: str,
        samples: Mapping[str, Array],
        output_names: Sequence[str],
        target: Target,
        options: CompileOptions | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.samples = samples
        self.input_names = tuple(samples)
        self.output_names = tuple(output_names)
        self.target = target
        self.options = options or CompileOptions()
        self.progress: Progress = no_progress
        self.phase = "import"
        self.fusion: tuple[FusionDecision, ...] = ()
        self.quantized: ir.Module | None = None
        self.input_tensors: tuple[TensorInterface, ...] = ()
        self.output_tensors: tuple[TensorInterface, ...] = ()
        self.arena: Arena | None = None
        attach_target(module, target)

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

        self.run_to("llvm")
        interface = self.interface()
        _rename(self.module, interface.invoke_symbol)
        llvm_ir = _tinyformer.translate_to_llvmir(self.module.operation)
        return build_firmware(interface, llvm_ir, self.target, directory)

    def interface(self) -> NetworkInterface:
        """The C interface of the network; needs the phase `bufferize`."""
        from tinyformer.firmware import NetworkInterface

        assert self.arena is not None, "the arena is planned by the phase bufferize"
        arenas = {self.arena.memory: self.arena.size}
        return NetworkInterface(self.name, self.input_tensors, self.output_tensors, arenas)

    def _run(self, phase: str) -> None:
        arguments = self.options.pipeline_arguments(phase)
        run_pipeline(self.module, f"tinyformer-{phase}{arguments}", f"phase '{phase}'")
        self.phase = phase
        if phase == "fuse":
            self.fusion = _read_fusion(public_function(self.module))
            calibrate(
                self.module,
                self.samples,
                percentile=self.options.percentile,
                progress=self.progress,
            )
        if phase == "quantize":
            with self.module.context:
                self.quantized = ir.Module.parse(self.text())
            self.input_tensors, self.output_tensors = _tensor_interfaces(
                public_function(self.module), self.input_names, self.output_names
            )
        if phase == "bufferize":
            self.arena = _read_arena(public_function(self.module))


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


def attach_target(module: ir.Module, target: Target) -> None:
    """Say in the module for which machine it is compiled."""
    # A pointer and an index are 32 bits wide on every microcontroller here.
    index_bits = 64 if target.isa == "x86-64" else 32
    with module.context:
        attributes = module.operation.attributes
        attributes["tinyattn.target"] = ir.Attribute.parse(_target_attribute(target))
        attributes["dlti.dl_spec"] = ir.Attribute.parse(
            f"#dlti.dl_spec<index = {index_bits} : i32>"
        )


def _target_attribute(target: Target) -> str:
    memories = []
    order = [*target.arena_memories, *(m.name for m in target.memories)]
    for name in dict.fromkeys(order):
        memory = target.memory(name)
        if name in target.arena_memories:
            reserved = memory.size - target.arena_capacity(name)
        else:
            reserved = memory.size
        memories.append(
            f'<name = "{name}", kind = {memory.kind}, size = {memory.size}, reserved = {reserved}>'
        )
    return (
        f'#tinyattn.target<name = "{target.name}", core = "{target.core}", isa = "{target.isa}", '
        f"cores = {target.cores}, memories = [{', '.join(memories)}]>"
    )


def _layer(location: ir.Location) -> str:
    """`layer: ` for a location with a name, else nothing."""
    text = str(location)
    return f"{text.split(chr(34))[1]}: " if text.count('"') >= 2 else ""


def _tensor_interfaces(
    function: ir.Operation, input_names: Sequence[str], output_names: Sequence[str]
) -> tuple[tuple[TensorInterface, ...], tuple[TensorInterface, ...]]:
    from tinyformer.firmware import TensorInterface

    type_ = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)

    def describe(
        names: Sequence[str], types: Sequence[ir.Type], key: str
    ) -> tuple[TensorInterface, ...]:
        result = []
        for name, tensor, entry in zip(names, types, function.attributes[key], strict=True):
            ranked = ir.RankedTensorType(tensor)
            attributes = ir.DictAttr(entry)
            size = 1
            for extent in ranked.shape:
                size *= extent
            result.append(
                TensorInterface(
                    name,
                    tuple(ranked.shape),
                    size,
                    float_of(attributes["tinyattn.scale"]),
                    int_of(attributes["tinyattn.zero_point"]),
                )
            )
        return tuple(result)

    return (
        describe(input_names, type_.inputs, "arg_attrs"),
        describe(output_names, type_.results, "res_attrs"),
    )


def _read_fusion(function: ir.Operation) -> tuple[FusionDecision, ...]:
    """What `tinyattn-fuse-weights` decided."""
    if "tinyattn.fusion" not in function.attributes:
        return ()
    decisions = []
    for entry in function.attributes["tinyattn.fusion"]:
        fields = ir.DictAttr(entry)
        decisions.append(
            FusionDecision(
                str(ir.StringAttr(fields["layer"]).value),
                bool(ir.BoolAttr(fields["fused"]).value),
                *ir.DenseF64ArrayAttr(fields["cycles"]),
                *ir.DenseI64ArrayAttr(fields["weight_bytes"]),
            )
        )
    return tuple(decisions)


def _read_arena(function: ir.Operation) -> Arena:
    """The arena is the last argument."""
    argument = function.regions[0].blocks[0].arguments[-1]
    attributes = ir.DictAttr(list(function.attributes["arg_attrs"])[-1])
    return Arena(
        memory=str(ir.StringAttr(attributes["tinyattn.arena"]).value),
        size=int(ir.MemRefType(argument.type).shape[0]),
        lower_bound=int_of(attributes["tinyattn.arena_lower_bound"]),
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
