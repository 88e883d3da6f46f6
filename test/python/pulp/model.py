# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the instructions compute, from the reference's prose, on Python's unbounded integers.

`result(mnemonic, a, b, old, immediates)` gives rD, all values as unsigned 32 bits. `a`, `b` and
`old` are rs1, rs2 and rD before; immediates come in the order in which they are written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

BITS = 0xFFFFFFFF


def signed(value: int, width: int = 32) -> int:
    """The two's complement value of the low `width` bits."""
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def _lanes(value: int, width: int, is_signed: bool) -> list[int]:
    parts = [value >> shift & ((1 << width) - 1) for shift in range(0, 32, width)]
    return [signed(part, width) if is_signed else part for part in parts]


def _joined(lanes: Sequence[int], width: int) -> int:
    return sum((lane & ((1 << width) - 1)) << (width * i) for i, lane in enumerate(lanes))


# Lane-wise: whether lanes are signed, and the function of two lanes and the width.
_LANEWISE: dict[str, tuple[bool, Callable[[int, int, int], int]]] = {
    "add": (True, lambda x, y, w: x + y),
    "sub": (True, lambda x, y, w: x - y),
    "avg": (True, lambda x, y, w: signed(x + y, w) // 2),
    "avgu": (False, lambda x, y, w: (x + y) % (1 << w) // 2),
    "min": (True, lambda x, y, w: min(x, y)),
    "minu": (False, lambda x, y, w: min(x, y)),
    "max": (True, lambda x, y, w: max(x, y)),
    "maxu": (False, lambda x, y, w: max(x, y)),
    "srl": (False, lambda x, y, w: x // 2 ** (y % w)),
    "sra": (True, lambda x, y, w: math.floor(x / 2 ** (y % w))),
    "sll": (False, lambda x, y, w: x * 2 ** (y % w)),
    "or": (True, lambda x, y, w: x | y),
    "xor": (True, lambda x, y, w: x ^ y),
    "and": (True, lambda x, y, w: x & y),
    "cmpeq": (True, lambda x, y, w: -(x == y)),
    "cmpne": (True, lambda x, y, w: -(x != y)),
    "cmpgt": (True, lambda x, y, w: -(x > y)),
    "cmpge": (True, lambda x, y, w: -(x >= y)),
    "cmplt": (True, lambda x, y, w: -(x < y)),
    "cmple": (True, lambda x, y, w: -(x <= y)),
    "cmpgtu": (False, lambda x, y, w: -(x > y)),
    "cmpgeu": (False, lambda x, y, w: -(x >= y)),
    "cmpltu": (False, lambda x, y, w: -(x < y)),
    "cmpleu": (False, lambda x, y, w: -(x <= y)),
}

# Dot products: whether the lanes of rs1 and rs2 are signed.
_DOTS = {"up": (False, False), "usp": (False, True), "sp": (True, True)}


def _second(form: str, b: int, immediates: Sequence[int], width: int, is_signed: bool) -> list[int]:
    """The lanes of the second operand in one of the three forms."""
    count = 32 // width
    if form == "sci":
        value = immediates[0]
        return [value if is_signed else value % (1 << width)] * count
    lanes = _lanes(b, width, is_signed)
    return [lanes[0]] * count if form == "sc" else lanes


def _vector(name: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int:
    operation, *middle, size = name.split(".")
    form, width = (middle[0] if middle else ""), {"h": 16, "b": 8}[size]
    if operation in _LANEWISE:
        is_signed, function = _LANEWISE[operation]
        others = _second(form, b, immediates, width, is_signed)
        pairs = zip(_lanes(a, width, is_signed), others, strict=True)
        return _joined([function(x, y, width) for x, y in pairs], width)
    dot = re.fullmatch(r"(s?)dot(up|usp|sp)", operation)
    if dot:
        a_signed, b_signed = _DOTS[dot[2]]
        others = _second(form, b, immediates, width, b_signed)
        products = zip(_lanes(a, width, a_signed), others, strict=True)
        return sum(x * y for x, y in products) + (old if dot[1] else 0)
    return _move(operation, form, width, a, b, old, immediates)


def _move(
    operation: str, form: str, width: int, a: int, b: int, old: int, immediates: Sequence[int]
) -> int:
    count = 32 // width
    lanes, olds = _lanes(a, width, False), _lanes(old, width, False)
    if operation == "abs":
        return _joined([abs(lane) for lane in _lanes(a, width, True)], width)
    if operation in ("extract", "extractu"):
        lane = lanes[immediates[0] % count]
        return signed(lane, width) if operation == "extract" else lane
    if operation == "insert":
        olds[immediates[0] % count] = lanes[0]
        return _joined(olds, width)
    if operation == "shuffle" and not form:
        return _joined([lanes[s % count] for s in _lanes(b, width, False)], width)
    if operation == "shuffle":
        return _joined([lanes[immediates[0] & 1], lanes[immediates[0] >> 1 & 1]], width)
    if operation.startswith("shufflei"):
        selectors = [immediates[0] >> shift & 3 for shift in (0, 2, 4)] + [int(operation[-1])]
        return _joined([lanes[s] for s in selectors], width)
    if operation == "shuffle2":
        both = olds + lanes
        return _joined([both[s % (2 * count)] for s in _lanes(b, width, False)], width)
    other = _lanes(b, width, False)
    packed = {
        "pack": [other[0], lanes[0]],
        "packlo": [other[0], lanes[0], *olds[2:]],
        "packhi": [*olds[:2], other[0], lanes[0]],
    }
    return _joined(packed[operation], width)


def _field(b: int, immediates: Sequence[int]) -> tuple[int, int]:
    """Width and offset of a bit field, from immediates or a register."""
    if immediates:
        return immediates[0], immediates[1]
    return (b >> 5 & 31) + 1, b & 31


def _bit_field(name: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int:
    width, offset = _field(b, immediates)
    mask = ((1 << width) - 1) << offset
    if name == "extract":
        return signed(signed(a) >> offset, width)
    if name == "extractu":
        return a >> offset & ((1 << width) - 1)
    if name == "insert":
        return (a << offset & mask) | (old & ~mask)
    return a & ~mask if name == "bclr" else a | mask


def _clip(name: str, a: int, b: int, immediates: Sequence[int]) -> int:
    bound = signed(b)
    if immediates:
        bound = (1 << max(immediates[0] - 1, 0)) - 1 if immediates[0] else 0
    value, low = signed(a), (0 if name.startswith("clipu") else -(bound + 1))
    if value > bound:
        return bound
    return low if value < low else value


def _shift_down(value: int, amount: int, is_signed: bool) -> int:
    value = signed(value) if is_signed else value & BITS
    return value >> amount


def _halves(name: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int | None:
    match = re.fullmatch(r"(mul|mac)(hh)?([su])(N|rn)?", name)
    if match is None:
        return None
    accumulates, high, is_signed = match[1] == "mac", bool(match[2]), match[3] == "s"
    x, y = ((v >> 16 if high else v & 0xFFFF) for v in (a, b))
    product = signed(x, 16) * signed(y, 16) if is_signed else x * y
    amount = immediates[0] if immediates else 0
    rounding = 1 << (amount - 1) if match[4] == "rn" and amount else 0
    return _shift_down(product + (old if accumulates else 0) + rounding, amount, is_signed)


def _normalised(name: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int | None:
    match = re.fullmatch(r"(add|sub)(u)?(r)?n(r)?", name)
    if match is None:
        return None
    x, y, amount = (old, a, b & 31) if match[4] else (a, b, immediates[0])
    rounding = 1 << (amount - 1) if match[3] and amount else 0
    total = (x + y if match[1] == "add" else x - y) + rounding
    return _shift_down(total, amount, not match[2])


_SCALAR: dict[str, Callable[[int, int, int], int]] = {
    "abs": lambda a, b, old: abs(signed(a)),
    "slet": lambda a, b, old: signed(a) <= signed(b),
    "sletu": lambda a, b, old: a <= b,
    "min": lambda a, b, old: min(signed(a), signed(b)),
    "minu": lambda a, b, old: min(a, b),
    "max": lambda a, b, old: max(signed(a), signed(b)),
    "maxu": lambda a, b, old: max(a, b),
    "ror": lambda a, b, old: (a | a << 32) >> (b & 31),
    "ff1": lambda a, b, old: next((i for i in range(32) if a >> i & 1), 32),
    "fl1": lambda a, b, old: a.bit_length() - 1 if a else 32,
    "cnt": lambda a, b, old: a.bit_count(),
    "clb": lambda a, b, old: 31 - (a if signed(a) >= 0 else ~a & BITS).bit_length() if a else 0,
    "exths": lambda a, b, old: signed(a, 16),
    "exthz": lambda a, b, old: a & 0xFFFF,
    "extbs": lambda a, b, old: signed(a, 8),
    "extbz": lambda a, b, old: a & 0xFF,
    "mac": lambda a, b, old: old + a * b,
    "msu": lambda a, b, old: old - a * b,
}


def _divide(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


_BASE: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a << (b & 31),
    "srl": lambda a, b: a >> (b & 31),
    "sra": lambda a, b: signed(a) >> (b & 31),
    "slt": lambda a, b: signed(a) < signed(b),
    "sltu": lambda a, b: a < b,
    "xor": lambda a, b: a ^ b,
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: signed(a) * signed(b) >> 32,
    "mulhsu": lambda a, b: signed(a) * b >> 32,
    "mulhu": lambda a, b: a * b >> 32,
    "div": lambda a, b: _divide(signed(a), signed(b)) if b else -1,
    "divu": lambda a, b: a // b if b else -1,
    "rem": lambda a, b: signed(a) - signed(b) * _divide(signed(a), signed(b)) if b else a,
    "remu": lambda a, b: a % b if b else a,
}


def result(mnemonic: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int:
    """rD after a computing instruction."""
    return _result(mnemonic, a, b, old, immediates) & BITS


def _result(mnemonic: str, a: int, b: int, old: int, immediates: Sequence[int]) -> int:
    if mnemonic.startswith("pv."):
        return _vector(mnemonic[3:], a, b, old, immediates)
    if not mnemonic.startswith("p."):
        if mnemonic == "lui":
            return immediates[0] << 12
        if mnemonic in _BASE:
            return _BASE[mnemonic](a, b)
        return _BASE[mnemonic.replace("iu", "u").removesuffix("i")](a, immediates[0] & BITS)
    name = mnemonic[2:]
    if name in _SCALAR:
        return _SCALAR[name](a, b, old)
    if name in ("clip", "clipu", "clipr", "clipur"):
        return _clip(name, a, b, immediates)
    if re.fullmatch(r"(extractu?|insert|bclr|bset)r?", name):
        return _bit_field(name.removesuffix("r") if name != "bclr" else name, a, b, old, immediates)
    halves = _halves(name, a, b, old, immediates)
    value = halves if halves is not None else _normalised(name, a, b, old, immediates)
    if value is None:
        raise KeyError(mnemonic)
    return value
