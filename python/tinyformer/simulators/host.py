# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network as a shared library in this process: the same bits, at full speed, no cycles."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Sequence

from tinyformer.errors import SimulationError
from tinyformer.firmware import FirmwareImage
from tinyformer.simulators.result import Int8Array, RunResult, check_inputs, shape_outputs


class HostSession:
    """A network's shared library, loaded; runs on as many inputs as wanted.

    A network that accesses memory it should not ends this process: the simulators of the
    microcontrollers are the place to look for such errors.
    """

    def __init__(self, image: FirmwareImage) -> None:
        """Loads the library of `image`."""
        if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
            raise SimulationError(
                f"the target 'host' makes programs for Linux on x86-64, but this is "
                f"{sys.platform} on {platform.machine()}; use a microcontroller's simulator"
            )
        self._interface = image.interface
        library = ctypes.CDLL(str(image.path.resolve()))
        self._run = getattr(library, image.interface.run_symbol)
        self._run.restype = None

    def run(self, inputs: Sequence[Int8Array], *, profile: bool = False) -> RunResult:
        """Runs the network once; there is nothing to `profile`."""
        del profile
        raw = check_inputs(self._interface, inputs)
        arguments = [ctypes.create_string_buffer(data, len(data)) for data in raw]
        results = [ctypes.create_string_buffer(t.bytes) for t in self._interface.outputs]
        self._run(*arguments, *results)
        return RunResult(outputs=shape_outputs(self._interface, [bytes(r) for r in results]))

    def check_alignment(self, inputs: Sequence[Int8Array]) -> dict[str, int]:
        """Nothing: x86-64 does not mind unaligned accesses."""
        del inputs
        return {}
