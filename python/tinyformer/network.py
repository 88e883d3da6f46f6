# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled network as an object: what `tinyformer.compile` returns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from tinyformer import driver, package
from tinyformer.errors import CalibrationError
from tinyformer.files import writing_to
from tinyformer.options import CompileOptions, OptionError
from tinyformer.quantization import dequantize, quantize
from tinyformer.reference import Interpreter
from tinyformer.samples import as_array, load_samples
from tinyformer.targets import Target, get_target

if TYPE_CHECKING:
    from onnx import ModelProto

    from tinyformer.firmware import FirmwareImage, NetworkInterface
    from tinyformer.mlir import ir
    from tinyformer.profile import Profile
    from tinyformer.simulators import Session

Array = npt.NDArray[Any]
ModelFile: TypeAlias = Union[str, PathLike[str], "ModelProto"]
CalibrationData = str | PathLike[str] | Array | Mapping[str, Array]


@dataclass(frozen=True)
class MemoryReport:
    """Bytes of the program: `used` and `size` by memory, and what they consist of."""

    used: Mapping[str, int]
    size: Mapping[str, int]
    arenas: Mapping[str, int]
    arena_lower_bounds: Mapping[str, int]
    code: int
    weights: int

    def __str__(self) -> str:
        lines = [
            f"{name:8} {used:>10,} of {self.size[name]:>10,} bytes"
            for name, used in self.used.items()
        ]
        arenas = ", ".join(f"{size:,} in {name}" for name, size in self.arenas.items())
        return "\n".join(
            [*lines, f"arena {arenas}; code {self.code:,}, weights {self.weights:,} bytes"]
        )


class Network:
    """A network for a target. Called with real inputs, it runs on the target's simulator.

    Inputs are arrays of exactly the shapes of the model's inputs, or samples of them on one more
    axis in front; so are outputs. A model of several outputs returns a tuple.

    Numbers are real, except token ids. For an input that is int8 or uint8 in a quantised model, an
    array of integers has the model's own integers, as onnxruntime takes them; floats are real
    numbers there, too.
    """

    def __init__(self, model: driver.Model, target: Target, options: CompileOptions) -> None:
        """Compiles to the end. `model` stays as it is."""
        self._model, self._options = model, options
        self._compilation = model.start(target, options)
        with writing_to(Path(tempfile.gettempdir())):
            self._folder = tempfile.TemporaryDirectory(prefix="tinyformer-")
            self._image: FirmwareImage = self._compilation.build(Path(self._folder.name))
        assert self._compilation.quantized is not None
        self._reference = Interpreter(self._compilation.quantized)
        self._session: Session | None = None

    @property
    def name(self) -> str:
        """The name in C."""
        return self._compilation.name

    @property
    def target(self) -> Target:
        """What it is compiled for."""
        return self._compilation.target

    @property
    def interface(self) -> NetworkInterface:
        """Inputs and outputs with shapes, scales and zero points."""
        return self._image.interface

    @property
    def memory(self) -> MemoryReport:
        """What the program takes of each memory."""
        from tinyformer.report.measurement import memory_uses

        uses = memory_uses(self._image, self.target)
        return MemoryReport(
            used={use.name: use.used for use in uses},
            size={use.name: use.size for use in uses},
            arenas=dict(self.interface.arenas),
            arena_lower_bounds={a.memory: a.lower_bound for a in self._compilation.arenas},
            code=self._image.code_bytes,
            weights=self._image.weight_bytes,
        )

    def __call__(self, *inputs: npt.ArrayLike) -> Any:
        """The outputs of the device, simulated, as real numbers."""
        session = self._open()
        return self._map(lambda integers: session.run(integers).outputs, inputs)

    def reference(self, *inputs: npt.ArrayLike) -> Any:
        """The same from the integer reference: equal bits, without a simulator."""
        return self._map(self._reference.run, inputs)

    def profile(self, *inputs: npt.ArrayLike) -> Profile:
        """Cycles by layer of one run.

        If no input is given, on the first calibration sample, or on random integers.
        """
        from tinyformer.profile import first_inputs, profile_of

        integers = self._samples(inputs)[0][0] if inputs else first_inputs(self._compilation)
        run = self._open().run(integers, profile=self.target.clock_hz is not None)
        return profile_of(self._compilation, run)

    def module(self, phase: str) -> ir.Module:
        """The MLIR module after a phase: import, fuse, quantize, tile, bufferize, kernels, llvm."""
        compilation = self._model.start(self.target, self._options)
        compilation.run_to(phase)
        return compilation.module

    def save(self, directory: str | PathLike[str]) -> Path:
        """Writes the folder that `tinyformer compile` writes: library, program, report."""
        folder = Path(directory)
        package.write(self._compilation, folder)
        return folder

    def __repr__(self) -> str:
        tensors = [
            " and ".join("x".join(map(str, tensor.shape)) for tensor in tensors)
            for tensors in (self.interface.inputs, self.interface.outputs)
        ]
        return f"<Network {self.name!r} for {self.target.name}: {tensors[0]} to {tensors[1]}>"

    def _open(self) -> Session:
        from tinyformer.simulators import open_session

        if self._session is None:
            self._session = open_session(self._image, self.target)
        return self._session

    def _map(
        self, run: Callable[[list[Array]], Sequence[Array]], inputs: Sequence[npt.ArrayLike]
    ) -> Any:
        """Runs every sample, and puts the outputs together as the inputs are."""
        samples, batched = self._samples(inputs)
        results = [run(sample) for sample in samples]
        outputs = []
        for number, tensor in enumerate(self.interface.outputs):
            values = np.stack([dequantize(result[number], tensor) for result in results])
            outputs.append(values if batched else values[0])
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _samples(self, inputs: Sequence[npt.ArrayLike]) -> tuple[list[list[Array]], bool]:
        """Quantised inputs, sample by sample, and whether they had an axis for that."""
        tensors = self.interface.inputs
        if len(inputs) != len(tensors):
            names = ", ".join(tensor.name for tensor in tensors)
            raise CalibrationError(
                f"'{self.name}' takes {len(tensors)} input(s) ({names}), got {len(inputs)}"
            )
        arrays, batched = [], set()
        for given, tensor in zip(inputs, tensors, strict=True):
            array = as_array(given, f"input '{tensor.name}'")
            single = array.shape == tensor.shape
            if not single and (array.shape[1:] != tensor.shape or not len(array)):
                raise CalibrationError(
                    f"input '{tensor.name}' has shape {list(array.shape)}, expected "
                    f"{list(tensor.shape)} or samples of it on the first axis"
                )
            integers = quantize(array, tensor)
            arrays.append(integers[None] if single else integers)
            batched.add(not single)
        if len(batched) != 1 or len({len(array) for array in arrays}) != 1:
            counts = ", ".join(str(len(array)) for array in arrays)
            raise CalibrationError(f"the inputs have different numbers of samples: {counts}")
        return [list(sample) for sample in zip(*arrays, strict=True)], batched.pop()


