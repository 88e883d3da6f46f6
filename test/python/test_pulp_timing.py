# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The timing rules of one core, each on a snippet whose cycles were counted by hand."""

from __future__ import annotations

import pytest
from pulp.machine import L1, L2, cycles_of, run

SETUP = f"  li a1, {L1 + 0x100}\n  li a2, {L2}\n  li a3, 5\n  li a4, 7\n"

# (what, snippet, cycles)
RULES = [
    ("arithmetic takes 1", "add a0, a3, a4; sub a0, a0, a3; xor a0, a0, a4", 3),
    ("mul takes 1", "mul a0, a3, a4; mul a0, a0, a0", 2),
    ("p.mac takes 1", "p.mac a0, a3, a4; p.mac a0, a0, a4", 2),
    ("dot products take 1", "pv.sdotsp.b a0, a3, a4; pv.sdotsp.b a0, a0, a0", 2),
    ("mulh takes 5", "mulh a0, a3, a4", 5),
    ("mulhu takes 5", "mulhu a0, a3, a4", 5),
    ("mulhsu takes 5, dependent or not", "mulhsu a0, a3, a4; add a0, a0, a0", 6),
    ("a compressed instruction takes 1", ".half 0x0505; .half 0x0505", 2),
    ("csrr takes 1", "csrrs a0, 0xf14, zero", 1),
    ("a load takes 1", "lw a0, 0(a1); addi a5, a3, 1", 2),
    ("load-use: 1 stall", "lw a0, 0(a1); addi a5, a0, 1", 3),
    ("load-use at distance 2: none", "lw a0, 0(a1); addi a5, a3, 1; addi a0, a0, 1", 3),
    ("load-use of an accumulator", "lw a0, 0(a1); pv.sdotsp.b a0, a3, a4", 3),
    ("load-use of the data of a store", "lw a0, 0(a1); sw a0, 4(a1)", 3),
    ("load-use of an address", "sw a1, 0(a1); lw a0, 0(a1); lw a5, 0(a0)", 4),
    ("a load overwritten: no stall", "lw a0, 0(a1); addi a0, a3, 1", 2),
    ("the moved pointer is forwarded", "p.lw a0, 4(a1!); p.lw a5, 4(a1!)", 2),
    ("p.lw load-use", "p.lw a0, 4(a1!); addi a0, a0, 1", 3),
    ("a load to x0 stalls nothing", "lw zero, 0(a1); add a0, zero, a3", 2),
    ("stores take 1", "sw a3, 0(a1); p.sw a3, 4(a1!); p.sb a3, a4(a1)", 3),
    ("misaligned inside of a word: 1", "lh a0, 1(a1); addi a5, a3, 1", 2),
    ("lw across words: 2", "lw a0, 2(a1); addi a5, a3, 1", 3),
    ("lh across words: 2", "lh a0, 3(a1); addi a5, a3, 1", 3),
    ("sw across words: 2", "sw a3, 1(a1)", 2),
    ("a branch not taken: 1", "beq a3, a4, .on; addi a0, a3, 1; .on:", 2),
    ("a branch taken: 3", "bne a3, a4, .on; addi a0, a3, 1; .on:", 3),
    ("p.beqimm taken: 3", "p.beqimm a3, 5, .on; addi a0, a3, 1; .on:", 3),
    ("p.bneimm not taken: 1", "p.bneimm a3, 5, .on; addi a0, a3, 1; .on:", 2),
    ("jal: 2", "jal zero, .on; addi a0, a3, 1; .on:", 2),
    ("jalr: 2", "li a0, .on; addi a5, a3, 1; jalr zero, 0(a0); addi a0, a3, 1; .on:", 5),
    ("jalr behind its register: 3", "li a0, .on; jalr zero, 0(a0); addi a0, a3, 1; .on:", 5),
    (
        "jalr behind the load of its register: both stalls",
        "li a0, .on; sw a0, 0(a1); addi a5, a3, 1; lw a0, 0(a1); jalr zero, 0(a0); "
        "addi a0, a3, 1; .on:",
        2 + 1 + 1 + 1 + (1 + 1 + 2),
    ),
    ("a load from L2 takes 15", "lw a0, 0(a2); addi a5, a3, 1", 16),
    ("load-use from L2: 1 more", "lw a0, 0(a2); addi a5, a0, 1", 17),
    ("a store to L2 takes 15", "sw a3, 0(a2)", 15),
    ("across words in L2: both accesses", "lw a0, 2(a2)", 30),
    (
        "lp.setup takes 1",
        "lp.setup x0, a3, .e; add a0, a3, a4; add a0, a3, a4; .e: add a0, a0, a3",
        16,
    ),
    (
        "loads in a loop",
        "lp.setup x0, a3, .e; p.lw a0, 4(a1!); add a5, a3, a4; .e: add a5, a0, a0",
        16,
    ),
    (
        "load-use over the end of a loop",
        "lp.setup x0, a3, .e; add a5, a0, a3; add a6, a3, a4; .e: p.lw a0, 4(a1!)",
        16 + 4,
    ),
    ("the event unit answers in 1", "li a0, 0x10204000; lw a5, 0(a0)", 3),
    ("cluster peripherals take 3", "li a0, 0x10201400; addi a5, zero, 1; sw a5, 0(a0)", 6),
    ("APB takes 23", "li a0, 0x1a10f000; addi a5, zero, 10; sw a5, 0(a0)", 26),
]


