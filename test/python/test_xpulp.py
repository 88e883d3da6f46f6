# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every xpulp op on the simulated cluster, alone and in loops, against the model of `pulp/`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cluster_device import (
    Words,
    compile_functions,
    disassemble,
    measure_on_cluster,
    run_on_cluster,
)
from pulp.assembler import table
from pulp.model import result
from tinyformer.compiler import CompilerError
from tinyformer.mlir import ir

CORNERS = (0, 1, 2, 7, 0x1F, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000)
COUNT = 40

SUMS = ["add", "sub", "avg", "avgu", "min", "minu", "max", "maxu"]
LANES = [*SUMS, "srl", "sra", "sll", "or", "xor", "and"]
UNSIGNED = ("avgu", "minu", "maxu", "srl", "sll", "dotup", "sdotup")
COMPARISONS = [f"cmp{c}" for c in ["eq", "ne", "gt", "ge", "lt", "le", "gtu", "geu", "ltu", "leu"]]

# What the assembler calls an op that has another name.
MNEMONICS = {f"p.{m}{h}n": f"p.{m}{h}N" for m in ("mul", "mac") for h in ("s", "hhs", "u", "hhu")}

Case = tuple[str, str, list[int]]


def six_bits(operation: str) -> list[int]:
    return [0, 1, 5, 62, 63] if operation in UNSIGNED else [-32, -1, 0, 3, 31]


def vectors() -> Iterator[Case]:
    """Text of an op on %a, %b and %c (its destination before), its mnemonic, its immediates."""
    for operation in LANES + COMPARISONS:
        for lane in "bh":
            name = f"pv.{operation}.{lane}"
            yield f"{name} %a, %b", name, []
    for operation in [*LANES, "dotsp", "dotup", "dotusp", "sdotsp", "sdotup", "sdotusp"]:
        old = ", %c" if operation.startswith("sdot") else ""
        for lane in "bh":
            name = f"pv.{operation}.sci.{lane}"
            for value in six_bits(operation):
                yield f"{name} %a{old}, {value}", name, [value]
            if "dot" in operation:
                yield f"pv.{operation}.{lane} %a, %b{old}", f"pv.{operation}.{lane}", []
                yield f"pv.{operation}.sc.{lane} %a, %b{old}", f"pv.{operation}.sc.{lane}", []
    for lane, count in (("b", 4), ("h", 2)):
        yield f"pv.abs.{lane} %a", f"pv.abs.{lane}", []
        yield f"pv.shuffle.{lane} %a, %b", f"pv.shuffle.{lane}", []
        yield f"pv.shuffle2.{lane} %a, %b, %c", f"pv.shuffle2.{lane}", []
        for value in range(count):
            yield f"pv.extract.{lane} %a, {value}", f"pv.extract.{lane}", [value]
            yield f"pv.extractu.{lane} %a, {value}", f"pv.extractu.{lane}", [value]
            yield f"pv.insert.{lane} %a, %c, {value}", f"pv.insert.{lane}", [value]
    yield "pv.pack.h %a, %b", "pv.pack.h", []
    yield "pv.packhi.b %a, %b, %c", "pv.packhi.b", []
    yield "pv.packlo.b %a, %b, %c", "pv.packlo.b", []


def scalars() -> Iterator[Case]:
    for name in [
        "slet",
        "sletu",
        "min",
        "minu",
        "max",
        "maxu",
        "ror",
        "clipr",
        "clipur",
        "muls",
        "mulhhs",
        "mulu",
        "mulhhu",
    ]:
        yield f"p.{name} %a, %b", f"p.{name}", []
    for name in ["abs", "exths", "exthz", "extbs", "extbz", "ff1", "fl1", "clb", "cnt"]:
        yield f"p.{name} %a", f"p.{name}", []
    for name in ["mac", "msu", "macs", "machhs", "macu", "machhu"]:
        yield f"p.{name} %a, %b, %c", f"p.{name}", []
    for value in (0, 1, 8, 9, 31):
        yield f"p.clip %a, {value}", "p.clip", [value]
        yield f"p.clipu %a, {value}", "p.clipu", [value]
    for width, offset in ((1, 0), (8, 0), (8, 24), (5, 13), (31, 1), (32, 0)):
        for name in ["extract", "extractu", "bclr", "bset"]:
            yield f"p.{name} %a, {width} at {offset}", f"p.{name}", [width, offset]
        yield f"p.insert %a, %c, {width} at {offset}", "p.insert", [width, offset]
    for shift in (0, 1, 17, 31):
        for half in ("s", "hhs", "u", "hhu"):
            for ending in ("n", "rn"):
                name = f"p.mul{half}{ending}"
                yield f"{name} %a, %b, {shift}", MNEMONICS.get(name, name), [shift]
                name = f"p.mac{half}{ending}"
                yield f"{name} %a, %b, %c, {shift}", MNEMONICS.get(name, name), [shift]
        for name in ["addn", "addun", "addrn", "addurn", "subn", "subun", "subrn", "suburn"]:
            yield f"p.{name} %a, %b, {shift}", f"p.{name}", [shift]


