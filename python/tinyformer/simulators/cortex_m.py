# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cortex-M firmware on Unicorn, with exactly the chip's memories.

Nothing is mapped that the chip does not have, flash cannot be written and RAM cannot be executed:
what would be a fault on the chip is a SimulationError here, with the symbol that did it. The
alignment that LDRD and LDM want is checked by `check_alignment` only, as that takes time.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyformer.errors import SimulationError
from tinyformer.firmware import FirmwareImage
from tinyformer.simulators import faults
from tinyformer.simulators.alignment import unaligned_by_symbol
from tinyformer.simulators.block_profile import BlockProfile
from tinyformer.simulators.cycles import (
    PESSIMISTIC_MODELS,
    TIMING_MODELS,
    cycles_by_layer,
    kernel_cycles,
)
from tinyformer.simulators.flash import check_wait_states, model_name
from tinyformer.simulators.program import load_program
from tinyformer.simulators.result import Int8Array, RunResult, check_inputs, shape_outputs
from tinyformer.targets import Memory, Target

# Half a minute of an STM32L4.
DEFAULT_INSTRUCTION_LIMIT = 2_000_000_000

# Boot clears and copies at most all RAM.
_BOOT_LIMIT = 10_000_000

# The System Control Space holds the register that switches the FPU on. Unicorn's FPU is always
# on, so plain memory will do.
_SYSTEM_CONTROL_SPACE = Memory("system control space", 0xE000_E000, 0x1000, "ram")

_STACK_PAINT = 0xA5

# What RAM holds at power-up is not defined. Zeros would hide a missing initialisation.
_POWER_UP = b"\xcd"


def _module(name: str) -> Any:
    """A module of unicorn, without its types: they do not survive strict checking."""
    return importlib.import_module(name)