@pytest.mark.parametrize(("snippet", "cycles"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_rule(snippet: str, cycles: int) -> None:
    assert cycles_of(snippet.replace(";", "\n"), SETUP) == cycles


DIVISORS = [
    (1, 34, 34),
    (2, 33, 33),
    (7, 32, 32),
    (0x100, 26, 26),
    (0x7FFFFFFF, 4, 4),
    (0, 35, 35),
    (-1, 3, 34),
    (-2, 3, 32),
    (-7, 3, 31),
    (-0x80000000, 3, 3),
]


@pytest.mark.parametrize(("divisor", "unsigned", "signed"), DIVISORS)
def test_division_depends_on_the_divisor(divisor: int, unsigned: int, signed: int) -> None:
    setup = f"  li a3, 1000\n  li a4, {divisor & 0xFFFFFFFF}\n"
    for name, cycles in {"divu": unsigned, "remu": unsigned, "div": signed, "rem": signed}.items():
        assert cycles_of(f"  {name} a0, a3, a4", setup) == cycles, name


def test_every_event_is_counted() -> None:
    text = f"""
{SETUP}
  lw a0, 2(a1)
  addi a0, a0, 1
  lw a0, 0(a2)
  sw a3, 0(a2)
  jal ra, .f
  beq zero, zero, .on
.f:
  jalr zero, 0(ra)
.on:
  beq a3, a4, .on
  .half 0x0505
"""
    before, after = run(SETUP).events(0), run(text).events(0)
    differences = {name: after[name] - before[name] for name in after}
    assert differences == {
        # In the order of the instructions; jalr waits for ra and jumps, beq is taken and not.
        "cycles": 2 + (1 + 1) + 15 + 15 + 2 + (1 + 2) + 3 + 1 + 1,
        "instructions": 9,
        "load_stalls": 1,
        "jump_stalls": 1,
        "fetch_stalls": 0,
        "loads": 2,
        "stores": 1,
        "jumps": 2,
        "branches": 2,
        "taken_branches": 1,
        "compressed": 1,
        "event_loads": 0,
        "external_loads": 1,
        "external_stores": 1,
        "external_load_cycles": 15,
        "external_store_cycles": 15,
        "contention": 0,
        "misaligned": 1,
        "barrier_cycles": 0,
        "event_cycles": 0,
        "dma_wait_cycles": 0,
    }
