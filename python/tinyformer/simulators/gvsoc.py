# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs for a PULP cluster on GVSoC, where the user has it.

GVSoC loads an ELF and shows what the program prints, nothing else. So the inputs become segments of
a copy of the program, and the program prints its outputs and cycles.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyformer.errors import SimulationError
from tinyformer.simulators.program import Program, load_program
from tinyformer.simulators.result import Int8Array, RunResult, check_inputs, shape_outputs

if TYPE_CHECKING:
    from tinyformer.firmware import FirmwareImage

COMMAND = "gvsoc"
TIMING_MODEL = "GVSoC pulp-open"

_TIMEOUT_SECONDS = 3600
_L1 = range(0x1000_0000, 0x1001_0000)
_L1_LARGEST = range(0x1000_0000, 0x1010_0000)

# ELF: 32 bits, little-endian. A program header is 8 words.
_PROGRAM_HEADER = struct.Struct("<8I")
_PT_LOAD, _READ_WRITE = 1, 6


class GvsocSession:
    """A network's program, started in a process of GVSoC for each set of inputs."""

    def __init__(self, image: FirmwareImage) -> None:
        command = shutil.which(COMMAND)
        if command is None:
            raise SimulationError(
                f"--simulator gvsoc needs the command {COMMAND!r} on the PATH; install GVSoC with "
                "its target pulp-open, or leave the option out for the simulator that is built in"
            )
        self._command = command
        self._program = load_program(image.path)
        self._interface = image.interface
        _check_l1(self._program)

    def run(self, inputs: Sequence[Int8Array], *, profile: bool = False) -> RunResult:
        """Runs the network; with `profile` twice, and the cycles are those of the second time."""
        raw = check_inputs(self._interface, inputs)
        names = [f"tf_output_{i}" for i in range(len(self._interface.outputs))]
        sizes = [tensor.bytes for tensor in self._interface.outputs]
        printed = [
            word
            for name, size in zip(names, sizes, strict=True)
            for word in (self._program.symbol(name).address, size)
        ]
        table = self._program.symbol("tf_printed")
        if 4 * len(printed) > table.size:
            raise SimulationError(
                f"{self._program.path.name} has {len(names)} outputs; the program that GVSoC runs "
                f"prints {table.size // 8} at most"
            )
        data = {f"tf_input_{i}": part for i, part in enumerate(raw)}
        data["tf_printed"] = struct.pack(f"<{len(printed)}I", *printed)
        data["tf_runs"] = struct.pack("<I", 2 if profile else 1)
        lines = self._execute(with_data(self._program, data))
        outputs = [bytes(_numbers(lines, rf"output {i}:")) for i in range(len(names))]
        for name, output, size in zip(names, outputs, sizes, strict=True):
            if len(output) != size:
                raise SimulationError(f"{name} has {size} bytes, but GVSoC showed {len(output)}")
        cycles = _numbers(lines, "cycles:")
        return RunResult(
            outputs=shape_outputs(self._interface, outputs),
            cycles=cycles[0] if profile else None,
            timing_model=TIMING_MODEL if profile else None,
        )

    def check_alignment(self, inputs: Sequence[Int8Array]) -> dict[str, int]:
        """GVSoC does not say."""
        raise SimulationError("GVSoC does not count unaligned accesses; use the built-in simulator")

    def _execute(self, elf: bytes) -> list[str]:
        with tempfile.TemporaryDirectory() as directory:
            binary = Path(directory) / self._program.path.name
            binary.write_bytes(elf)
            command = [self._command, "--target=pulp-open", f"--binary={binary}", "run"]
            try:
                finished = subprocess.run(
                    command,
                    cwd=directory,
                    capture_output=True,
                    text=True,
                    timeout=_TIMEOUT_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise SimulationError(
                    f"GVSoC had not ended after {_TIMEOUT_SECONDS} seconds"
                ) from error
        if finished.returncode != 0:
            last = (finished.stderr.strip() or finished.stdout.strip()).splitlines()[-3:]
            raise SimulationError(
                f"GVSoC ended with status {finished.returncode}: {' / '.join(last) or 'no message'}"
            )
        return finished.stdout.splitlines()


def with_data(program: Program, data: Mapping[str, bytes]) -> bytes:
    """The ELF file with these bytes at these symbols: a segment each, behind all others."""
    elf = bytearray(program.path.read_bytes())
    (headers_at,) = struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<2H", elf, 42)
    headers = [bytes(elf[headers_at + i * size :][:size]) for i in range(count)]
    for name, content in data.items():
        address = program.symbol(name).address
        elf += b"\0" * (-len(elf) % 4)
        headers.append(
            _PROGRAM_HEADER.pack(
                _PT_LOAD,
                len(elf),
                address,
                address,
                len(content),
                len(content),
                _READ_WRITE,
                4,
            )
        )
        elf += content
    elf += b"\0" * (-len(elf) % 4)
    struct.pack_into("<I", elf, 28, len(elf))
    struct.pack_into("<H", elf, 44, len(headers))
    return bytes(elf + b"".join(headers))


def _check_l1(program: Program) -> None:
    for symbol in program.symbols.values():
        end = symbol.address + symbol.size
        if symbol.address in _L1_LARGEST and end > _L1.stop:
            raise SimulationError(
                f"{program.path.name} needs {end - _L1.start} bytes of L1, but GVSoC's pulp-open "
                f"has {len(_L1)}; compile for --target pulp-open"
            )


def _numbers(lines: Sequence[str], label: str) -> list[int]:
    """The numbers behind `label`."""
    pattern = re.compile(rf"tf {label}((?: -?\d+)+)")
    for line in lines:
        if match := pattern.search(line):
            return [int(word) for word in match[1].split()]
    raise SimulationError(f"GVSoC's output has no line 'tf {label} …': did the program end early?")
