# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loads, stores, hardware loops, branches, control registers: what changes beside rD."""

from __future__ import annotations

import struct

import pytest
from pulp.machine import L1, L2, run

BYTES = bytes([0x80, 0xFF, 0x7F, 0x01, 0xFE, 0xDC, 0xBA, 0x98])
WIDTHS = {"b": (1, True), "h": (2, True), "w": (4, True), "bu": (1, False), "hu": (2, False)}


@pytest.mark.parametrize("form", ["offset", "post", "indexed", "post-indexed"])
@pytest.mark.parametrize("suffix", WIDTHS)
@pytest.mark.parametrize("base", [L1 + 0x100, L2])
@pytest.mark.parametrize("offset", [0, 1, 3])
def test_loads(form: str, suffix: str, base: int, offset: int) -> None:
    size, is_signed = WIDTHS[suffix]
    start = base + offset if form.startswith("post") else base
    setup = f"  li a1, {start}\n  li a2, {offset}\n"
    snippet = {
        "offset": f"  l{suffix} a0, {offset}(a1)",
        "post": f"  p.l{suffix} a0, -12(a1!)",
        "indexed": f"  p.l{suffix} a0, a2(a1)",
        "post-indexed": f"  p.l{suffix} a0, a2(a1!)",
    }[form]
    finished = run(setup + snippet, {base: BYTES})
    wanted = int.from_bytes(BYTES[offset : offset + size], "little", signed=is_signed)
    assert finished.register("a0") == wanted & 0xFFFFFFFF
    moved = {"post": -12, "post-indexed": offset}.get(form, 0)
    assert finished.register("a1") == start + moved


@pytest.mark.parametrize("form", ["offset", "post", "indexed", "post-indexed"])
@pytest.mark.parametrize("suffix", ["b", "h", "w"])
@pytest.mark.parametrize("base", [L1 + 0x100, L2])
@pytest.mark.parametrize("offset", [0, 1, 3])
def test_stores(form: str, suffix: str, base: int, offset: int) -> None:
    size = WIDTHS[suffix][0]
    start = base + offset if form.startswith("post") else base
    setup = f"  li a0, 0x12345678\n  li a1, {start}\n  li a2, {offset}\n"
    snippet = {
        "offset": f"  s{suffix} a0, {offset}(a1)",
        "post": f"  p.s{suffix} a0, 2047(a1!)",
        "indexed": f"  p.s{suffix} a0, a2(a1)",
        "post-indexed": f"  p.s{suffix} a0, a2(a1!)",
    }[form]
    finished = run(setup + snippet, {base: BYTES})
    wanted = bytearray(BYTES)
    wanted[offset : offset + size] = (0x12345678).to_bytes(4, "little")[:size]
    assert finished.machine.read(base, 8) == bytes(wanted)
    moved = {"post": 2047, "post-indexed": offset}.get(form, 0)
    assert finished.register("a1") == start + moved


def test_a_post_increment_store_of_its_base_stores_the_old_value() -> None:
    finished = run(f"  li a1, {L1}\n  p.sw a1, 4(a1!)")
    assert (finished.word(L1), finished.register("a1")) == (L1, L1 + 4)


def test_test_and_set_gives_the_old_word_and_sets_it() -> None:
    finished = run("  li a1, 0x10100040\n  lw a0, 0(a1)", {L1 + 0x40: struct.pack("<I", 7)})
    assert (finished.register("a0"), finished.word(L1 + 0x40)) == (7, 0xFFFFFFFF)


@pytest.mark.parametrize(("value", "taken"), [(5, 1), (-16, 0), (4, 0)])
def test_branches_on_an_immediate(value: int, taken: int) -> None:
    text = f"""
  li a0, {value}
  li a1, 0
  li a2, 0
  p.beqimm a0, 5, .equal
  li a1, 1
.equal:
  p.bneimm a0, 5, .different
  li a2, 1
.different:
"""
    finished = run(text)
    assert (finished.register("a1"), finished.register("a2")) == (1 - taken, taken)