def compile_model(
    model: ModelFile,
    target: str | Target,
    calibration: CalibrationData | None,
    cores: int | None,
    options: Mapping[str, Any],
) -> Network:
    """See `tinyformer.compile`."""
    from tinyformer import onnx

    known = {field.name for field in fields(CompileOptions)} - {"explain"}
    for name in options:
        if name not in known:
            raise OptionError(f"there is no option '{name}'; there are {', '.join(sorted(known))}")
    chip = (get_target(target) if isinstance(target, str) else target).with_cores(cores)
    settings = {**options, "tile": str(options.get("tile", "auto"))}
    settled = CompileOptions(**settings, explain=True)
    with _file_of(model) as path:
        imported = onnx.load(path, calibrated=calibration is not None)
        samples = None
        if calibration is not None:
            samples = _calibration(calibration, [name for name, _ in imported.inputs])
        loaded = driver.with_samples(imported, path, samples)
    return Network(loaded, chip, settled)


@contextmanager
def _file_of(model: ModelFile) -> Iterator[Path]:
    """The path of a model, which is written to a temporary file where it is none yet."""
    import onnx

    from tinyformer.onnx import ModelFileError

    if isinstance(model, (str, PathLike)):
        yield Path(model)
        return
    if not isinstance(model, onnx.ModelProto):
        raise ModelFileError(
            f"the model is a {type(model).__name__}: give the path of an ONNX file, or an "
            "onnx.ModelProto; docs/pytorch.md shows how a model of PyTorch becomes one"
        )
    with writing_to(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix="tinyformer-")
    with folder:
        path = Path(folder.name) / "model.onnx"
        with writing_to(path):
            onnx.save(model, path)
        yield path


def _calibration(given: CalibrationData, names: Sequence[str]) -> dict[str, Array]:
    """Samples by input name, in the order of the inputs."""
    if isinstance(given, (str, PathLike)):
        return load_samples(str(given), names)
    arrays = dict(given) if isinstance(given, Mapping) else {names[0]: given}
    if set(arrays) != set(names):
        raise CalibrationError(
            f"calibration has {', '.join(arrays)}; the model's inputs are {', '.join(names)}"
        )
    return {name: as_array(arrays[name], f"calibration of input '{name}'") for name in names}
