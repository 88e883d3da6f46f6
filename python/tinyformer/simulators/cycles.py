# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From counted edges between basic blocks to cycles by layer and symbol, for each core."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tinyformer.errors import SimulationError
from tinyformer.simulators import timing_m4, timing_m7, timing_m7_inorder
from tinyformer.simulators.block_profile import Edge
from tinyformer.simulators.decode import Instruction, decode
from tinyformer.simulators.flash import stall_cycles
from tinyformer.simulators.program import Program
from tinyformer.simulators.result import LayerCycles

TIMING_MODELS = {"cortex-m4": timing_m4.TIMING_MODEL, "cortex-m7": timing_m7.TIMING_MODEL}

# Second models, for cores whose first one may be too optimistic.
PESSIMISTIC_MODELS = {"cortex-m7": timing_m7_inorder.TIMING_MODEL}

# A block is known by its address and its size in bytes.
Block = tuple[int, int]

# A layer's address, 0 for the entry functions, and a block that ran for it.
Place = tuple[int, Block]


def cycles_by_layer(
    core: str,
    program: Program,
    flash: bytes,
    flash_base: int,
    edges: Sequence[Edge],
    wait_states: int = 0,
) -> dict[str, LayerCycles]:
    """Cycles of each layer, the largest first. The sum is the time of the run.

    `edges` ends with the return out of the run, as an edge to a block of size 0. The entry
    functions are layers under their own names.
    """
    executions: Counter[Place] = Counter()
    for edge in edges:
        if edge.size:
            executions[edge.target_layer, (edge.target, edge.size)] += edge.count
    blocks = {block for _, block in executions}
    code = {b: flash[b[0] - flash_base : b[0] - flash_base + b[1]] for b in blocks}
    decoded = {block: _decode_block(block, code[block], program) for block in blocks}
    if core == "cortex-m4":
        return _layers(_by_layer(_m4_cycles(executions, decoded, edges, wait_states), program))
    if core == "cortex-m7":
        expected = timing_m7.block_cycles({code[block]: decoded[block] for block in decoded})
        each = {block: expected[code[block]] for block in decoded}
        worse = {b: max(each[b], timing_m7_inorder.block_cycles(decoded[b])) for b in decoded}
        return _layers(
            _by_layer(_times(each, executions), program),
            _by_layer(_times(worse, executions), program),
        )
    raise SimulationError(f"there is no timing model for core {core!r}")


def kernel_cycles(layers: Mapping[str, LayerCycles]) -> dict[str, int]:
    """Cycles of each symbol over all layers, the largest first."""
    total: Counter[str] = Counter()
    for layer in layers.values():
        total.update(layer.kernels)
    return _largest_first(total)


def _layers(
    cycles: Mapping[str, Counter[str]], pessimistic: Mapping[str, Counter[str]] | None = None
) -> dict[str, LayerCycles]:
    totals = {name: kernels.total() for name, kernels in cycles.items()}
    return {
        name: LayerCycles(
            cycles=total,
            kernels=_largest_first(cycles[name]),
            cycles_pessimistic=pessimistic[name].total() if pessimistic else None,
        )
        for name, total in _largest_first(totals).items()
    }


def _by_layer(cycles: Mapping[Place, float], program: Program) -> dict[str, Counter[str]]:
    """Cycles by layer and symbol, rounded once, so that all views of them have the same sum."""
    exact: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (layer, block), count in cycles.items():
        symbol = program.function_name(block[0])
        exact[program.function_name(layer) if layer else symbol, symbol] += count
    layers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (name, symbol), count in exact.items():
        layers[name][symbol] = round(count)
    return layers


def _largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _decode_block(block: Block, code: bytes, program: Program) -> tuple[Instruction, ...]:
    instructions = decode(code, block[0])
    if sum(instruction.size for instruction in instructions) != block[1]:
        raise SimulationError(
            f"an instruction of the block at {program.describe(block[0])} cannot be decoded: "
            f"{code.hex()}"
        )
    return instructions


def _m4_cycles(
    executions: Mapping[Place, int],
    decoded: Mapping[Block, tuple[Instruction, ...]],
    edges: Sequence[Edge],
    wait_states: int,
) -> dict[Place, float]:
    """Straight-line cycles times executions, the refill for each edge taken, and flash waits."""
    each = {block: timing_m4.block_cycles(instructions) for block, instructions in decoded.items()}
    cycles = {place: float(each[place[1]] * count) for place, count in executions.items()}
    by_address: dict[int, Block] = {}
    for block in decoded:
        by_address[block[0]] = max(block, by_address.get(block[0], block))
    for edge in edges:
        if edge.size:
            target = edge.target, edge.size
            cycles[edge.target_layer, target] += stall_cycles(edge, each[target], wait_states)
        source = by_address.get(edge.source)
        if source is None:
            continue
        falls_through = edge.target == source[0] + source[1]
        penalty = timing_m4.taken_branch_cycles(decoded[source][-1], falls_through)
        cycles[edge.source_layer, source] += penalty * edge.count
    return cycles


def _times(each: Mapping[Block, float], executions: Mapping[Place, int]) -> dict[Place, float]:
    return {place: each[place[1]] * count for place, count in executions.items()}