LOOPS = {
    "lp.setup x0": "  li t0, {n}\n.align\n  lp.setup x0, t0, .end",
    "lp.setup x1": "  li t0, {n}\n.align\n  lp.setup x1, t0, .end",
    "lp.setupi x0": ".align\n  lp.setupi x0, {n}, .end",
    "lp.starti x1": "  li t0, {n}\n  lp.starti x1, .start\n  lp.endi x1, .end\n  lp.count x1, t0",
    "lp.counti x0": "  lp.starti x0, .start\n  lp.endi x0, .end\n  lp.counti x0, {n}",
    "registers": "  li t0, .start\n  csrrw zero, 0x7c0, t0\n"
    "  li t0, .end\n  csrrw zero, 0x7c1, t0\n"
    "  addi t0, zero, {n}\n  csrrw zero, 0x7c2, t0",
}


@pytest.mark.parametrize("setup", LOOPS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 17])
def test_hardware_loops(setup: str, count: int) -> None:
    body = (
        ".start:\n  addi a0, a0, 1\n  addi a1, a1, 2\n.end:\n  addi a2, a2, 3\n  addi a3, a3, 1\n"
    )
    zeros = "".join(f"  addi {r}, zero, 0\n" for r in ("a0", "a1", "a2", "a3"))
    finished = run(zeros + LOOPS[setup].format(n=count) + "\n" + body)
    rounds = max(count, 1)
    got = [finished.register(r) for r in ("a0", "a1", "a2", "a3")]
    assert got == [rounds, 2 * rounds, 3 * rounds, 1]


def test_nested_hardware_loops_with_a_branch_inside() -> None:
    text = """
  li a0, 0
  li a1, 0
  li t0, 5
  lp.setup x1, t0, .outer
  addi a1, a1, 1
  lp.setupi x0, 7, .inner
  addi a0, a0, 1
  p.beqimm a0, 3, .skip
  addi a2, a2, 1
.skip:
  addi a3, a3, 1
.inner:
  addi a4, a4, 1
  addi a5, a5, 1
.outer:
  addi a6, a6, 1
"""
    zeros = "".join(f"  addi {r}, zero, 0\n" for r in ("a2", "a3", "a4", "a5", "a6"))
    finished = run(zeros + text)
    got = [finished.register(f"a{i}") for i in range(7)]
    assert got == [35, 5, 34, 35, 35, 5, 5]


def test_the_count_is_one_behind_a_loop() -> None:
    loop = ".align\n  lp.setupi x0, 4, .end\n  addi a0, a0, 1\n  addi a0, a0, 1\n.end:\n"
    finished = run(loop + "  addi a0, a0, 1\n  csrrs a1, 0x7c2, zero")
    assert finished.register("a1") == 1


def test_who_a_core_is() -> None:
    finished = run("  csrrs a0, 0xf14, zero\n  csrrs a1, 0x014, zero")
    assert (finished.register("a0"), finished.register("a1")) == (0, 0)
    hart = run(["  addi a0, zero, 0", f"  csrrs a0, 0xf14, zero\n  li a1, {L1}\n  sw a0, 0(a1)"])
    assert hart.word(L1) == 1


@pytest.mark.parametrize(("selection", "mode"), [(0xCC0, 0xCC1), (0x7E0, 0x7E1)])
def test_performance_counters(selection: int, mode: int) -> None:
    text = f"""
  csrrwi zero, 0x79f, 0
  li t0, 0x227
  csrrw zero, {selection}, t0
  li t1, {L1}
  csrrwi zero, {mode}, 1
  lw a0, 0(t1)
  addi a0, a0, 1
  lw a0, 4(t1)
  sw a0, 8(t1)
  beq zero, zero, .on
.on:
  csrrwi zero, {mode}, 0
  csrrs a1, 0x781, zero
  csrrs a2, 0x782, zero
  csrrs a3, 0x785, zero
  csrrs a4, 0x789, zero
  csrrs a5, 0x786, zero
"""
    finished = run(text)
    # Six instructions, the one that stops counting among them; two load-use stalls; one taken
    # branch. Loads and stores (events 5, 6) are selected and not selected.
    assert [finished.register(f"a{i}") for i in (1, 2, 3, 4, 5)] == [6, 2, 2, 1, 0]
