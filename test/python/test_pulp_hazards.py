# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the chip forbids or leaves undefined, one thing at a time, with its message."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from pulp.assembler import Assembler
from pulp.machine import CODE, L1, L2, load, make_elf, program, run
from tinyformer import _pulp

ADD = "add a0, a0, a1\n"
# (what, text of core 0, part of the message)
HAZARDS = [
    ("illegal word", ".word 0xffffffff", "illegal instruction 0xffffffff"),
    ("illegal compressed", ".half 0x0000", "illegal instruction 0x00000000"),
    ("p.avgu", ".word 0x04b51533", "illegal instruction 0x04b51533"),
    (
        "pv.abs with rs2",
        ".word 0x70b51557",
        "pv.abs.b a0, a0: this instruction needs x0 in its field rs2",
    ),
    (
        "post-increment load of its base",
        "li a0, 0x10000000\np.lw a0, 4(a0!)",
        "p.lw a0, 4(a0!): the destination of a post-increment load is its base",
    ),
    ("null load", "lw a0, 16(zero)", "load of 4 bytes at 0x00000010, a null pointer"),
    ("null store", "sb a0, 0(zero)", "store of 1 byte at 0x00000000, a null pointer"),
    (
        "behind L1",
        "li a1, 0x1001fffe\nlw a0, 0(a1)",
        "load of 4 bytes at 0x1001fffe, where the chip has nothing",
    ),
    (
        "behind L2",
        "li a1, 0x1c190000\np.sw a0, 4(a1!)",
        "store of 4 bytes at 0x1c190000, where the chip has nothing",
    ),
    (
        "store to code",
        f"li a1, {CODE}\nsw a0, 0(a1)",
        f"store of 4 bytes at 0x{CODE:08x}, which is code or constant data",
    ),
    ("jump to data", f"li a1, {L2}\njalr ra, 0(a1)", "execution where no code was loaded"),
    ("jump to nothing", "jalr ra, 8(zero)", "execution where no code was loaded"),
    ("ecall", "ecall", "ecall: there is no environment to call"),
    ("ebreak", "ebreak", "ebreak: no debugger is there"),
    ("unknown csr", "csrrs a0, 0x300, zero", "control register 0x300 is not modelled"),
    ("read-only csr", "csrrw zero, 0xf14, a0", "control register 0xf14 cannot be written"),
    ("register by byte", "li a1, 0x10204000\nlbu a0, 0(a1)", "registers want aligned words"),
    ("unknown register", "li a1, 0x1a101000\nlw a0, 0(a1)", "no register to read at 0x1a101000"),
    (
        "reading FETCH_EN",
        "li a1, 0x10200008\nlw a0, 0(a1)",
        "FETCH_EN at 0x10200008 must not be read",
    ),
    (
        "starting a core too many",
        "li a1, 0x10200008\naddi a0, zero, 16\nsw a0, 0(a1)",
        "starts core 4, but the cluster has 2",
    ),
    (
        "starting a core without boot address",
        "li a1, 0x10200008\naddi a0, zero, 2\nsw a0, 0(a1)\n.on: beq zero, zero, .on",
        "core 1 at 0x00000000 (in no function) in cycle 26: execution where no code was loaded",
    ),
    (
        "an odd boot address",
        "li a1, 0x10200044\naddi a0, zero, 1\nsw a0, 0(a1)",
        "boots core 1 at the odd address 0x00000001",
    ),
    ("p.elw of memory", f"li a1, {L1}\np.elw a0, 0(a1)", "p.elw at 0x10000000: only"),
    (
        "p.elw of a mask",
        "li a1, 0x10204000\np.elw a0, 0(a1)",
        "p.elw of register 0x000 of the event unit: it cannot be waited for",
    ),
    (
        "lw of a barrier",
        "li a1, 0x10204200\nlw a0, 28(a1)",
        "cannot read register 0x21c of the event unit: it is waited for, with p.elw",
    ),
    (
        "another core's stdout",
        "li a1, 0x1a10f008\nsw a0, 0(a1)",
        "prints to 0x1a10f008 (cluster 0), but its own register is 0x1a10f000",
    ),
    (
        "nothing will wake it",
        "li a1, 0x10204000\np.elw a0, 0x3c(a1)",
        "(0x1c010044) waits for an event of its mask 0x0",
    ),
    (
        "a barrier of others",
        "li a1, 0x10204200\naddi a0, zero, 2\nsw a0, 0(a1)\np.elw a0, 0x1c(a1)",
        "waits at barrier 0, whose trigger mask 0x2 does not have this core",
    ),
    ("endless loop", ".on: beq zero, zero, .on", "did not end within 2000000 cycles"),
    (
        "dma without id",
        "li a1, 0x10204400\nsw a0, 0(a1)\nsw a0, 0(a1)\nsw a0, 0(a1)",
        "without a transfer id",
    ),
    (
        "dma in two dimensions",
        "li a1, 0x10204400\nlw a0, 0(a1)\nli a0, 0xe0010\nsw a0, 0(a1)\nsw a0, 0(a1)\nsw a0, 0(a1)",
        "DMA command 0x000e0010: only plain copies",
    ),
    (
        "dma out of L1",
        "li a1, 0x10204400\nlw a0, 0(a1)\nli a0, 0x60040\nsw a0, 0(a1)\nli a0, 0x1001ffe0\n"
        f"sw a0, 0(a1)\nli a0, {L2}\nsw a0, 0(a1)",
        "DMA of 64 bytes from 0x1c100000 to 0x1001ffe0 leaves memory",
    ),
    (
        "too few transfer ids",
        "li a1, 0x10204400\n" + "lw a0, 0(a1)\n" * 17,
        "all 16 transfer ids of the DMA are in use",
    ),
    (
        "exit of a semihosting call",
        "addi a0, zero, 1\n.word 0x01f01013\nebreak\n.word 0x40705013",
        "semihosting call 0x1",
    ),
    # Hardware loops.
    (
        "short body",
        ".align\nlp.setupi x0, 3, .e\n" + ADD + ".e:" + ADD,
        "its body must have at least 3 instructions of 4 bytes",
    ),
    (
        "one instruction",
        ".align\nlp.setupi x0, 3, .e\n.e:" + ADD,
        "its body must have at least 3 instructions of 4 bytes",
    ),
    (
        "compressed instruction",
        ".align\nlp.setupi x1, 3, .e\n" + ADD + ".half 0x0505\n.half 0x0505\n" + ADD + ".e:" + ADD,
        "hardware loop 1 (0x1c010040 to 0x1c01004c): its body must not have the compressed",
    ),
    (
        "unaligned body",
        ".align\n.half 0x0505\nlp.setupi x0, 3, .e\n" + ADD * 2 + ".e:" + ADD,
        "its body must begin at a multiple of 4",
    ),
    (
        "branch at the end",
        ".align\nlp.setupi x0, 3, .e\n" + ADD * 2 + ".e: beq a0, a1, .on\n.on:" + ADD,
        "its last instruction must not be a jump or branch, but is beq a0, a1",
    ),
    (
        "jump at the end, set up by parts",
        ".align\nlp.starti x0, .s\nlp.endi x0, .e\nlp.counti x0, 4\n.s:"
        + ADD * 2
        + ".e: jal zero, .on\n.on:"
        + ADD,
        "its last instruction must not be a jump or branch, but is jal zero",
    ),
    (
        "two ends at one place",
        ".align\nlp.setupi x1, 3, .e\n" + ADD + "lp.setupi x0, 3, .e\n" + ADD * 2 + ".e:" + ADD,
        "which must be at least 8 bytes behind the end of loop 0",
    ),
    (
        "ends too near",
        ".align\nlp.setupi x1, 3, .o\n"
        + ADD
        + "lp.setupi x0, 3, .e\n"
        + ADD * 2
        + ".e:"
        + ADD
        + ".o:"
        + ADD,
        "which must be at least 8 bytes behind the end of loop 0",
    ),
    (
        "0 outside of 1",
        ".align\nlp.setupi x0, 3, .o\n"
        + ADD
        + "lp.setupi x1, 3, .e\n"
        + ADD * 2
        + ".e:"
        + ADD * 3
        + ".o:"
        + ADD,
        "hardware loop 1 lies inside of loop 0, but 0 must be the inner one",
    ),
    (
        "a callee changes the loop",
        ".align\nlp.setupi x0, 3, .e\n"
        + ADD
        + "jal ra, .f\n"
        + ADD
        + ".e:"
        + ADD
        + "beq zero, zero, finish\n.f: lp.counti x0, 9\njalr zero, 0(ra)",
        "hardware loop 0, whose body called the function that returned here, was changed",
    ),
]


