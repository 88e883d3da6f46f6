# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From counted edges between basic blocks to cycles by symbol, for each core."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tinyformer.errors import SimulationError
from tinyformer.simulators import timing_m4, timing_m7
from tinyformer.simulators.block_profile import Edge
from tinyformer.simulators.decode import Instruction, decode
from tinyformer.simulators.program import Program

TIMING_MODELS = {"cortex-m4": timing_m4.TIMING_MODEL, "cortex-m7": timing_m7.TIMING_MODEL}

# A block is known by its address and its size in bytes.
Block = tuple[int, int]


def cycles_by_symbol(
    core: str,
    program: Program,
    flash: bytes,
    flash_base: int,
    edges: Sequence[Edge],
) -> dict[str, int]:
    """Cycles of each function, the largest first. The sum is the time of the run.

    `edges` ends with the return out of the run, as an edge to a block of size 0.
    """
    executions: Counter[Block] = Counter()
    for edge in edges:
        if edge.size:
            executions[edge.target, edge.size] += edge.count
    code = {b: flash[b[0] - flash_base : b[0] - flash_base + b[1]] for b in executions}
    decoded = {block: _decode_block(block, code[block], program) for block in executions}
    if core == "cortex-m4":
        cycles = _m4_cycles(executions, decoded, edges)
    elif core == "cortex-m7":
        cycles = _m7_cycles(executions, decoded, code)
    else:
        raise SimulationError(f"there is no timing model for core {core!r}")
    by_symbol: defaultdict[str, float] = defaultdict(float)
    for block, count in cycles.items():
        by_symbol[program.function_name(block[0])] += count
    ordered = sorted(by_symbol.items(), key=lambda item: (-item[1], item[0]))
    return {name: round(count) for name, count in ordered}


def _decode_block(block: Block, code: bytes, program: Program) -> tuple[Instruction, ...]:
    instructions = decode(code, block[0])
    if sum(instruction.size for instruction in instructions) != block[1]:
        raise SimulationError(
            f"an instruction of the block at {program.describe(block[0])} cannot be decoded: "
            f"{code.hex()}"
        )
    return instructions


def _m4_cycles(
    executions: Counter[Block],
    decoded: dict[Block, tuple[Instruction, ...]],
    edges: Sequence[Edge],
) -> dict[Block, float]:
    """Straight-line cycles times executions, and the pipeline refill for each edge taken."""
    cycles = {b: float(timing_m4.block_cycles(decoded[b]) * n) for b, n in executions.items()}
    by_address: dict[int, Block] = {}
    for block in executions:
        by_address[block[0]] = max(block, by_address.get(block[0], block))
    for edge in edges:
        source = by_address.get(edge.source)
        if source is None:
            continue
        falls_through = edge.target == source[0] + source[1]
        penalty = timing_m4.taken_branch_cycles(decoded[source][-1], falls_through)
        cycles[source] += penalty * edge.count
    return cycles


def _m7_cycles(
    executions: Counter[Block],
    decoded: dict[Block, tuple[Instruction, ...]],
    code: dict[Block, bytes],
) -> dict[Block, float]:
    each = timing_m7.block_cycles({code[block]: decoded[block] for block in executions})
    return {block: each[code[block]] * count for block, count in executions.items()}
