# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs for a PULP cluster on the simulator of lib/Simulator.

What the chip forbids, and what two cores must not do at once, is a SimulationError that names the
core, the function and the cycle.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer.errors import SimulationError
from tinyformer.simulators.program import load_program
from tinyformer.simulators.result import (
    Int8Array,
    LayerCycles,
    RunResult,
    check_inputs,
    shape_outputs,
)

if TYPE_CHECKING:
    from tinyformer._pulp import CoreReport, Machine
    from tinyformer.firmware import FirmwareImage

TIMING_MODEL = "RI5CY table, cluster in lock step"

# The runtime's function, on core 0, while the others wait at a barrier.
_DMA_WAIT = "tf_dma_wait"

# Half a minute of a cluster at 370 MHz.
DEFAULT_CYCLE_LIMIT = 10_000_000_000


@dataclass(frozen=True)
class ClusterOptions:
    """The cluster that a program runs on. `l1_bytes` None is the chip's own L1.

    Without `instruction_cache` every fetch hits, without `contention` every bank serves all cores.
    Races are found between accesses to the same block of `race_granule` bytes, 4 or 1.
    """

    chip: str = "gap9"
    cores: int = 8
    l1_bytes: int | None = None
    instruction_cache: bool = True
    contention: bool = True
    race_detector: bool = True
    race_granule: int = 4
    cycle_limit: int = DEFAULT_CYCLE_LIMIT

    @property
    def timing_model(self) -> str:
        """The name of the model, with what it leaves out."""
        cache = "" if self.instruction_cache else ", no instruction cache"
        banks = "" if self.contention else ", no contention"
        return f"{TIMING_MODEL}{cache}{banks}"


@dataclass(frozen=True)
class ClusterRun:
    """What a program did: between entry and return of the measured function, or in all.

    `reports` has what each core counted, the fabric controller last. A function's cycles contain
    all its stalls and the time that it slept.
    """

    exit_code: int
    output: str
    cycles: int
    l1_bytes: int
    reports: Sequence[CoreReport]
    memory: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def instructions(self) -> int:
        """Executed by all cores together."""
        return sum(report["events"]["instructions"] for report in self.reports)

    @property
    def stack_bytes(self) -> int | None:
        """The deepest stack of a cluster core; None if the program has no symbols for stacks."""
        depths = [r["stack_bytes"] for r in self.reports if r["hart"] < 32]
        known = [depth for depth in depths if depth >= 0]
        return max(known, default=None)

    def core(self, hart: int) -> CoreReport:
        """What core `hart` counted."""
        for report in self.reports:
            if report["hart"] == hart:
                return report
        raise SimulationError(f"core {hart} was never started")


class ClusterProgram:
    """A linked program in a cluster of its own, for one run."""

    def __init__(
        self,
        path: Path,
        options: ClusterOptions | None = None,
        *,
        measure: str | None = None,
        layers_of: str | None = None,
    ) -> None:
        """Loads the ELF at `path`.

        `measure` is a function: only its last call is counted. `layers_of` is one whose callees
        are layers: all that they call counts for them.
        """
        options = options or ClusterOptions()
        self._measure = measure
        self._machine = _machine(path, options, measure, layers_of)

    @property
    def output(self) -> str:
        """What the program has printed."""
        return self._machine.output

    def write(self, symbol: str, data: bytes) -> None:
        """Puts `data` where the program has `symbol`."""
        self._machine.write(self._address(symbol), data)

    def read(self, symbol: str, size: int) -> bytes:
        """`size` bytes at `symbol`."""
        return self._machine.read(self._address(symbol), size)

    def run(
        self,
        inputs: Mapping[str, bytes] | None = None,
        outputs: Mapping[str, int] | None = None,
        *,
        trace: Callable[[str], object] | None = None,
    ) -> ClusterRun:
        """Runs to the end. `inputs` are bytes by symbol, `outputs` sizes by symbol.

        `trace` is called with a line for each instruction.
        """
        for symbol, data in (inputs or {}).items():
            self.write(symbol, data)
        if trace is not None:
            self._machine.set_trace(trace)
        from tinyformer._pulp import SimulationError as Fault

        try:
            self._machine.run()
        except Fault as error:
            raise SimulationError(str(error)) from error
        if self._measure is not None and not self._machine.was_measured:
            raise SimulationError(
                f"the program ended, but {self._measure!r} was not called and left; "
                "measure a function that returns"
            )
        return ClusterRun(
            exit_code=self._machine.exit_code,
            output=self._machine.output,
            cycles=self._machine.cycles,
            l1_bytes=self._machine.l1_bytes,
            reports=self._machine.core_reports(),
            memory={symbol: self.read(symbol, size) for symbol, size in (outputs or {}).items()},
        )

    def has_symbol(self, symbol: str) -> bool:
        """Whether the program has it."""
        return self._machine.symbol(symbol) is not None

    def _address(self, symbol: str) -> int:
        address = self._machine.symbol(symbol)
        if address is None:
            raise SimulationError(f"the program has no symbol {symbol!r}, or was stripped")
        return address


