# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every armdsp op with a result, on the simulator, against the formula of its description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from device import KERNELS, run_on_device

CORNERS = (0, 1, -1, 127, -128, 0x7FFF, -0x8000, 0x7FFFFFFF, -0x80000000, 0x7FFF8000, 0x80808080)
COUNT = 64


def half(value: int, which: int) -> int:
    """x.h0 or x.h1, signed."""
    return ((value >> 16 * which & 0xFFFF) ^ 0x8000) - 0x8000


def byte(value: int, which: int) -> int:
    """x.b0 to x.b3, signed."""
    return ((value >> 8 * which & 0xFF) ^ 0x80) - 0x80


def word(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def halves(low: int, high: int) -> int:
    return word((low & 0xFFFF) | (high & 0xFFFF) << 16)


def clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def rotate(value: int, bits: int) -> int:
    value &= 0xFFFFFFFF
    return (value >> bits | value << (32 - bits)) & 0xFFFFFFFF


def products(a: int, b: int) -> int:
    return half(a, 0) * half(b, 0) + half(a, 1) * half(b, 1)


def extend(sign: bool, bits: int) -> Callable[..., int]:
    def formula(a: int, b: int, c: int) -> int:
        turned = rotate(a, bits)
        parts = [byte(turned, 0), byte(turned, 2)]
        return halves(*(p if sign else p & 0xFF for p in parts))

    return formula


def differences(a: int, b: int) -> int:
    return sum(abs((byte(a, i) & 0xFF) - (byte(b, i) & 0xFF)) for i in range(4))


def larger_bytes(a: int, b: int, c: int) -> int:
    return word(sum((max(byte(a, i), byte(b, i)) & 0xFF) << 8 * i for i in range(4)))


# The op with its operands and attributes, and the formula of %a, %b, %c.
ANYWHERE: dict[str, Callable[[int, int, int], int]] = {
    "smlad %a, %b, %c": lambda a, b, c: word(products(a, b) + c),
    "smuad %a, %b": lambda a, b, c: word(products(a, b)),
    "smmulr %a, %b": lambda a, b, c: word((a * b + 2**31) >> 32),
    "smmlar %a, %b, %c": lambda a, b, c: word(((c << 32) + a * b + 2**31) >> 32),
    "sxtb16 %a": extend(True, 0),
    "sxtb16 %a {rotation = 8 : i32}": extend(True, 8),
    "uxtb16 %a": extend(False, 0),
    "uxtb16 %a {rotation = 24 : i32}": extend(False, 24),
    "pkhbt %a, %b": lambda a, b, c: halves(a, b),
    "pkhbt %a, %b {shift = 3 : i32}": lambda a, b, c: halves(a, half(b << 3, 1)),
    "pkhtb %a, %b": lambda a, b, c: halves(b >> 16, half(a, 1)),
    "pkhtb %a, %b {shift = 5 : i32}": lambda a, b, c: halves(b >> 5, half(a, 1)),
    "ssat %a {width = 8 : i32}": lambda a, b, c: clamp(a, -128, 127),
    "ssat %a {width = 8 : i32, shift = 12 : i32}": lambda a, b, c: clamp(a >> 12, -128, 127),
    "usat %a {width = 8 : i32}": lambda a, b, c: clamp(a, 0, 255),
    "usat %a {width = 9 : i32, shift = 7 : i32}": lambda a, b, c: clamp(a >> 7, 0, 511),
    "ssat16 %a {width = 8 : i32}": lambda a, b, c: halves(
        *(clamp(half(a, i), -128, 127) for i in (0, 1))
    ),
    "usat16 %a {width = 8 : i32}": lambda a, b, c: halves(
        *(clamp(half(a, i), 0, 255) for i in (0, 1))
    ),
}

IN_BLOCK: dict[str, Callable[[int, int, int], int]] = {
    "constant 65537": lambda a, b, c: 65537,
    "constant -19": lambda a, b, c: -19,
    "constant -1985229329": lambda a, b, c: -1985229329,
    "add %a, %b": lambda a, b, c: word(a + b),
    "add %a, %b {shift = 8 : i32}": lambda a, b, c: word(a + (b << 8)),
    "sub %a, %b {shift = 7 : i32}": lambda a, b, c: word(a - (b << 7)),
    "orr %a, %b {shift = 8 : i32}": lambda a, b, c: word(a | b << 8),
    "add_asr %a, %b {shift = 8 : i32}": lambda a, b, c: word(a + (b >> 8)),
    "add_imm %a, 4095": lambda a, b, c: word(a + 4095),
    "add_imm %a, -4095": lambda a, b, c: word(a - 4095),
    "and_imm %a, 16711935": lambda a, b, c: a & 0xFF00FF,
    "eor_imm %a, 8388736": lambda a, b, c: word(a ^ 0x800080),
    "asr %a, 24": lambda a, b, c: a >> 24,
    "lsr %a, 6": lambda a, b, c: word((a & 0xFFFFFFFF) >> 6),
    "lsl %a, 24": lambda a, b, c: word(a << 24),
    "mla %a, %b, %c": lambda a, b, c: word(a * b + c),
    "smlatb %a, %b, %c": lambda a, b, c: word(half(a, 1) * half(b, 0) + c),
    "smlatt %a, %b, %c": lambda a, b, c: word(half(a, 1) * half(b, 1) + c),
    "smlawb %a, %b, %c": lambda a, b, c: word((a * half(b, 0) >> 16) + c),
    "smlawt %a, %b, %c": lambda a, b, c: word((a * half(b, 1) >> 16) + c),
    "sxtab16 %a, %b {rotation = 8 : i32}": lambda a, b, c: halves(
        byte(a, 1) + half(b, 0), byte(a, 3) + half(b, 1)
    ),
    "sxth %a": lambda a, b, c: half(a, 0),
    "usada8 %a, %b, %c": lambda a, b, c: word(differences(a, b) + c),
    "udiv %a, %b": lambda a, b, c: word((a & 0xFFFFFFFF) // (b & 0xFFFFFFFF)) if b else 0,
    "bfi %a, %b {position = 16 : i32}": lambda a, b, c: word((a & 0xFF00FFFF) | (b & 0xFF) << 16),
}


def operands(seed: int) -> np.ndarray:
    """[3, COUNT] words: corners first, then random ones."""
    random = np.random.default_rng(seed)
    values = random.integers(-(2**31), 2**31, (3, COUNT))
    for row in range(3):
        values[row, : len(CORNERS)] = random.permutation([word(c) for c in CORNERS])
    return values.astype(np.int32)


def run(code: str, chip: str, directory: Path) -> list[int]:
    """The results of `code`, which makes %r of %a, %b and %c."""
    views = "\n".join(
        f"%at{i} = arith.constant {4 * COUNT * i} : index\n"
        f"%m{i} = memref.view %input[%at{i}][] : memref<{12 * COUNT}xi8> to memref<{COUNT}xi32>"
        for i in range(3)
    )
    loads = "\n".join(
        f"%{name} = memref.load %m{i}[%i] : memref<{COUNT}xi32>" for i, name in enumerate("abc")
    )
    body = f"""
      {views}
      %result = memref.view %output[%at0][] : memref<{4 * COUNT}xi8> to memref<{COUNT}xi32>
      %one = arith.constant 1 : index
      %count = arith.constant {COUNT} : index
      scf.for %i = %at0 to %count step %one {{
        {loads}
        {code}
        memref.store %r, %result[%i] : memref<{COUNT}xi32>
      }}"""
    data = operands(len(code)).reshape(-1).view(np.int8)
    output, _ = run_on_device(body, data, 4 * COUNT, chip, directory, KERNELS)
    return [int(value) for value in output.view(np.int32)]


def expect(formula: Callable[[int, int, int], int], code: str) -> list[int]:
    return [formula(*(int(v) for v in column)) for column in operands(len(code)).T]


def in_block(instructions: str) -> str:
    return f"""%r = armdsp.block %a, %b, %c {{
    ^bb0(%a: i32, %b: i32, %c: i32):
      {instructions}
      armdsp.yield %x : i32
    }} -> i32""".replace("(%a: i32, %b: i32, %c: i32)", "(%p: i32, %q: i32, %s: i32)")


def renamed(op: str) -> str:
    return op.replace("%a", "%p").replace("%b", "%q").replace("%c", "%s")


@pytest.mark.parametrize("op", ANYWHERE)
def test_an_instruction_that_llvm_schedules(op: str, tmp_path: Path) -> None:
    code = f"%r = armdsp.{op}"
    assert run(code, "stm32l4", tmp_path) == expect(ANYWHERE[op], code)


@pytest.mark.parametrize("op", [*ANYWHERE, *IN_BLOCK])
def test_an_instruction_in_a_block(op: str, tmp_path: Path) -> None:
    code = in_block(f"%x = armdsp.{renamed(op)}")
    formula = {**ANYWHERE, **IN_BLOCK}[op]
    assert run(code, "stm32h7", tmp_path) == expect(formula, code)


def test_the_larger_bytes(tmp_path: Path) -> None:
    code = "%d = armdsp.ssub8 %a, %b\n%r = armdsp.sel %a, %b"
    assert run(code, "stm32l4", tmp_path / "free") == expect(larger_bytes, code)
    code = in_block(renamed("%d = armdsp.ssub8 %a, %b\n%x = armdsp.sel %a, %b"))
    assert run(code, "stm32l4", tmp_path / "block") == expect(larger_bytes, code)


def test_the_differences_of_bytes(tmp_path: Path) -> None:
    code = "%r = armdsp.ssub8 %a, %b"
    expected = expect(
        lambda a, b, c: word(sum(((byte(a, i) - byte(b, i)) & 0xFF) << 8 * i for i in range(4))),
        code,
    )
    assert run(code, "stm32l4", tmp_path) == expected