def base() -> Iterator[Case]:
    for name in [
        "add",
        "sub",
        "and",
        "or",
        "xor",
        "sll",
        "srl",
        "sra",
        "mul",
        "mulh",
        "mulhu",
        "divu",
    ]:
        yield f"{name} %a, %b", name, []
    for name in ["addi", "andi", "ori", "xori"]:
        for value in (-2048, -1, 0, 5, 2047):
            yield f"{name} %a, {value}", name, [value]
    for name in ["slli", "srli", "srai"]:
        for value in (0, 1, 16, 31):
            yield f"{name} %a, {value}", name, [value]
    for value in (0, -1, 2047, -2048, 2048, 4096, 0x7FFFF800, 0x12345678, -0x80000000, 0x7FFFFFFF):
        yield f"li {value}", "li", [value]


CASES = [*vectors(), *scalars(), *base()]


def operands(count: int = COUNT) -> Words:
    """[count, 3] words: corners first, then random ones."""
    random = np.random.default_rng(1)
    values = random.integers(0, 2**32, (count, 3), np.uint32)
    for column in range(3):
        values[: len(CORNERS), column] = random.permutation(CORNERS)
    return values.view(np.int32)


def expected(case: Case, values: Words) -> list[int]:
    _, mnemonic, immediates = case
    if mnemonic == "li":
        return [immediates[0] & 0xFFFFFFFF] * len(values)
    words = values.view(np.uint32).tolist()
    return [result(mnemonic, a, b, old, immediates) for a, b, old in words]


BODY = """
  %a, %p1 = xpulp.p.lw_post %p, 4
  %b, %p2 = xpulp.p.lw_post %p1, 4
  %c, %p3 = xpulp.p.lw_post %p2, 4
  {code}
  %q1 = xpulp.p.sw_post %r, %q, 4
"""


def alone(name: str, code: str, count: int = COUNT) -> str:
    return f"""func.func @{name}(%input: i32, %output: i32) {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %count = arith.constant {count} : index
  scf.for %i = %zero to %count step %one iter_args(%p = %input, %q = %output) -> (i32, i32) {{
    {BODY.format(code=code)}
    scf.yield %p3, %q1 : i32, i32
  }}
  return
}}
"""


def looped(name: str, code: str, count: int = COUNT) -> str:
    return f"""func.func @{name}(%input: i32, %output: i32) {{
  xpulp.hwloop {count} iter_args(%p = %input, %q = %output) {{
    {BODY.format(code=code)}
    xpulp.yield %p3, %q1
  }}
  return
}}
"""


@pytest.mark.parametrize("form", [alone, looped])
def test_every_computing_op(form: object, tmp_path: Path) -> None:
    assert callable(form)
    text = "".join(form(f"f{i}", f"%r = xpulp.{case[0]}") for i, case in enumerate(CASES))
    values = operands()
    outputs = run_on_cluster(text, values, COUNT, tmp_path)
    for case, output in zip(CASES, outputs, strict=True):
        assert output.view(np.uint32).tolist() == expected(case, values), case[0]


def test_the_table_has_what_the_chip_computes() -> None:
    """What is left out: register forms of shifts and fields, immediates of comparisons."""
    ours = {mnemonic for _, mnemonic, _ in CASES}
    theirs = {
        row.mnemonic
        for row in table("xpulpv2")
        if "rD" in row.operands and row.opcode not in (0x03, 0x0B, 0x2B, 0x23)
    }
    left_out = theirs - ours
    assert not ours - theirs - {case[1] for case in base()}
    registers = {f"p.{a}{u}{r}nr" for a in ("add", "sub") for u in ("", "u") for r in ("", "r")}
    registers |= {f"p.{f}r" for f in ("extract", "extractu", "insert", "bclr", "bset")}
    scalars_of_lanes = {f"pv.{o}.sc.{lane}" for o in LANES for lane in "bh"}
    comparisons = {f"pv.{o}.{f}.{x}" for o in COMPARISONS for f in ("sc", "sci") for x in "bh"}
    shuffles = {name for name in theirs if name.startswith("pv.shuffle") and ".sci" in name}
    assert left_out == registers | scalars_of_lanes | comparisons | shuffles


