# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles of the Cortex-M7, from LLVM's scheduling model of it, without cache misses.

ARM publishes no instruction timings of this dual-issue core. `llvm-mca` repeats each basic block
and the steady state of that is the block's cost, which overlaps the iterations of short blocks more
than the core may do. What its model gets wrong is put right before:

* an instruction that moves several registers is taken apart into single loads or stores (it counts
  as one micro-operation otherwise), and a load of PC into a load and a branch;
* branches to a label are left out, as predicted and folded (each ends the issue group and waits for
  the flags otherwise, and a call takes 100 cycles), except where a block is nothing else;
* IT and NOP are left out: LLVM has no cost for the one and a stall for the other.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinyformer.errors import ToolchainError
from tinyformer.simulators.decode import Instruction, Kind
from tinyformer.toolchain import llvm_tool

TIMING_MODEL = "llvm-mca cortex-m7 per basic block, no cache misses"

_ITERATIONS = 100

_FREE = frozenset({"b", "bl", "cbz", "cbnz", "it", "hint"})

# Cycles of a block by its code: a session of many runs asks for each block once.
_known: dict[bytes, float] = {}


def block_cycles(blocks: Mapping[bytes, Sequence[Instruction]]) -> dict[bytes, float]:
    """Cycles of one execution of each block; `blocks` maps code to its instructions."""
    unknown = {code: block for code, block in blocks.items() if code not in _known}
    if unknown:
        _known.update(zip(unknown, _ask_llvm_mca(list(unknown.values())), strict=True))
    return {code: _known[code] for code in blocks}


def block_assembly(block: Sequence[Instruction]) -> list[str]:
    """A basic block as what llvm-mca is to see; never empty."""
    return [line for instruction in block for line in assembly(instruction)] or ["b #0"]


def assembly(instruction: Instruction) -> list[str]:
    """An instruction as what llvm-mca is to see: the same work in a form that it models."""
    operation = instruction.operation
    if operation in _FREE:
        return []
    if instruction.kind is Kind.LOAD_MULTIPLE:
        return _single_accesses(instruction, "vldr" if operation.startswith("v") else "ldr")
    if instruction.kind is Kind.STORE_MULTIPLE:
        return _single_accesses(instruction, "vstr" if operation.startswith("v") else "str")
    if operation == "blx":
        return [f"bx {instruction.operands}"]
    if instruction.kind is Kind.LOAD and instruction.writes_pc:
        return [f"ldr.w lr, {instruction.operands.split(',', 1)[1].strip()}", "bx lr"]
    if instruction.mnemonic == "vmov.32":
        # LLVM has no timing for halves of doubles: the single register that it is.
        half = re.sub(r"d(\d+)\[(\d)\]", _single_register, instruction.operands)
        return [f"vmov {half}"]
    if operation in ("mov", "add") and instruction.writes_pc:
        return ["bx lr"]
    return [instruction.text]


def _single_register(half: re.Match[str]) -> str:
    return f"s{2 * int(half.group(1)) + int(half.group(2))}"


def _single_accesses(instruction: Instruction, access: str) -> list[str]:
    """LDM, POP, LDRD, PUSH and their kin as one access a register, and the base update."""
    base = next(iter(instruction.address_registers), "pc")
    lines = []
    offset = 0
    for register in instruction.transfer:
        if register == "pc":
            lines += [f"ldr lr, [{base}, #{offset}]", "bx lr"]
        else:
            lines.append(f"{access} {register}, [{base}, #{offset}]")
        offset += 8 if register.startswith("d") else 4
    if instruction.writeback and not _is_stack(instruction):
        lines.append(f"adds.w {base}, {base}, #{offset}")
    return lines


def _is_stack(instruction: Instruction) -> bool:
    """The core renames SP's updates early enough that PUSH and POP do not wait for them."""
    return instruction.address_registers == frozenset({"sp"})


def _ask_llvm_mca(blocks: Sequence[Sequence[Instruction]]) -> list[float]:
    lines = [".syntax unified", ".thumb"]
    for index, block in enumerate(blocks):
        lines.append(f"@ LLVM-MCA-BEGIN b{index}")
        lines += block_assembly(block)
        lines.append("@ LLVM-MCA-END")
    command = [
        str(_llvm_mca()),
        "-mtriple=thumbv7em-none-eabihf",
        "-mcpu=cortex-m7",
        "--arm-implicit-it=always",
        f"-iterations={_ITERATIONS}",
        "-instruction-info=false",
        "-resource-pressure=false",
        "--json",
    ]
    text = "\n".join(lines) + "\n"
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ToolchainError(f"llvm-mca could not time a block:\n{result.stderr.strip()}")
    regions = json.loads(result.stdout)["CodeRegions"]
    cycles = {r["Name"]: r["SummaryView"]["TotalCycles"] / _ITERATIONS for r in regions}
    return [cycles[f"b{index}"] for index in range(len(blocks))]


def _llvm_mca() -> Path:
    return llvm_tool("llvm-mca", "which has the timing model of the Cortex-M7")