def _machine(
    path: Path, options: ClusterOptions, measure: str | None, layers_of: str | None
) -> Machine:
    from tinyformer import _pulp

    try:
        elf = path.read_bytes()
    except OSError as error:
        raise SimulationError(f"cannot read {path}: {error.strerror}") from error
    try:
        return _pulp.Machine(
            elf,
            chip=options.chip,
            cores=options.cores,
            l1_bytes=options.l1_bytes or 0,
            instruction_cache=options.instruction_cache,
            contention=options.contention,
            race_detector=options.race_detector,
            race_granule=options.race_granule,
            cycle_limit=options.cycle_limit,
            measure=measure or "",
            layers_of=layers_of or "",
        )
    except (ValueError, _pulp.SimulationError) as error:
        raise SimulationError(f"{path.name}: {error}") from error


class PulpSession:
    """A network's program, run from reset on each set of inputs.

    The program has the buffers `tf_input_<i>` and `tf_output_<i>`, and calls `<name>_run` as
    often as `tf_runs` says, or once.
    """

    def __init__(self, image: FirmwareImage, options: ClusterOptions | None = None) -> None:
        self._path = image.path
        self._interface = image.interface
        self._options = options or ClusterOptions()

    def run(self, inputs: Sequence[Int8Array], *, profile: bool = False) -> RunResult:
        """Runs the network; cycles are those of core 0 from entry to return.

        With `profile` it runs twice and the second time counts, as on a device that works: what
        fits the instruction caches is in them.
        """
        finished = self.run_cluster(inputs, runs=2 if profile else 1)
        outputs = [finished.memory[f"tf_output_{i}"] for i in range(len(self._interface.outputs))]
        result = RunResult(
            outputs=shape_outputs(self._interface, outputs),
            instructions=finished.instructions,
            stack_bytes=finished.stack_bytes,
        )
        return self._with_cycles(result, finished) if profile else result

    def run_cluster(self, inputs: Sequence[Int8Array], runs: int = 1) -> ClusterRun:
        """The last of some runs with all that the simulator counted."""
        raw = check_inputs(self._interface, inputs)
        program = ClusterProgram(
            self._path,
            self._options,
            measure=self._interface.run_symbol,
            layers_of=self._interface.invoke_symbol,
        )
        sizes = {f"tf_output_{i}": t.bytes for i, t in enumerate(self._interface.outputs)}
        data = {f"tf_input_{i}": data for i, data in enumerate(raw)}
        if runs != 1 and program.has_symbol("tf_runs"):
            data["tf_runs"] = runs.to_bytes(4, "little")
        finished = program.run(data, sizes)
        if finished.exit_code != 0:
            raise SimulationError(
                f"{self._path.name} ended with status {finished.exit_code} instead of 0"
            )
        return finished

    def check_alignment(self, inputs: Sequence[Int8Array]) -> dict[str, int]:
        """Runs the network once; accesses across words by symbol. None is a fault, each costs."""
        counts: dict[str, int] = {}
        for report in self.run_cluster(inputs).reports:
            for name, count in report["misaligned"].items():
                counts[name] = counts.get(name, 0) + count
        return counts

    def _with_cycles(self, result: RunResult, finished: ClusterRun) -> RunResult:
        """Cycles by layer and function, as core 0 spent them.

        What it does in no layer counts for the functions themselves, as the network's entry.
        """
        layers = dict(finished.core(0)["layers"])
        own = layers.pop("", {})
        counted = [*layers.items(), *((name, {name: cycles}) for name, cycles in own.items())]
        kernels = Counter[str]()
        for _, functions in counted:
            kernels.update(functions)
        program = load_program(self._path)
        return dataclasses.replace(
            result,
            cycles=finished.cycles,
            layers=_largest_first(
                {
                    name: LayerCycles(sum(f.values()), dict(Counter(f).most_common()))
                    for name, f in counted
                }
            ),
            kernels=dict(kernels.most_common()),
            dma_wait_cycles=kernels[_DMA_WAIT],
            kernel_bytes={name: program.function_size(name) for name in kernels},
            timing_model=self._options.timing_model,
            instruction_cache=self._options.instruction_cache,
            contention=self._options.contention,
        )


def _largest_first(layers: dict[str, LayerCycles]) -> dict[str, LayerCycles]:
    return dict(sorted(layers.items(), key=lambda item: -item[1].cycles))