def memory_functions(form: str) -> str:
    """Copies words, halves and bytes of all kinds in each form of address."""
    text = ""
    for load, bytes_ in (("lb", 1), ("lh", 2), ("lw", 4), ("lbu", 1), ("lhu", 2)):
        code = {
            "plain": f"%x = xpulp.{load} %p, {bytes_}\n%p1 = xpulp.addi %p, {bytes_}\n"
            f"%q1 = xpulp.addi %q, 4\nxpulp.sw %x, %q1, -4",
            "post": f"%q0 = xpulp.p.sw_post %p, %q, 0\n"
            f"%y, %p0 = xpulp.p.{load}_post %p, {bytes_}\n%x, %p1 = xpulp.p.{load}_post %p0, 0\n"
            f"%q1 = xpulp.p.sw_post %x, %q0, 4",
            "post_reg": f"%s = xpulp.li {bytes_}\n%f = xpulp.li 4\n%z = xpulp.li 0\n"
            f"%y, %p1 = xpulp.p.{load}_post_reg %p, %s\n%x, %n = xpulp.p.{load}_post_reg %p1, %z\n"
            f"%q1 = xpulp.p.sw_post_reg %x, %q, %f",
            "reg": f"%s = xpulp.li {bytes_}\n%x = xpulp.p.{load}_reg %p, %s\n"
            f"%p1 = xpulp.addi %p, {bytes_}\n%f = xpulp.li -4\n%q1 = xpulp.addi %q, 4\n"
            f"xpulp.p.sw_reg %x, %q1, %f",
        }[form]
        text += f"""func.func @{load}(%input: i32, %output: i32) {{
  xpulp.hwloop {COUNT} iter_args(%p = %input, %q = %output) {{
    {code}
    xpulp.yield %p1, %q1
  }}
  return
}}
"""
    for store, bytes_ in (("sb", 1), ("sh", 2), ("sw", 4)):
        code = {
            "plain": f"xpulp.{store} %x, %q, 0\n%q1 = xpulp.addi %q, {bytes_}",
            "post": f"%q1 = xpulp.p.{store}_post %x, %q, {bytes_}",
            "post_reg": f"%s = xpulp.li {bytes_}\n%q1 = xpulp.p.{store}_post_reg %x, %q, %s",
            "reg": f"%s = xpulp.li {bytes_}\n%q0 = xpulp.sub %q, %s\n"
            f"xpulp.p.{store}_reg %x, %q0, %s\n%q1 = xpulp.add %q, %s",
        }[form]
        text += f"""func.func @{store}(%input: i32, %output: i32) {{
  xpulp.hwloop {COUNT} iter_args(%p = %input, %q = %output) {{
    %x, %p1 = xpulp.p.lw_post %p, 4
    {code}
    xpulp.nop
    xpulp.yield %p1, %q1
  }}
  return
}}
"""
    return text


@pytest.mark.parametrize("form", ["plain", "post", "post_reg", "reg"])
def test_loads_and_stores(form: str, tmp_path: Path) -> None:
    values = operands()
    data = values.tobytes()
    outputs = run_on_cluster(memory_functions(form), values, COUNT, tmp_path)
    for output, code in zip(outputs[:5], "bhiBH", strict=True):
        size = struct.calcsize(code)
        wanted = struct.unpack_from(f"<{COUNT}{code}", data, size)
        assert output.tolist() == list(wanted), code
    for output, size in zip(outputs[5:], (1, 2, 4), strict=True):
        stored = b"".join(data[4 * i : 4 * i + size] for i in range(COUNT))
        assert output.tobytes()[: len(stored)] == stored, size


# --- The longest body: too long for a lit test to be read.


def long_loop(instructions: str, count: int) -> str:
    body = "\n".join([instructions] * count)
    return f"""func.func @long(%a: i32, %b: i32) {{
  %r:2 = xpulp.hwloop 2 iter_args(%x = %a, %y = %b) {{
    {body}
    xpulp.yield %y, %x
  }}
  return
}}
"""


