# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random blocks and loops of xpulp on the simulated cluster against a Python interpretation.

A name tells what a value is: `%v` a word, `%s` a small constant that pointers are advanced by,
`%p` a pointer into a table, of which the interpretation knows the offset alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cluster_device import run_on_cluster
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pulp.model import BITS, result, signed
from tinyformer.compiler import CompilerError

INPUTS = ["%va", "%vb", "%vc"]
OUTSIDE = [*INPUTS, "%vcount", "%sfour", "%ptable", "%pcursor"]
TABLE = 4096  # words; pointers begin in the middle
OUTPUTS = 5

BINARY = ("add", "sub", "xor", "mul", "pv.dotsp.b", "pv.max.b", "pv.pack.h", "p.min")
ACCUMULATING = ("p.mac", "pv.sdotsp.b", "pv.sdotusp.b", "pv.packlo.b", "pv.shuffle2.b", "p.msu")
COMPUTING = ("binary", "accumulating", "immediate", "constant", "step", "distance")
ACCESSES = ("load", "store", "read", "write", "move")


@dataclass
class Program:
    """The text of a region, and what it does to an environment of values."""

    lines: list[str] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)

    def add(self, line: str, *step: Any) -> None:
        self.lines.append(line)
        self.steps.append(step)


class Writer:
    """Draws regions; each value has a name of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.names = 0

    def name(self, kind: str) -> str:
        self.names += 1
        return f"%{kind}{self.names}"

    def pick(self, scope: list[str], kinds: str = "vs") -> str:
        return self.one_of([name for name in scope if name[1] in kinds])

    def one_of(self, names: list[str]) -> str:
        return self.draw(st.sampled_from(names))

    def compute(self, scope: list[str], program: Program) -> None:
        kind = self.draw(st.sampled_from(COMPUTING))
        a, b, name = self.pick(scope), self.pick(scope), self.name("s" if kind == "step" else "v")
        if kind == "binary":
            mnemonic = self.draw(st.sampled_from(BINARY))
            program.add(f"{name} = xpulp.{mnemonic} {a}, {b}", "compute", name, mnemonic, a, b)
        elif kind == "accumulating":
            mnemonic, old = self.draw(st.sampled_from(ACCUMULATING)), self.pick(scope)
            line = f"{name} = xpulp.{mnemonic} {a}, {b}, {old}"
            program.add(line, "accumulate", name, mnemonic, a, b, old)
        elif kind == "immediate":
            value = self.draw(st.integers(-2048, 2047))
            program.add(f"{name} = xpulp.addi {a}, {value}", "add", name, a, value)
        elif kind == "constant":
            value = self.draw(st.integers(-(2**31), 2**31 - 1))
            program.add(f"{name} = xpulp.li {value}", "constant", name, value)
        elif kind == "step":
            value = self.draw(st.sampled_from([-8, -4, 4, 8]))
            program.add(f"{name} = xpulp.li {value}", "constant", name, value)
        else:
            p, q = self.pick(scope, "p"), self.pick(scope, "p")
            program.add(f"{name} = xpulp.sub {p}, {q}", "distance", name, p, q)
        scope.append(name)

    def access(self, scope: list[str], program: Program) -> None:
        """Pointers stay in scope behind the access that advances them."""
        kind = self.draw(st.sampled_from(ACCESSES))
        base, value, after = self.pick(scope, "p"), self.pick(scope), self.name("p")
        step, form = str(self.draw(st.sampled_from([-8, -4, 0, 4, 8]))), ""
        if kind != "move" and self.draw(st.booleans()):
            step, form = self.pick(scope, "s"), "_reg"
        if kind in ("load", "read"):
            value = self.name("v")
        if kind == "load":
            line = f"{value}, {after} = xpulp.p.lw_post{form} {base}, {step}"
        elif kind == "store":
            line = f"{after} = xpulp.p.sw_post{form} {value}, {base}, {step}"
        elif kind == "move":
            line = f"{after} = xpulp.addi {base}, {step}"
        elif kind == "read":
            line = f"{value} = xpulp.{'p.lw_reg' if form else 'lw'} {base}, {step}"
        else:
            line = f"xpulp.{'p.sw_reg' if form else 'sw'} {value}, {base}, {step}"
        program.add(line, kind, value, after, base, step)
        if kind in ("load", "read"):
            scope.append(value)
        if kind in ("load", "store", "move"):
            scope.append(after)

    def instruction(self, scope: list[str], program: Program) -> None:
        if self.draw(st.booleans()):
            self.access(scope, program)
        else:
            self.compute(scope, program)

    def region(self, outer: list[str], depth: int, size: int) -> tuple[Program, list[str]]:
        scope, program = list(outer), Program()
        for _ in range(size):
            if depth < 2 and self.draw(st.integers(0, 4)) == 0:
                self.loop(scope, program, depth)
            else:
                self.instruction(scope, program)
        return program, scope

    def loop(self, scope: list[str], program: Program, depth: int) -> None:
        count = self.draw(st.sampled_from(["1", "2", "3", "%vcount"]))
        kinds = self.draw(st.lists(st.sampled_from("vp"), max_size=5))
        inits = [self.pick(scope, kind) for kind in kinds]
        arguments = [self.name(kind) for kind in kinds]
        size = self.draw(st.integers(1, 16 if depth else 6))
        body, inner = self.region(scope + arguments, depth + 1, size)
        for _ in range(2):  # behind a loop inside
            self.instruction(inner, body)
        yielded = self.iterated(kinds, arguments, inner, len(scope))
        results = [self.name(kind) for kind in kinds]
        left = ", ".join(results) + " = " if results else ""
        pairs = ", ".join(f"{a} = {i}" for a, i in zip(arguments, inits, strict=True))
        carried = f" iter_args({pairs})" if pairs else ""
        program.lines.append(f"{left}xpulp.hwloop {count}{carried} {{")
        program.lines += [*body.lines, f"xpulp.yield {', '.join(yielded)}", "}"]
        program.steps.append(("loop", count, arguments, inits, body.steps, yielded, results))
        scope += results

    def iterated(
        self, kinds: list[str], arguments: list[str], inner: list[str], outside: int
    ) -> list[str]:
        """The arguments, changing places; or what the body made; or anything."""
        form = self.draw(st.sampled_from(["swap", "own", "own", "any"]))
        if form == "swap":
            turned = iter(self.draw(st.permutations([a for a in arguments if a[1] == "v"])))
            others = iter(self.draw(st.permutations([a for a in arguments if a[1] == "p"])))
            return [next(turned if kind == "v" else others) for kind in kinds]
        scope = inner[outside:] if form == "own" else inner
        return [self.pick(scope, kind) for kind in kinds]


class Machine:
    """What a program does to values and to the table."""

    def __init__(self, values: dict[str, int], table: list[int]) -> None:
        self.values = values
        self.table = table

    def number(self, name: str) -> int:
        return signed(self.values[name]) if name.startswith("%") else int(name)

    def word(self, offset: int) -> int:
        """Where an offset from the middle of the table lies."""
        place = offset // 4 + TABLE // 2
        assume(0 <= place < TABLE)
        return place

    def run(self, steps: list[Any]) -> None:
        for step in steps:
            if step[0] == "loop":
                self.loop(*step[1:])
            elif step[0] in ACCESSES:
                self.access(*step)
            else:
                self.compute(step)

    def compute(self, step: Any) -> None:
        values = self.values
        match step:
            case ("compute", name, mnemonic, a, b):
                values[name] = result(mnemonic, values[a], values[b], 0, [])
            case ("accumulate", name, mnemonic, a, b, old):
                values[name] = result(mnemonic, values[a], values[b], values[old], [])
            case ("add", name, a, value):
                values[name] = values[a] + value & BITS
            case ("constant", name, value):
                values[name] = value & BITS
            case ("distance", name, p, q):
                values[name] = values[p] - values[q] & BITS

    def access(self, kind: str, value: str, after: str, base: str, step: str) -> None:
        address, beyond = self.values[base], self.values[base] + self.number(step)
        if kind in ("load", "read"):
            place = self.word(address if kind == "load" else beyond)
            self.values[value] = self.table[place]
        elif kind in ("store", "write"):
            place = self.word(address if kind == "store" else beyond)
            self.table[place] = self.values[value]
        self.values[after] = beyond

    def loop(
        self,
        count: str,
        arguments: list[str],
        inits: list[str],
        body: list[Any],
        yielded: list[str],
        results: list[str],
    ) -> None:
        current = [self.values[name] for name in inits]
        for _ in range(self.number(count)):
            self.values.update(zip(arguments, current, strict=True))
            self.run(body)
            current = [self.values[name] for name in yielded]
        self.values.update(zip(results, current, strict=True))


@dataclass
class Case:
    """A function of one block, or of instructions and loops on their own."""

    program: Program
    outputs: list[str]
    is_block: bool

    def text(self, number: int) -> str:
        lines, names = self.program.lines, self.outputs
        if self.is_block:
            names = [f"%r#{i}" for i in range(len(self.outputs))]
            yielded = ", ".join(self.outputs)
            lines = [f"%r:{len(names)} = xpulp.block {{", *lines, f"xpulp.yield {yielded}", "}"]
        stores = []
        for i, (output, name) in enumerate(zip(self.outputs, names, strict=True)):
            stored = name
            if output[1] == "p":
                stored = f"%offset{i}"
                stores.append(f"{stored} = xpulp.sub {name}, %ptable")
            stores.append(f"xpulp.sw {stored}, %output, {4 + 4 * i}")
        return FUNCTION.format(
            number=number, half=2 * TABLE, body="\n".join(lines), stores="\n".join(stores)
        )

    def run(self, values: dict[str, int], table: list[int]) -> list[int]:
        """What the function writes; `table` is as it leaves it."""
        machine = Machine(dict(values), table)
        machine.run(self.program.steps)
        kept = result("pv.add.b", values["%va"], values["%vb"], 0, [])
        return [kept, *(machine.values[name] & BITS for name in self.outputs)]


FUNCTION = """func.func @f{number}(%input: i32, %output: i32) {{
  %va = xpulp.lw %input, 0
  %vb = xpulp.lw %input, 4
  %vc = xpulp.lw %input, 8
  %vcount = xpulp.lw %input, 12
  %sfour = xpulp.li 4
  %half = xpulp.li {half}
  %table = xpulp.add %input, %half
  %ptable = xpulp.addi %table, 16
  %pcursor = xpulp.addi %table, 48
  {body}
  %kept = xpulp.pv.add.b %va, %vb
  xpulp.sw %kept, %output, 0
  {stores}
  return
}}
"""


@st.composite
def functions(draw: st.DrawFn) -> Case:
    writer = Writer(draw)
    program, scope = writer.region(OUTSIDE, 0, draw(st.integers(2, 10)))
    outputs = [writer.pick(scope, "vsp") for _ in range(draw(st.integers(1, OUTPUTS)))]
    return Case(program, outputs, draw(st.booleans()))


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    cases=st.lists(functions(), min_size=1, max_size=10),
    words=st.lists(st.integers(0, BITS), min_size=len(INPUTS), max_size=len(INPUTS)),
    count=st.integers(1, 4),
    seed=st.integers(0, BITS),
)
def test_random_blocks(
    tmp_path_factory: pytest.TempPathFactory,
    cases: list[Case],
    words: list[int],
    count: int,
    seed: int,
) -> None:
    table = np.random.default_rng(seed).integers(0, 2**32, TABLE, np.uint32)
    inputs = np.array([*words, count, *table], np.uint32).view(np.int32)
    values = dict(zip(INPUTS, words, strict=True))
    values |= {"%vcount": count, "%sfour": 4, "%ptable": 0, "%pcursor": 32}
    memory = table.tolist()
    wanted = [case.run(values, memory) for case in cases]  # one after the other
    texts = [case.text(i) for i, case in enumerate(cases)]
    directory = tmp_path_factory.mktemp("blocks")
    try:
        got = run_on_cluster("".join(texts), inputs, 1 + OUTPUTS, directory)
    except CompilerError as error:
        # What is alive at once is not what the generator bounds.
        assume("registers at once, but there are 28" not in str(error))
        raise
    for text, expected, output in zip(texts, wanted, got, strict=True):
        assert output.view(np.uint32).tolist()[: len(expected)] == expected, text
