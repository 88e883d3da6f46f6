# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The planner against brute force and against the properties of any plan."""

from __future__ import annotations

from itertools import pairwise, permutations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyformer.mlir._mlir_libs import _tinyformer

Buffer = tuple[int, int, int, int]


def buffers(largest: int, most: int, alignments: list[int]) -> st.SearchStrategy[list[Buffer]]:
    lifetime = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)
    one = st.tuples(st.integers(0, largest), lifetime, st.sampled_from(alignments))
    return st.lists(one.map(lambda b: (b[0], b[1][0], b[1][1], b[2])), max_size=most)


def overlap(a: Buffer, b: Buffer) -> bool:
    return a[1] <= b[2] and b[1] <= a[2]


def first_fit(order: tuple[int, ...], problem: list[Buffer]) -> int:
    """Size of the arena if buffers are placed as low as possible, in this order.

    Over all orders this finds an optimum: lower every buffer of an optimal plan as far as it
    goes, then place them by offset.
    """
    placed: list[tuple[int, int]] = []
    size = 0
    for index in order:
        length, _, _, alignment = problem[index]
        offset, moved = 0, True
        while moved:
            moved = False
            for other, start in placed:
                end = start + problem[other][0]
                if (
                    overlap(problem[index], problem[other])
                    and offset < end
                    and start < offset + length
                ):
                    offset, moved = -(-end // alignment) * alignment, True
        placed.append((index, offset))
        size = max(size, offset + length)
    return size


@settings(max_examples=150, deadline=None)
@given(buffers(9, 5, [1]))
def test_small_plans_are_optimal(problem: list[Buffer]) -> None:
    _, size, _ = _tinyformer.plan_memory(problem)
    best = min((first_fit(p, problem) for p in permutations(range(len(problem)))), default=0)
    assert size == best


@settings(max_examples=200, deadline=None)
@given(buffers(5000, 40, [1, 4, 8, 16]))
def test_plans_are_valid(problem: list[Buffer]) -> None:
    offsets, size, lower_bound = _tinyformer.plan_memory(problem)
    assert lower_bound <= size
    for (length, _, _, alignment), offset in zip(problem, offsets, strict=True):
        assert offset % alignment == 0
        assert offset + length <= size
    for i, a in enumerate(problem):
        for j, b in enumerate(problem[:i]):
            if overlap(a, b) and a[0] and b[0]:
                assert offsets[i] + a[0] <= offsets[j] or offsets[j] + b[0] <= offsets[i]


@settings(max_examples=100, deadline=None)
@given(buffers(5000, 20, [1]))
def test_lower_bound_is_the_largest_sum_of_live_bytes(problem: list[Buffer]) -> None:
    _, _, lower_bound = _tinyformer.plan_memory(problem)
    live = [sum(b[0] for b in problem if b[1] <= t <= b[2]) for t in range(9)]
    assert lower_bound == max(live)


def fits_somehow(problem: list[Buffer], capacities: list[int]) -> bool:
    """Tries all ways to distribute the buffers, and in each memory all orders of first-fit."""

    def fits(part: list[Buffer], capacity: int) -> bool:
        orders = permutations(range(len(part)))
        return any(first_fit(order, part) <= capacity for order in orders)

    for choice in product(range(len(capacities)), repeat=len(problem)):
        parts = [
            [b for b, memory in zip(problem, choice, strict=True) if memory == m]
            for m in range(len(capacities))
        ]
        if all(fits(part, capacity) for part, capacity in zip(parts, capacities, strict=True)):
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(buffers(9, 4, [1]), st.lists(st.integers(0, 16), min_size=1, max_size=3))
def test_few_buffers_are_spread_if_there_is_a_way(
    problem: list[Buffer], capacities: list[int]
) -> None:
    found = _tinyformer.spread_memory(problem, capacities)
    assert (found is not None) == fits_somehow(problem, capacities)


@settings(max_examples=200, deadline=None)
@given(
    buffers(5000, 30, [1, 4, 8, 16]),
    st.lists(st.integers(4000, 40_000).map(lambda n: n // 16 * 16), min_size=2, max_size=3),
)
def test_spread_plans_are_valid(problem: list[Buffer], capacities: list[int]) -> None:
    found = _tinyformer.spread_memory(problem, capacities)
    offsets, size, lower_bound = _tinyformer.plan_memory(problem)
    if size <= max(capacities):
        # As good as the plan for one memory: it is that plan.
        first = next(m for m, capacity in enumerate(capacities) if size <= capacity)
        assert found is not None
        memories, spread_offsets, sizes, lower_bounds = found
        assert memories == [first] * len(problem) and spread_offsets == offsets
        assert (sizes[first], lower_bounds[first]) == (size, lower_bound)
        assert sum(sizes) == size
        return
    if found is None:
        return
    memories, offsets, sizes, lower_bounds = found
    for bound, used, capacity in zip(lower_bounds, sizes, capacities, strict=True):
        assert bound <= used <= capacity
    for i, (a, memory, offset) in enumerate(zip(problem, memories, offsets, strict=True)):
        assert offset % a[3] == 0
        assert offset + a[0] <= sizes[memory] or a[0] == 0
        for j, b in enumerate(problem[:i]):
            if memories[j] == memory and overlap(a, b) and a[0] and b[0]:
                assert offset + a[0] <= offsets[j] or offsets[j] + b[0] <= offset


def test_many_buffers_are_spread_into_tight_memories() -> None:
    """Two full memories, cut at random into buffers that all live at once."""
    random = Random(0)
    for _ in range(20):
        cuts = [sorted(random.sample(range(1, 1000), 7)) for _ in range(2)]
        sizes = [b - a for cut in cuts for a, b in pairwise([0, *cut, 1000])]
        random.shuffle(sizes)
        problem = [(size, 0, 1, 1) for size in sizes]
        # A little room: a perfect fit of so many is a matter of luck.
        assert _tinyformer.spread_memory(problem, [1010, 1010]) is not None
        assert _tinyformer.spread_memory(problem, [999, 1000]) is None


def test_bad_buffers_are_refused() -> None:
    with pytest.raises(ValueError, match="start <= end"):
        _tinyformer.plan_memory([(4, 3, 2, 1)])
    with pytest.raises(ValueError, match="power of two"):
        _tinyformer.plan_memory([(4, 0, 0, 3)])