def test_a_body_has_2047_instructions_at_most(tmp_path: Path) -> None:
    """Changing places takes three more."""
    compile_functions(long_loop("xpulp.nop", 2044), tmp_path)
    with pytest.raises(CompilerError, match="2048 instructions with copies, but at most 2047"):
        compile_functions(long_loop("xpulp.nop", 2045), tmp_path)
    with pytest.raises(ir.MLIRError, match="a body of 3 to 2047 instructions, got 2048"):
        compile_functions(long_loop("xpulp.nop", 2048), tmp_path)


# --- The loop that the kernels are made of.


def tile(steps: int, row_bytes: int) -> str:
    """16 sums of products: 4 rows of X at a time, 4 rows of W one after the other."""
    back = 4 - 3 * row_bytes

    def step(
        x: str, w: str, sums: list[str] | None, prefix: str
    ) -> tuple[str, str, str, list[str]]:
        lines, made = [], []
        for i in range(4):
            after = row_bytes if i < 3 else back
            lines.append(f"%{prefix}x{i}, %{prefix}p{i} = xpulp.p.lw_post {x}, {after}")
            x = f"%{prefix}p{i}"

        def load(j: int) -> None:
            nonlocal w
            after = row_bytes if j < 3 else back
            lines.append(f"%{prefix}w{j}, %{prefix}q{j} = xpulp.p.lw_post {w}, {after}")
            w = f"%{prefix}q{j}"

        def multiply(j: int) -> None:
            for i in range(4):
                name = f"%{prefix}c{i}{j}"
                old = f", {sums[4 * j + i]}" if sums else ""
                op = "sdotsp" if sums else "dotsp"
                operands = f"%{prefix}x{i}, %{prefix}w{j}{old}"
                lines.append(f"{name} = xpulp.pv.{op}.b {operands}")
                made.append(name)

        load(0)
        for j in range(4):  # no load stands next to its use
            if j < 3:
                load(j + 1)
            multiply(j)
        return "\n".join(lines), x, w, made

    first, x, w, sums = step("%x", "%w", None, "a")
    names = [f"%s{i}" for i in range(16)]
    body, last_x, last_w, last = step("%px", "%pw", names, "b")
    carried = ", ".join(
        f"{name} = {init}" for name, init in zip(["%px", "%pw", *names], [x, w, *sums], strict=True)
    )
    stores, pointer = [], "%output"
    for i in range(16):
        stores.append(f"%o{i} = xpulp.p.sw_post %r#{i}, {pointer}, 4")
        pointer = f"%o{i}"
    return f"""func.func @tile(%x: i32, %output: i32) {{
  %w = xpulp.addi %x, {4 * row_bytes}
  %r:16 = xpulp.block {{
    {first}
    %l:18 = xpulp.hwloop {steps - 1} iter_args({carried}) {{
      {body}
      xpulp.yield {", ".join([last_x, last_w, *last])}
    }}
    xpulp.yield {", ".join(f"%l#{i}" for i in range(2, 18))}
  }}
  {chr(10).join(stores)}
  return
}}
"""


def test_the_tile_of_a_product(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    data = random.integers(-128, 128, (8, 32), np.int8)
    words = data.reshape(-1).view(np.int32)
    output, finished = measure_on_cluster(tile(8, 32), "tile", words, 16, tmp_path)
    x, w = data[:4].astype(np.int32), data[4:].astype(np.int32)
    assert output.reshape(4, 4).T.tolist() == (x @ w.T).tolist()
    lines = disassemble(tmp_path / "snippet.o")
    start = next(i for i, line in enumerate(lines) if line.startswith("p.lw"))
    kinds = [line.split()[0] for line in lines[start:]]
    assert kinds[:24].count("p.lw") == 8 and kinds[:24].count("pv.dotsp.b") == 16
    setup = kinds.index("lp.setup")
    assert set(kinds[24:setup]) <= {"addi", "nop"} and setup <= 26  # li and its alignment
    loop = kinds[setup + 1 : setup + 25]
    assert loop.count("p.lw") == 8 and loop.count("pv.sdotsp.b") == 16
    assert not any(
        "sp" in line.replace("dotsp", "") and "(sp" in line
        for line in lines[start : start + setup + 25]
    )
    # 24 instructions for each of 8 steps without a stall; the rest is set-up, stores, return.
    events = finished.core(0)["events"]
    assert events["load_stalls"] == 0
    assert finished.cycles <= 8 * 24 + 16 + 40
