# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counting basic blocks and unaligned accesses while Unicorn runs, with the runtime's C hooks.

Unicorn calls the block hook before each block that it executes. A Python hook would take a
microsecond for each of the ten million blocks of an attention layer; the C one takes a few
nanoseconds. A memory hook makes Unicorn find out the PC for each access, which takes a microsecond
in long blocks, so that it is only there while alignment is checked.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyformer.errors import SimulationError
from tinyformer.firmware import runtime_dir
from tinyformer.simulators.program import Symbol
from tinyformer.toolchain import native_library

# More than two megabytes of flash can hold edges between blocks.
_TABLE_ENTRIES = 1 << 19

# Different unaligned instructions.
_UNALIGNED_ENTRIES = 1 << 12

# Of the STM32L4's flash (RM0351): lines of four words of 64 bits.
CODE_CACHE_LINES = 32
DATA_CACHE_LINES = 8

_EDGE = np.dtype(
    [
        ("from_layer", "<u4"),
        ("from", "<u4"),
        ("to", "<u4"),
        ("size", "<u4"),
        ("to_layer", "<u4"),
        ("instructions", "<u4"),
        ("count", "<u8"),
        ("missed_jumps", "<u8"),
        ("missed_next", "<u8"),
        ("missed_data", "<u8"),
    ]
)
_UNALIGNED = np.dtype(
    [("pc", "<u4"), ("size", "<u4"), ("offset", "<u4"), ("is_store", "<u4"), ("count", "<u8")]
)


class _Range(ctypes.Structure):
    """`range_t` of lib/Runtime/simulator/block_profile.c."""

    _fields_ = (("base", ctypes.c_uint32), ("size", ctypes.c_uint32))


