# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Several cores: barriers, contention, DMA, instruction caches, and races."""

from __future__ import annotations

import random
import struct

import pytest
from pulp.machine import L1, L2, Finished, run
from tinyformer import _pulp

DATA = random.Random(1).randbytes(4096)


def barrier(cores: int, number: int = 0) -> str:
    """Text in front of barriers: the core's event mask, and the masks of a barrier."""
    return f"""
  li s0, 0x10204000
  li t0, 0x10000
  sw t0, 8(s0)
  li s1, {0x10204200 + 0x20 * number}
  addi t0, zero, {(1 << cores) - 1}
  sw t0, 0(s1)
  sw t0, 12(s1)
"""


WAIT = "  p.elw t0, 28(s1)\n"
CLOCK = "  csrrs {0}, 0xc00, zero\n"


# --- Barriers.


@pytest.mark.parametrize("cores", [1, 2, 5, 8])
def test_a_barrier_takes_six_cycles_when_all_arrive_together(cores: int) -> None:
    each = barrier(cores) + WAIT + CLOCK.format("a0") + WAIT + CLOCK.format("a1")
    others = f"{each}  li a2, {L1}\n  slli a3, s4, 2\n  sub a4, a1, a0\n  p.sw a4, a3(a2)\n"
    texts = [each, *(f"  addi s4, zero, {i}\n{others}" for i in range(1, cores))]
    finished = run([texts[0] + "  addi t0, zero, 0\n" * 60, *texts[1:]])
    assert finished.register("a1") - finished.register("a0") == 7  # and a csrr
    assert [finished.word(L1 + 4 * i) for i in range(1, cores)] == [7] * (cores - 1)


def test_a_barrier_waits_for_the_last() -> None:
    slow = barrier(2) + WAIT + "  addi a0, zero, 0\n" * 100 + WAIT
    fast = barrier(2) + WAIT + CLOCK.format("a0") + WAIT + CLOCK.format("a1")
    finished = run([fast, slow])
    assert finished.register("a1") - finished.register("a0") == 100 + 7 - 1
    assert finished.events(0)["barrier_cycles"] >= 100
    assert finished.events(0)["event_loads"] == 2


