# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random blocks and loops of xpulp on the simulated cluster against a Python interpretation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cluster_device import run_on_cluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulp.model import BITS, result

INPUTS = 3
TABLE = 16  # words behind the inputs, for loads

BINARY = ("add", "sub", "xor", "mul", "pv.dotsp.b", "pv.max.b", "pv.pack.h", "p.min")
ACCUMULATING = ("p.mac", "pv.sdotsp.b", "pv.sdotusp.b", "pv.packlo.b", "pv.shuffle2.b", "p.msu")


@dataclass
class Program:
    """The text of a region, and what it does to an environment of values."""

    lines: list[str] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)


class Writer:
    """Draws regions; each value has a name of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"%v{self.names}"

    def pick(self, scope: list[str]) -> str:
        return str(self.draw(st.sampled_from(scope)))

    def instruction(self, scope: list[str], program: Program) -> None:
        kind = self.draw(st.sampled_from(["binary", "accumulating", "immediate", "li", "load"]))
        name = self.name()
        if kind == "binary":
            mnemonic, a, b = self.draw(st.sampled_from(BINARY)), self.pick(scope), self.pick(scope)
            program.lines.append(f"{name} = xpulp.{mnemonic} {a}, {b}")
            program.steps.append(("compute", name, mnemonic, a, b, None, []))
        elif kind == "accumulating":
            mnemonic = self.draw(st.sampled_from(ACCUMULATING))
            a, b, old = (self.pick(scope) for _ in range(3))
            program.lines.append(f"{name} = xpulp.{mnemonic} {a}, {b}, {old}")
            program.steps.append(("compute", name, mnemonic, a, b, old, []))
        elif kind == "immediate":
            a, value = self.pick(scope), self.draw(st.integers(-2048, 2047))
            program.lines.append(f"{name} = xpulp.addi {a}, {value}")
            program.steps.append(("compute", name, "addi", a, a, None, [value]))
        elif kind == "li":
            value = self.draw(st.integers(-(2**31), 2**31 - 1))
            program.lines.append(f"{name} = xpulp.li {value}")
            program.steps.append(("li", name, value))
        else:
            # A word of the table, and where the next one is.
            after, step = self.name(), 4 * self.draw(st.integers(0, TABLE - 1))
            program.lines.append(f"{name}, {after} = xpulp.p.lw_post %table, {step}")
            program.steps.append(("load", name, after, step))
            if self.draw(st.booleans()):
                second = self.name()
                program.lines.append(f"{second} = xpulp.lw {after}, 0")
                program.steps.append(("read", second, after))
                scope.append(second)
        scope.append(name)

    def region(self, outer: list[str], depth: int, size: int) -> tuple[Program, list[str]]:
        scope, program = list(outer), Program()
        for _ in range(size):
            if depth < 2 and self.draw(st.integers(0, 5)) == 0:
                self.loop(scope, program, depth)
            else:
                self.instruction(scope, program)
        return program, scope

    def loop(self, scope: list[str], program: Program, depth: int) -> None:
        count = self.draw(st.integers(1, 4))
        value_count = depth == 0 and self.draw(st.booleans())
        inits = [self.pick(scope) for _ in range(self.draw(st.integers(0, 4)))]
        arguments = [self.name() for _ in inits]
        body, inner = self.region(
            scope + arguments, depth + 1, self.draw(st.integers(3, 12 if depth else 8))
        )
        for _ in range(2):
            self.instruction(inner, body)
        local = [name for name in inner if name not in scope] or inner
        yielded = [self.pick(local) for _ in inits]
        results = [self.name() for _ in inits]
        left = ", ".join(results) + " = " if results else ""
        pairs = ", ".join(f"{a} = {i}" for a, i in zip(arguments, inits, strict=True))
        carried = f" iter_args({pairs})" if pairs else ""
        number: Any = "%count" if value_count else count
        program.lines.append(f"{left}xpulp.hwloop {number}{carried} {{")
        program.lines += [*body.lines, f"xpulp.yield {', '.join(yielded)}", "}"]
        program.steps.append(("loop", number, arguments, inits, body.steps, yielded, results))
        scope += results


def interpret(steps: list[Any], values: dict[str, int], memory: list[int]) -> None:
    for step in steps:
        match step:
            case ("compute", name, mnemonic, a, b, old, immediates):
                before = values[old] if old else 0
                values[name] = result(mnemonic, values[a], values[b], before, immediates)
            case ("li", name, value):
                values[name] = value & BITS
            case ("load", name, after, offset):
                values[name] = memory[0]
                values[after] = values["%table"] + offset
            case ("read", name, after):
                values[name] = memory[(values[after] - values["%table"]) // 4]
            case ("loop", number, arguments, inits, body, yielded, results):
                rounds = values["%count"] if number == "%count" else number
                current = [values[name] for name in inits]
                for _ in range(rounds):
                    values.update(zip(arguments, current, strict=True))
                    interpret(body, values, memory)
                    current = [values[name] for name in yielded]
                values.update(zip(results, current, strict=True))


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, list[Any], list[str]]:
    """A function of a block, its steps and its results."""
    writer = Writer(draw)
    inputs = [f"%in{i}" for i in range(INPUTS)]
    program, scope = writer.region([*inputs], 0, draw(st.integers(2, 14)))
    outputs = [writer.pick(scope) for _ in range(draw(st.integers(1, 5)))]
    return "\n".join(program.lines), program.steps, outputs


FUNCTION = """func.func @f{number}(%input: i32, %output: i32) {{
  %in0 = xpulp.lw %input, 0
  %in1 = xpulp.lw %input, 4
  %in2 = xpulp.lw %input, 8
  %count = xpulp.lw %input, 12
  %table = xpulp.addi %input, 16
  %r:{results} = xpulp.block {{
    {lines}
    xpulp.yield {yielded}
  }}
  %kept = xpulp.pv.add.b %in0, %in1
  xpulp.sw %kept, %output, 0
  {stores}
  return
}}
"""


def function(number: int, lines: str, outputs: list[str]) -> str:
    stores = "\n".join(f"xpulp.sw %r#{i}, %output, {4 + 4 * i}" for i in range(len(outputs)))
    return FUNCTION.format(
        number=number,
        results=len(outputs),
        lines=lines,
        yielded=", ".join(outputs),
        stores=stores,
    )


@pytest.mark.slow
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    cases=st.lists(programs(), min_size=1, max_size=8),
    words=st.lists(st.integers(0, BITS), min_size=3 + TABLE, max_size=3 + TABLE),
    count=st.integers(1, 5),
)
def test_random_blocks(
    tmp_path_factory: pytest.TempPathFactory, cases: list[Any], words: list[int], count: int
) -> None:
    table = words[3:]
    inputs = np.array([*words[:3], count, *table], np.uint32).view(np.int32)
    text = "".join(function(i, lines, outputs) for i, (lines, _, outputs) in enumerate(cases))
    directory = tmp_path_factory.mktemp("blocks")
    got = run_on_cluster(text, inputs, 6, directory)
    for (lines, steps, outputs), output in zip(cases, got, strict=True):
        values = {f"%in{i}": words[i] for i in range(3)} | {"%count": count, "%table": 0}
        interpret(steps, values, table)
        wanted = [values[name] for name in outputs]
        found = output.view(np.uint32).tolist()
        assert found[1 : 1 + len(wanted)] == wanted, lines
        assert found[0] == result("pv.add.b", words[0], words[1], 0, []), lines