class _Cache(ctypes.Structure):
    """`cache_t` of lib/Runtime/simulator/block_profile.c."""

    _fields_ = (
        ("lines", ctypes.c_uint64 * (2 * CODE_CACHE_LINES)),
        ("clock", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
    )


class _Profile(ctypes.Structure):
    """`profile_t` of lib/Runtime/simulator/block_profile.c."""

    _fields_ = (
        ("edges", ctypes.c_void_p),
        ("unaligned", ctypes.c_void_p),
        ("code", ctypes.c_void_p),
        ("instructions", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("stop", ctypes.c_void_p),
        ("read_register", ctypes.c_void_p),
        ("current", ctypes.c_void_p),
        ("code_cache", _Cache),
        ("data_cache", _Cache),
        ("wait_states", ctypes.c_uint32),
        ("fetched", ctypes.c_uint32),
        ("mask", ctypes.c_uint32),
        ("used", ctypes.c_uint32),
        ("previous", ctypes.c_uint32),
        ("layer", ctypes.c_uint32),
        ("in_entry", ctypes.c_uint32),
        ("entry", _Range * 2),
        ("code_base", ctypes.c_uint32),
        ("code_size", ctypes.c_uint32),
        ("unaligned_size", ctypes.c_uint32),
        ("table_full", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class Edge:
    """Control went `count` times from the block at `source` (0: the start) to the one at `target`.

    `size` is the number of bytes of the target block. A layer is the function that an entry
    function called, known by its address; 0 stands for the entry functions themselves. What is
    missed are words of flash: code behind a jump, code behind the word before, and data.
    """

    source: int
    target: int
    size: int
    count: int
    source_layer: int
    target_layer: int
    missed_jumps: int = 0
    missed_next: int = 0
    missed_data: int = 0


@dataclass(frozen=True)
class UnalignedAccess:
    """The instruction at `pc` accessed `size` bytes, `offset` bytes behind a multiple of 4."""

    pc: int
    size: int
    offset: int
    is_store: bool
    count: int


class BlockProfile:
    """The hooks on one engine, with their counters."""

    def __init__(
        self,
        engine: Any,
        code: bytes,
        code_base: int,
        entry: tuple[Symbol, Symbol],
        wait_states: int = 0,
    ) -> None:
        """Hooks `engine`, whose executable memory at `code_base` holds `code`.

        Whatever the functions `entry` call, other than each other, is a layer. With `wait_states`
        the misses of the flash's caches are counted.
        """
        self._engine = engine
        self._edges = np.zeros(_TABLE_ENTRIES, dtype=_EDGE)
        self._unaligned = np.zeros(_UNALIGNED_ENTRIES, dtype=_UNALIGNED)
        self._code = ctypes.create_string_buffer(code, len(code))
        unicorn = _unicorn_library()
        self._profile = _Profile(
            edges=self._edges.ctypes.data,
            unaligned=self._unaligned.ctypes.data,
            code=ctypes.addressof(self._code),
            stop=_address(unicorn.uc_emu_stop),
            read_register=_address(unicorn.uc_reg_read),
            mask=_TABLE_ENTRIES - 1,
            code_base=code_base,
            code_size=len(code),
            entry=(_Range * 2)(*(_Range(s.address, s.size) for s in entry)),
            unaligned_size=_UNALIGNED_ENTRIES,
        )
        self._profile.wait_states = wait_states
        self._add_hook(_constant("UC_HOOK_BLOCK"), "tf_count_block")
        if wait_states:
            self._add_hook(_constant("UC_HOOK_MEM_READ"), "tf_count_flash_read")

    def start(self, limit: int) -> None:
        """Begins a run of at most `limit` instructions."""
        self._profile.instructions = 0
        self._profile.limit = limit
        self._profile.code_cache = _Cache(size=CODE_CACHE_LINES)
        self._profile.data_cache = _Cache(size=DATA_CACHE_LINES)
        self._profile.fetched = self._profile.current = 0
        self._profile.previous = self._profile.layer = self._profile.in_entry = 0

    def clear_edges(self) -> None:
        """Forgets the edges of all runs so far."""
        self._edges[:] = 0
        self._profile.used = 0

    @contextlib.contextmanager
    def watch_alignment(self) -> Iterator[None]:
        """Within it, unaligned accesses are counted."""
        self._unaligned[:] = 0
        kinds = _constant("UC_HOOK_MEM_READ") | _constant("UC_HOOK_MEM_WRITE")
        hook = self._add_hook(kinds, "tf_count_unaligned")
        self._engine.ctl_flush_tb()
        try:
            yield
        finally:
            _unicorn_library().uc_hook_del(self._engine._uch, hook)
            self._engine.ctl_flush_tb()

    @property
    def instructions(self) -> int:
        """Instructions executed since `start`."""
        return int(self._profile.instructions)

    @property
    def exceeded(self) -> bool:
        """Whether the run was stopped because of its limit."""
        if self._profile.table_full:
            raise SimulationError(
                f"the program has more than {3 * _TABLE_ENTRIES // 4} edges between basic blocks "
                f"or {_UNALIGNED_ENTRIES} unaligned instructions, too many to profile"
            )
        return int(self._profile.instructions) > int(self._profile.limit)

    def edges(self) -> list[Edge]:
        """All edges taken since the last `clear_edges`."""
        taken = self._edges[self._edges["size"] > 0]
        return [
            Edge(
                source=int(e["from"]),
                target=int(e["to"]),
                size=int(e["size"]),
                count=int(e["count"]),
                source_layer=int(e["from_layer"]),
                target_layer=int(e["to_layer"]),
                missed_jumps=int(e["missed_jumps"]),
                missed_next=int(e["missed_next"]),
                missed_data=int(e["missed_data"]),
            )
            for e in taken
        ]

    def last_edge(self, back: int) -> Edge:
        """The end of the run: control went from the block executed last to `back`, outside."""
        profile = self._profile
        return Edge(int(profile.previous), back, 0, 1, int(profile.layer), 0)

    def unaligned(self) -> list[UnalignedAccess]:
        """All unaligned accesses made within `watch_alignment`, by address of the instruction."""
        made = np.sort(self._unaligned[self._unaligned["size"] > 0], order="pc")
        return [
            UnalignedAccess(
                pc=int(u["pc"]),
                size=int(u["size"]),
                offset=int(u["offset"]),
                is_store=bool(u["is_store"]),
                count=int(u["count"]),
            )
            for u in made
        ]

    def _add_hook(self, kinds: int, function: str) -> ctypes.c_size_t:
        hook = ctypes.c_size_t()
        everywhere = (ctypes.c_uint64(1), ctypes.c_uint64(0))
        error = _unicorn_library().uc_hook_add(
            self._engine._uch,
            ctypes.byref(hook),
            ctypes.c_int(kinds),
            getattr(_hooks(), function),
            ctypes.byref(self._profile),
            *everywhere,
        )
        if error != 0:
            raise SimulationError(f"unicorn refused the hook {function} with error {error}")
        return hook


def _address(function: Any) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value


def _constant(name: str) -> int:
    """A constant of unicorn, whose types do not survive strict checking."""
    return int(getattr(importlib.import_module("unicorn"), name))


@functools.cache
def _unicorn_library() -> ctypes.CDLL:
    """The library that the unicorn package has loaded; loading it again gives the same one."""
    binding: Any = importlib.import_module("unicorn.unicorn_py3.unicorn")
    return ctypes.CDLL(binding.uclib._name)


@functools.cache
def _hooks() -> ctypes.CDLL:
    source = runtime_dir() / "simulator" / "block_profile.c"
    return ctypes.CDLL(str(native_library(source)))