def test_barriers_are_independent() -> None:
    pairs = [[0, 1], [2, 3]]
    texts = []
    for number, pair in enumerate(pairs):
        mask = sum(1 << core for core in pair)
        for core in pair:
            text = barrier(1, number).replace("addi t0, zero, 1", f"addi t0, zero, {mask}")
            texts.append(text + "  addi a0, zero, 0\n" * (50 * core) + WAIT * (core // 2 + 1))
    finished = run([texts[0] + "  addi a0, zero, 0\n" * 400, *texts[1:]])
    loads = [finished.events(core)["event_loads"] for core in range(4)]
    assert loads == [1, 1, 2, 2]


# --- Contention.


def loads_after_barrier(cores: int, stride: int, count: int = 64, **options: bool) -> Finished:
    """All cores load `count` times, core i at L1 + i * stride."""
    texts = []
    for core in range(cores):
        body = f"{barrier(cores)}  li a2, {L1 + core * stride}\n{WAIT}{CLOCK.format('a0')}"
        body += "  lw a3, 0(a2)\n" * count + CLOCK.format("a1") + WAIT
        texts.append(body)
    return run(texts, **options)


@pytest.mark.parametrize("cores", [2, 3, 8])
def test_one_bank_serves_one_core_a_cycle(cores: int) -> None:
    finished = loads_after_barrier(cores, 64)
    spent = finished.register("a1") - finished.register("a0") - 1
    assert 64 * cores - cores < spent <= 64 * cores


@pytest.mark.parametrize("cores", [2, 8])
def test_cores_take_turns(cores: int) -> None:
    finished = loads_after_barrier(cores, 64)
    waits = [finished.events(core)["contention"] for core in range(cores)]
    assert max(waits) - min(waits) <= cores
    # Each cycle serves one: the core behind waits for all in front, in each round.
    assert sum(waits) == pytest.approx(64 * cores * (cores - 1), rel=0.02)


@pytest.mark.parametrize("cores", [2, 8])
def test_different_banks_do_not_wait(cores: int) -> None:
    finished = loads_after_barrier(cores, 4)
    assert finished.register("a1") - finished.register("a0") - 1 == 64
    assert [finished.events(core)["contention"] for core in range(cores)] == [0] * cores


def test_the_seventeenth_word_is_the_first_bank_again() -> None:
    assert loads_after_barrier(2, 64).events(0)["contention"] > 0
    assert loads_after_barrier(2, 60).events(0)["contention"] == 0
    assert loads_after_barrier(2, 68).events(0)["contention"] == 0


def test_contention_can_be_switched_off() -> None:
    finished = loads_after_barrier(8, 64, contention=False)
    assert finished.register("a1") - finished.register("a0") - 1 == 64


# --- DMA.


def transfer(l1: int, l2: int, size: int, flags: int = 0x160000) -> str:
    """A command: to L1, incrementing, with an event, unless `flags` say otherwise."""
    words = (size | flags, l1, l2)
    text = "  li s2, 0x10204400\n  lw s3, 0(s2)\n"
    return text + "".join(f"  li t0, {word}\n  sw t0, 0(s2)\n" for word in words)


POLL = """
.poll:
  lw t0, 4(s2)
  srl t0, t0, s3
  andi t0, t0, 1
  bne t0, zero, .poll
  addi t0, zero, 1
  sll t0, t0, s3
  sw t0, 4(s2)
"""


@pytest.mark.parametrize("size", [1, 8, 64, 1024, 4096])
@pytest.mark.parametrize("to_l1", [True, False])
def test_dma_copies(size: int, to_l1: bool) -> None:
    here, there = (L2, L1) if to_l1 else (L1, L2)
    flags = 0x160000 if to_l1 else 0x140000
    text = transfer(L1, L2, size, flags) + POLL
    finished = run(text, {here: DATA, there: bytes(4097)})
    assert finished.machine.read(there, 4097) == DATA[:size] + bytes(4097 - size)


@pytest.mark.parametrize(("size", "cycles"), [(8, 16), (64, 23), (1024, 143), (4096, 527)])
def test_dma_takes_15_cycles_and_1_for_8_bytes(size: int, cycles: int) -> None:
    wait = "  li s0, 0x10204000\n  li t0, 0x100\n  sw t0, 8(s0)\n"
    start = transfer(L1, L2, size).rsplit("  sw t0", 1)
    text = wait + start[0] + CLOCK.format("a0") + "  sw t0, 0(s2)\n"
    text += "  p.elw t0, 0x3c(s0)\n" + CLOCK.format("a1")
    finished = run(text, {L2: DATA})
    # csrr 1, and the event unit wakes the core 6 cycles after the last byte.
    assert finished.register("a1") - finished.register("a0") == 1 + cycles + 6
    assert finished.events(0)["dma_wait_cycles"] == cycles + 6 - 1


def test_transfers_of_one_direction_follow_one_another() -> None:
    def spent(first: str, second: str) -> int:
        text = first + "  addi s5, s3, 0\n" + second + CLOCK.format("a0") + POLL
        text += "  addi s3, s5, 0\n" + POLL.replace(".poll", ".poll2") + CLOCK.format("a1")
        finished = run(text, {L2: DATA * 2, L1: DATA * 2})
        return finished.register("a1") - finished.register("a0")

    both_in = spent(transfer(L1, L2, 2048), transfer(L1 + 4096, L2 + 4096, 2048))
    in_and_out = spent(transfer(L1, L2, 2048), transfer(L1 + 4096, L2 + 4096, 2048, 0x140000))
    assert both_in - in_and_out == pytest.approx(256, abs=20)


def test_the_bytes_arrive_with_the_last_one() -> None:
    text = transfer(L1, L2, 512) + f"  li a2, {L1}\n  lw a0, 0(a2)\n{POLL}  lw a1, 0(a2)\n"
    finished = run(text, {L2: b"\x11" * 512, L1: bytes(512)}, race_detector=False)
    assert (finished.register("a0"), finished.register("a1")) == (0, 0x11111111)


# --- Instruction caches.


def rounds(instructions: int, count: int) -> str:
    body = "  addi a1, a1, 1\n" * (instructions - 3)
    loop = f".again:\n{body}  addi a0, a0, -1\n  beq a0, zero, .done\n  jal zero, .again\n.done:\n"
    return f"  li a0, {count}\n.align\n{loop}"


def fetch_stalls(text: str, cores: int = 1) -> int:
    finished = run([text] + ["  addi a1, a1, 0"] * (cores - 1), instruction_cache=True)
    return finished.events(0)["fetch_stalls"]


def test_a_loop_in_the_cores_buffer_costs_only_the_first_round() -> None:
    # 80 instructions are 20 lines of 16 bytes, of 32.
    assert fetch_stalls(rounds(80, 100)) == fetch_stalls(rounds(80, 10))


def test_a_miss_to_l2_takes_18_cycles() -> None:
    # 40 lines more, each fetched once.
    more = fetch_stalls("  addi a1, a1, 1\n" * (240 + 160)) - fetch_stalls(
        "  addi a1, a1, 1\n" * 240
    )
    assert more == 40 * 18


def test_a_loop_beyond_the_buffer_is_refilled_from_the_shared_cache() -> None:
    few, many = fetch_stalls(rounds(480, 10)), fetch_stalls(rounds(480, 20))
    # 120 lines a round do not fit 32: nearly each is refilled, in 2 cycles.
    assert 10 * 120 * 2 * 0.8 < many - few <= 10 * 120 * 2


def test_a_loop_beyond_the_shared_cache_misses() -> None:
    few, many = fetch_stalls(rounds(2400, 4)), fetch_stalls(rounds(2400, 8))
    assert many - few > 4 * 600 * 18 * 0.5


def test_without_enabling_every_line_comes_from_l2() -> None:
    on = run("  addi a1, a1, 1\n" * 400, instruction_cache=True).events(0)["fetch_stalls"]
    disable = "  li a0, 0x10201400\n  sw zero, 0(a0)\n"
    text = disable + rounds(80, 10)
    off = run(text, instruction_cache=True).events(0)["fetch_stalls"]
    assert off > 10 * 20 * 18 > on / 2


def test_cores_share_lines_that_one_of_them_fetched() -> None:
    setup, code = barrier(2), "  addi a1, a1, 1\n" * 200
    call = "  addi a0, a0, 0\n.align\n  jal ra, shared\n" + WAIT
    shared = f"  beq zero, zero, finish\nshared:\n{code}  jalr zero, 0(ra)\n"
    alone = run([setup + WAIT + shared, setup + WAIT + "  wfi"], instruction_cache=True)
    both = run([setup + WAIT + call + shared, setup + WAIT + call], instruction_cache=True)
    first, second = (both.events(core)["fetch_stalls"] for core in (0, 1))
    # 50 lines at 18 cycles for whoever comes first; the other waits with it, and not again.
    assert first - alone.events(0)["fetch_stalls"] >= 50 * 18
    assert abs(first - second) < 10 * 18


# --- Races.


def race_between(first: str, second: str, **options: object) -> None:
    delay = "  addi a3, a3, 0\n" * 30
    run([f"  li a2, {L1}\n{first}{delay * 4}", f"  li a2, {L1}\n{delay}{second}"], **options)


STORE, LOAD = "  sw a3, 0(a2)\n", "  lw a3, 0(a2)\n"


@pytest.mark.parametrize(
    ("first", "second", "did"),
    [(STORE, LOAD, "wrote"), (LOAD, STORE, "read"), (STORE, STORE, "wrote")],
)
def test_a_race_is_an_error(first: str, second: str, did: str) -> None:
    message = (
        rf"core 1 at core1\+.* race: (load|store) of 4 bytes at 0x10000000, which core 0 {did}"
    )
    with pytest.raises(_pulp.SimulationError, match=message + r" it at core0\+|" + message):
        race_between(first, second)


def test_reading_together_is_none() -> None:
    race_between(LOAD, LOAD)


def test_races_are_found_by_words_or_bytes() -> None:
    first, second = "  sb a3, 0(a2)\n", "  sb a3, 1(a2)\n"
    with pytest.raises(_pulp.SimulationError, match="race: store of 1 byte at 0x10000001"):
        race_between(first, second)
    race_between(first, second, race_granule=1)
    with pytest.raises(_pulp.SimulationError, match="race: store of 1 byte at 0x10000000"):
        race_between(first, first, race_granule=1)


def test_races_in_l2_are_found() -> None:
    place = f"  li a2, {L2}\n"
    with pytest.raises(_pulp.SimulationError, match="race: load of 4 bytes at 0x1c100000"):
        race_between(place + STORE, place + LOAD)


def test_the_detector_can_be_switched_off() -> None:
    race_between(STORE, LOAD, race_detector=False)


def test_a_barrier_orders_accesses() -> None:
    setup = barrier(2) + f"  li a2, {L1}\n"
    run([setup + STORE + WAIT + LOAD + WAIT, setup + WAIT + LOAD + WAIT + STORE])


def test_a_barrier_of_others_orders_nothing() -> None:
    setup = barrier(2) + f"  li a2, {L1}\n"
    alone = f"  li a2, {L1}\n" + "  addi a3, a3, 0\n" * 300 + LOAD
    ending = "  addi a3, a3, 0\n" * 600
    with pytest.raises(_pulp.SimulationError, match=r"race: load .* which core 0 wrote"):
        run([setup + STORE + WAIT + ending, setup + WAIT, alone])


def test_the_second_access_behind_a_barrier_still_races() -> None:
    setup = barrier(2) + f"  li a2, {L1}\n"
    delay = "  addi a3, a3, 0\n" * 40
    with pytest.raises(_pulp.SimulationError, match="race: store"):
        run([setup + STORE + WAIT + LOAD + delay * 3, setup + WAIT + LOAD + delay + STORE])


def test_a_lock_orders_accesses() -> None:
    text = f"""
  li a2, 0x10100000
  li a4, {L1}
{{0}}:
  lw a3, 0(a2)
  bne a3, zero, {{0}}
  lw a5, 4(a4)
  addi a5, a5, 1
  sw a5, 4(a4)
  sw zero, 0(a4)
"""
    setup = barrier(2)
    finished = run(
        [setup + text.format(".a") + WAIT, setup + text.format(".b") + WAIT], {L1: bytes(8)}
    )
    assert finished.word(L1 + 4) == 2


def test_a_transfer_that_nobody_waited_for_races() -> None:
    start = transfer(L1, L2, 256)
    load = f"  li a2, {L1 + 128}\n  lw a3, 0(a2)\n"
    with pytest.raises(_pulp.SimulationError, match=r"races with the DMA transfer of 256 bytes"):
        run(start + load, {L2: DATA})
    with pytest.raises(_pulp.SimulationError, match=r"races with the DMA transfer of 256 bytes"):
        run(start + "  addi a3, a3, 0\n" * 100 + load, {L2: DATA})
    run(start + POLL + load, {L2: DATA})


def test_the_source_of_a_transfer_may_be_read_and_not_written() -> None:
    start = transfer(L1, L2, 256)
    read, write = f"  li a2, {L2}\n  lw a3, 0(a2)\n", f"  li a2, {L2}\n  sw a3, 0(a2)\n"
    run(start + read, {L2: DATA})
    with pytest.raises(_pulp.SimulationError, match="store of 4 bytes at 0x1c100000 races"):
        run(start + write, {L2: DATA})


def test_a_transfer_of_what_another_core_writes_is_a_race() -> None:
    writer = f"  li a2, {L1 + 64}\n" + STORE
    start = "  addi a3, a3, 0\n" * 100 + transfer(L1, L2, 256, 0x140000) + POLL
    with pytest.raises(_pulp.SimulationError, match=r"race: DMA of 256 bytes .* core 1 wrote"):
        run([start, writer], {L2: DATA})


# --- Ends.


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_codes(code: int) -> None:
    text = f"  li a1, 0x1a1040a0\n  li a0, {0x80000000 | code}\n  sw a0, 0(a1)\n"
    assert run(text).machine.exit_code == code


def test_cores_print_by_lines() -> None:
    def put(core: int, text: str) -> str:
        lines = f"  li a1, {0x1A10F000 + 8 * core}\n"
        return lines + "".join(f"  addi a0, zero, {ord(c)}\n  sw a0, 0(a1)\n" for c in text)

    pause = "  addi a0, a0, 0\n" * 200
    finished = run([put(0, "zero\nend") + pause, put(1, "first\n")])
    assert sorted(finished.machine.output.split("\n")) == ["end", "first", "zero"]


def test_semihosting_prints_and_ends() -> None:
    call = "  .word 0x01f01013\n  ebreak\n  .word 0x40705013\n"
    text = (
        f"  addi a0, zero, 4\n  li a1, {L2}\n{call}  addi a0, zero, 0x18\n  li a1, 0x20026\n{call}"
    )
    finished = run(text + "  lw a0, 0(zero)\n", {L2: b"hello\n\0"})
    assert (finished.machine.output, finished.machine.exit_code) == ("hello\n", 0)


def test_runs_are_repeatable() -> None:
    first, second = (loads_after_barrier(8, 64, instruction_cache=True) for _ in range(2))
    assert first.machine.core_reports() == second.machine.core_reports()


def test_traces_show_instructions_and_results() -> None:
    from pulp.machine import load

    finished = load("  li a0, 0x12345678\n  pv.add.sci.b a1, a0, -1")
    lines: list[str] = []
    finished.machine.set_trace(lines.append)
    finished.machine.run()
    wanted = "0  core0+0x8 (0x1c010044): pv.add.sci.b a1, a0, -1 ; a1 = 0x11335577"
    assert any(line.strip().endswith(wanted) for line in lines), lines


def test_memory_can_be_read_and_written() -> None:
    finished = run("  addi a0, zero, 0", {L1: struct.pack("<I", 1)})
    finished.machine.write(L1, b"abcd")
    assert finished.machine.read(L1, 4) == b"abcd"
    with pytest.raises(_pulp.SimulationError, match="cannot read 4 bytes at 0x00000000"):
        finished.machine.read(0, 4)
