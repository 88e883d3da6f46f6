# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The target descriptions, and asking for one."""

from __future__ import annotations

import pytest
from tinyformer.errors import TinyFormerError, UnknownTargetError
from tinyformer.targets import TARGETS, Target, get_target


def test_the_known_targets() -> None:
    assert list(TARGETS) == ["stm32l4", "stm32h7", "gap9", "pulp-open", "host"]
    assert get_target("stm32l4").core == "cortex-m4"


def test_an_unknown_target_names_the_known_ones() -> None:
    known = ", ".join(TARGETS)
    message = f"unknown target 'stm32f4'; the known targets are {known}"
    with pytest.raises(UnknownTargetError, match=message):
        get_target("stm32f4")


def test_memories_of_the_stm32l476() -> None:
    memories = {m.name: (m.base, m.size, m.kind) for m in get_target("stm32l4").memories}
    assert memories == {
        "flash": (0x08000000, 1 << 20, "flash"),
        "sram1": (0x20000000, 96 << 10, "ram"),
        "sram2": (0x10000000, 32 << 10, "ram"),
    }


def test_memories_of_the_stm32h743() -> None:
    memories = {m.name: (m.base, m.size, m.kind) for m in get_target("stm32h7").memories}
    assert memories == {
        "flash": (0x08000000, 2 << 20, "flash"),
        "dtcm": (0x20000000, 128 << 10, "ram"),
        "axi_sram": (0x24000000, 512 << 10, "ram"),
    }


@pytest.mark.parametrize(("name", "l1"), [("gap9", 128 << 10), ("pulp-open", 64 << 10)])
def test_memories_of_the_clusters(name: str, l1: int) -> None:
    target = get_target(name)
    memories = {m.name: (m.base, m.size, m.kind) for m in target.memories}
    assert memories == {
        "l2": (0x1C010000, 1536 << 10, "ram"),
        "l1": (0x10000000, l1, "ram"),
    }
    assert (target.core, target.isa, target.cores) == ("ri5cy", "xpulpv2", 8)
    assert target.l1_bytes == l1
    assert get_target("stm32l4").l1_bytes is None


def test_fewer_cores_leave_more_to_the_arena() -> None:
    target = get_target("gap9")
    assert target.with_cores(None) is target
    one = target.with_cores(1)
    assert one.cores == 1
    saved = one.arena_capacity("l1") - target.arena_capacity("l1")
    assert saved == 7 * target.stack_bytes
    for cores in (0, 9):
        with pytest.raises(
            TinyFormerError, match=rf"'gap9' has 8 core\(s\), --cores asks for {cores}"
        ):
            target.with_cores(cores)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_named_memory_exists_and_is_ram(target: Target) -> None:
    for name in (*target.arena_memories, target.data_memory, target.stack_memory):
        assert target.memory(name).kind == "ram"
    for code in (target.code_memory, target.constant_memory):
        assert (code is None) == (target.name == "host")
        assert code is None or target.memory(code).size >= 1 << 20


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_below_the_stack_there_is_nothing(target: Target) -> None:
    bottom = target.memory(target.stack_memory).base
    assert not any(m.base < bottom <= m.end for m in target.memories)


def test_the_stack_takes_from_the_arena_in_its_memory_only() -> None:
    target = get_target("stm32l4")
    assert target.arena_capacity("sram1") == 96 * 1024
    assert target.arena_capacity("sram2") == 32 * 1024 - target.stack_bytes


def test_flash_cannot_hold_an_arena() -> None:
    with pytest.raises(TinyFormerError, match="'flash' of target 'stm32l4' cannot hold an arena"):
        get_target("stm32l4").arena_capacity("flash")


def test_an_unknown_memory_names_the_known_ones() -> None:
    with pytest.raises(TinyFormerError, match="no memory 'l1'; it has 'flash', 'dtcm'"):
        get_target("stm32h7").memory("l1")


def test_energy_is_power_times_time() -> None:
    assert get_target("stm32l4").energy_mj(80_000_000) == pytest.approx(10.0)
    assert get_target("host").energy_mj(1) is None