class CortexMSession:
    """A firmware, booted once, that runs on as many inputs as wanted.

    Each run begins with memory and registers as boot left them at the entry of `<name>_run`.
    """

    def __init__(
        self,
        image: FirmwareImage,
        target: Target,
        *,
        instruction_limit: int = DEFAULT_INSTRUCTION_LIMIT,
        wait_states: int = 0,
    ) -> None:
        """Loads `image` and runs it from its vector table up to the entry of the network."""
        check_wait_states(wait_states, target)
        self._wait_states = wait_states
        self._unicorn = _module("unicorn")
        self._registers = _module("unicorn.arm_const")
        self._interface = image.interface
        self._target = target
        self._limit = instruction_limit
        self._program = load_program(image.path)
        self._bad_access: faults.BadAccess | None = None
        self._exception: tuple[int, int] | None = None
        assert target.code_memory is not None, f"{target.name} has no flash"
        self._flash = target.memory(target.code_memory)
        self._flash_bytes = self._flash_image()
        self._engine = self._make_engine()
        names = (self._interface.run_symbol, self._interface.invoke_symbol)
        run, invoke = (self._program.symbol(name) for name in names)
        self._profile = BlockProfile(
            self._engine, self._flash_bytes, self._flash.base, (run, invoke), wait_states
        )
        self._boot()
        self._after_boot = self._engine.context_save()
        self._ram_after_boot = [
            (m.base, bytes(self._engine.mem_read(m.base, m.size))) for m in self._ram()
        ]

    def run(self, inputs: Sequence[Int8Array], *, profile: bool = False) -> RunResult:
        """Runs the network once; `profile` computes cycles as well."""
        if profile:
            self._profile.clear_edges()
        stack_top, back = self._run_network(inputs)
        result = RunResult(
            outputs=shape_outputs(self._interface, self._read_outputs()),
            instructions=self._profile.instructions,
            stack_bytes=self._stack_used(stack_top),
        )
        return self._with_cycles(result, back) if profile else result

    def check_alignment(self, inputs: Sequence[Int8Array]) -> dict[str, int]:
        """Runs the network once, slowly, and counts unaligned accesses by symbol.

        Raises a SimulationError for an access that is a fault on the chip.
        """
        with self._profile.watch_alignment():
            self._run_network(inputs)
        return unaligned_by_symbol(
            self._program, self._flash_bytes, self._flash.base, self._profile.unaligned()
        )

    def _run_network(self, inputs: Sequence[Int8Array]) -> tuple[int, int]:
        """One run from the state after boot; returns the stack pointer and return address."""
        raw = check_inputs(self._interface, inputs)
        self._reset()
        for index, data in enumerate(raw):
            self._engine.mem_write(self._program.symbol(f"tf_input_{index}").address, data)
        stack_top = self._paint_stack()
        start = self._engine.reg_read(self._registers.UC_ARM_REG_PC)
        back = self._engine.reg_read(self._registers.UC_ARM_REG_LR) & ~1
        self._profile.start(self._limit)
        self._execute(start, back, self._limit)
        return stack_top, back

    def _with_cycles(self, result: RunResult, back: int) -> RunResult:
        edges = [*self._profile.edges(), self._profile.last_edge(back)]
        layers = cycles_by_layer(
            self._target.core,
            self._program,
            self._flash_bytes,
            self._flash.base,
            edges,
            self._wait_states,
        )
        kernels = kernel_cycles(layers)
        second = PESSIMISTIC_MODELS.get(self._target.core)
        return dataclasses.replace(
            result,
            cycles=sum(layer.cycles for layer in layers.values()),
            layers=layers,
            kernels=kernels,
            kernel_bytes={name: self._program.function_size(name) for name in kernels},
            timing_model=model_name(TIMING_MODELS[self._target.core], self._wait_states),
            cycles_pessimistic=None
            if second is None
            else sum(layer.cycles_pessimistic or 0 for layer in layers.values()),
            pessimistic_model=second,
        )

    def _ram(self) -> list[Memory]:
        return [memory for memory in self._target.memories if memory.kind == "ram"]

    def _flash_image(self) -> bytes:
        """The whole flash: what was loaded, and 0xFF where it is erased."""
        flash = bytearray(b"\xff" * self._flash.size)
        for address, data in self._program.segments:
            offset = address - self._flash.base
            if not 0 <= offset <= self._flash.size - len(data):
                raise SimulationError(
                    f"{self._program.path.name} puts {len(data)} bytes at 0x{address:08x}, "
                    f"outside of {self._flash.name!r} of {self._target.name}"
                )
            flash[offset : offset + len(data)] = data
        return bytes(flash)

    def _make_engine(self) -> Any:
        unicorn = self._unicorn
        models = {
            "cortex-m4": self._registers.UC_CPU_ARM_CORTEX_M4,
            "cortex-m7": self._registers.UC_CPU_ARM_CORTEX_M7,
        }
        if self._target.core not in models:
            raise SimulationError(f"{self._target.name} is not a Cortex-M: {self._target.core}")
        mode = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        engine = unicorn.Uc(unicorn.UC_ARCH_ARM, mode, models[self._target.core])
        executable = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        data = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        engine.mem_map(self._flash.base, self._flash.size, executable)
        for memory in (*self._ram(), _SYSTEM_CONTROL_SPACE):
            engine.mem_map(memory.base, memory.size, data)
        for memory in self._ram():
            engine.mem_write(memory.base, _POWER_UP * memory.size)
        engine.mem_write(self._flash.base, self._flash_bytes)
        engine.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_bad_access)
        engine.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        return engine

    def _boot(self) -> None:
        """From reset to the entry of the network, as the core does it (ARMv7-M ARM, B1.5.5)."""
        sp = int.from_bytes(self._flash_bytes[0:4], "little")
        reset = int.from_bytes(self._flash_bytes[4:8], "little")
        self._engine.reg_write(self._registers.UC_ARM_REG_SP, sp)
        entry = self._program.symbol(self._interface.run_symbol).address
        self._profile.start(_BOOT_LIMIT)
        self._execute(reset & ~1, entry, _BOOT_LIMIT)

    def _execute(self, start: int, until: int, limit: int) -> None:
        """Runs from `start` until control arrives at `until`, or raises a SimulationError."""
        self._bad_access = self._exception = None
        failure: Exception | None = None
        try:
            self._engine.emu_start(start | 1, until)
        except self._unicorn.UcError as error:
            failure = error
        pc = self._engine.reg_read(self._registers.UC_ARM_REG_PC)
        if self._bad_access is not None:
            raise faults.access_error(self._bad_access, self._program, self._target)
        if self._exception is not None:
            number, at = self._exception
            raise faults.exception_error(f"exception {number}", at, self._program)
        if failure is not None:
            raise faults.exception_error(str(failure), pc, self._program)
        if self._profile.exceeded:
            raise faults.limit_error(limit, pc, self._program)
        if pc != until:
            raise self._halted(pc)

    def _halted(self, pc: int) -> SimulationError:
        """The processor went to sleep, as tf_exit does after a fault."""
        fault = self._program.symbol("tf_fault").address
        reason = int.from_bytes(self._engine.mem_read(fault, 4), "little")
        if reason != 0:
            return faults.reported_fault_error(reason, self._program)
        return faults.exception_error("the processor was put to sleep", pc, self._program)

    def _on_bad_access(
        self, engine: Any, access: int, address: int, size: int, value: int, data: Any
    ) -> bool:
        unicorn = self._unicorn
        kinds = {
            unicorn.UC_MEM_READ_UNMAPPED: "read",
            unicorn.UC_MEM_WRITE_UNMAPPED: "write",
            unicorn.UC_MEM_FETCH_UNMAPPED: "execution",
            unicorn.UC_MEM_WRITE_PROT: "write",
            unicorn.UC_MEM_READ_PROT: "read",
            unicorn.UC_MEM_FETCH_PROT: "execution",
        }
        pc = engine.reg_read(self._registers.UC_ARM_REG_PC)
        sp = engine.reg_read(self._registers.UC_ARM_REG_SP)
        self._bad_access = faults.BadAccess(kinds[access], address, size, pc, sp)
        return False

    def _on_exception(self, engine: Any, number: int, data: Any) -> None:
        self._exception = (number, engine.reg_read(self._registers.UC_ARM_REG_PC))
        engine.emu_stop()

    def _reset(self) -> None:
        for base, content in self._ram_after_boot:
            self._engine.mem_write(base, content)
        self._engine.context_restore(self._after_boot)

    def _read_outputs(self) -> list[bytes]:
        addresses = [
            self._program.symbol(f"tf_output_{index}").address
            for index in range(len(self._interface.outputs))
        ]
        sizes = [tensor.bytes for tensor in self._interface.outputs]
        return [
            bytes(self._engine.mem_read(address, size))
            for address, size in zip(addresses, sizes, strict=True)
        ]

    def _paint_stack(self) -> int:
        """Fills the unused stack with a pattern; returns the stack pointer."""
        sp = self._engine.reg_read(self._registers.UC_ARM_REG_SP)
        limit = self._program.symbol("tf_stack_limit").address
        self._engine.mem_write(limit, bytes([_STACK_PAINT]) * (sp - limit))
        return int(sp)

    def _stack_used(self, sp: int) -> int:
        """Bytes from the stack's top down to the lowest one that lost its paint."""
        limit = self._program.symbol("tf_stack_limit").address
        top = self._program.symbol("tf_stack_top").address
        stack = np.frombuffer(self._engine.mem_read(limit, sp - limit), dtype=np.uint8)
        changed = np.flatnonzero(stack != _STACK_PAINT)
        lowest = limit + int(changed[0]) if changed.size else sp
        return top - lowest