@pytest.mark.parametrize(("text", "message"), [h[1:] for h in HAZARDS], ids=[h[0] for h in HAZARDS])
def test_hazard(text: str, message: str) -> None:
    with pytest.raises(_pulp.SimulationError, match=re.escape(message)):
        run(text, {L2: bytes(64)}, cores=2)


# These depend on the caches, or take long without a limit of cycles.
NOT_BY_COMMAND = {"starting a core without boot address", "endless loop"}
BY_COMMAND = [hazard for hazard in HAZARDS if hazard[0] not in NOT_BY_COMMAND]
PLACE = r"core 0 at (\w+\+0x\w+ \(0x\w+\)|0x\w+ \(in no function\))"


@pytest.mark.parametrize(
    ("text", "message"), [h[1:] for h in BY_COMMAND], ids=[h[0] for h in BY_COMMAND]
)
def test_the_command_reports_each_hazard(cli, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hazard.elf"
    code = Assembler(CODE).assemble(program([text]))
    path.write_bytes(make_elf(code, {L2: bytes(64)}))
    result = cli("simulate", path, "--cores", 2)
    assert result.code == 2
    assert message in result.err
    if "waits for an event" not in message:  # then all cores are named
        assert re.match(rf"error: {PLACE} in cycle \d+: ", result.err)


POST_INCREMENT_LOADS = [
    f"p.{width} a0, " + form
    for width in ("lb", "lh", "lw", "lbu", "lhu")
    for form in ("4(a0!)", "a1(a0!)")
]


@pytest.mark.parametrize("load", POST_INCREMENT_LOADS)
def test_no_post_increment_load_of_its_base(load: str) -> None:
    with pytest.raises(_pulp.SimulationError, match="post-increment load is its base"):
        run(f"li a0, {L1}\nli a1, 4\n{load}")
    assert run(f"li a2, {L1}\nli a1, 4\n{load.replace('(a0', '(a2')}").machine.exit_code == 0


def test_a_message_says_where() -> None:
    with pytest.raises(_pulp.SimulationError) as error:
        run(["  wfi", "  addi a0, zero, 1\n.align\nfunction:\n  addi a0, a0, 1\n  lw a0, 0(zero)"])
    where = r"^core 1 at function\+0x4 \(0x1c01[0-9a-f]{4}\) in cycle \d+: load of 4 bytes"
    assert re.search(where, str(error.value))


GOOD_LOOPS = [
    ".align\nlp.setupi x0, 3, .e\n" + ADD * 2 + ".e:" + ADD,
    ".align\nlp.setupi x1, 3, .o\n"
    + ADD
    + "lp.setupi x0, 3, .e\n"
    + ADD * 2
    + ".e:"
    + ADD * 2
    + ".o:"
    + ADD,
    ".align\nlp.setupi x0, 3, .e\n"
    + ADD
    + "jal ra, .f\n"
    + ADD
    + ".e:"
    + ADD
    + "beq zero, zero, finish\n.f: csrrs s1, 0x7c2, zero\nlp.counti x0, 9\n"
    "csrrw zero, 0x7c2, s1\njalr zero, 0(ra)",
]


@pytest.mark.parametrize("text", GOOD_LOOPS)
def test_the_nearest_good_loop_runs(text: str) -> None:
    assert run(text).machine.exit_code == 0


STACKS = {"tf_cluster_stacks": L1, "tf_cluster_stack_bytes": 256}


def test_the_stack_is_watched() -> None:
    with pytest.raises(_pulp.SimulationError, match="stack overflow: sp is 0x0ffffff0, 16 bytes"):
        run(f"  li a0, {L1 + 256}\n  add sp, a0, zero\n  addi sp, sp, -272", symbols=STACKS)
    with pytest.raises(_pulp.SimulationError, match="above the stack, which ends at 0x10000100"):
        run(f"  li a0, {L1 + 260}\n  add sp, a0, zero", symbols=STACKS)


def test_another_cores_stack_is_an_overflow() -> None:
    other = f"  li a0, {L1 + 512}\n  add sp, a0, zero\n  addi sp, sp, -272\n"
    with pytest.raises(_pulp.SimulationError, match=r"core 1 .*stack overflow"):
        run(["  addi a0, zero, 0\n" * 100, other], symbols=STACKS)


def test_the_deepest_stack_is_known() -> None:
    text = f"  li a0, {L1 + 256}\n  add sp, a0, zero\n  addi sp, sp, -48\n  addi sp, sp, -32\n"
    finished = run(text + "  addi sp, sp, 80\n", symbols=STACKS)
    reports = {r["hart"]: r["stack_bytes"] for r in finished.machine.core_reports()}
    assert reports == {0: 80, 0x3E0: -1}


def test_memory_is_not_zero_at_power_up() -> None:
    assert run(f"  li a1, {L1}\n  lw a0, 0(a1)").register("a0") == 0xCDCDCDCD


def test_l1_can_be_larger() -> None:
    text = "  li a1, 0x1007fffc\n  sw a1, 0(a1)\n  lw a0, 0(a1)"
    assert run(text, l1_bytes=512 * 1024).register("a0") == 0x1007FFFC
    with pytest.raises(_pulp.SimulationError, match="where the chip has nothing"):
        run(text)


def test_chips_differ_in_l1() -> None:
    sizes = {chip: load("  wfi", chip=chip).machine.l1_bytes for chip in ("gap9", "pulp-open")}
    assert sizes == {"gap9": 128 * 1024, "pulp-open": 64 * 1024}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chip": "gap7"}, "no chip 'gap7' with a PULP cluster; known are gap9 and pulp-open"),
        ({"cores": 9}, "1 to 8 cores, not 9"),
        ({"l1_bytes": 1 << 21}, "L1 of 2097152 bytes"),
        ({"race_granule": 2}, "not by 2 bytes"),
    ],
)
def test_impossible_configurations(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load("  wfi", **options)


def test_what_is_no_program() -> None:
    with pytest.raises(_pulp.SimulationError, match="not an ELF file"):
        _pulp.Machine(b"#!/bin/sh\n" * 10)
    elf = make_elf(Assembler(CODE).assemble("  wfi"))
    with pytest.raises(_pulp.SimulationError, match="not a 32-bit RISC-V executable"):
        _pulp.Machine(elf[:18] + struct.pack("<H", 40) + elf[20:])
    with pytest.raises(_pulp.SimulationError, match="cut off"):
        _pulp.Machine(elf[:70])
    with pytest.raises(
        _pulp.SimulationError, match=r"wants 16 bytes at 0x20000000, but gap9 has L2"
    ):
        load("  wfi", {0x20000000: bytes(16)})
