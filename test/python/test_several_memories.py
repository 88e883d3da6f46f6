# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks that no single memory holds: an arena in each, and the bits of the reference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from timing.elf import symbols
from tinyformer import package
from tinyformer.bench import layers
from tinyformer.compiler import Compilation, CompilerError
from tinyformer.options import CompileOptions
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.report.explanation import explain
from tinyformer.simulators import open_session
from tinyformer.targets import Memory, Target, get_target

# All scores of the layer exist at once.
CASES = [
    ("stm32l4", (176, 32, 48, 2), ["sram1", "sram2"]),
    ("stm32h7", (506, 8, 4, 2), ["dtcm", "axi_sram"]),
]


def start(shape: tuple[int, int, int, int], target: Target) -> Compilation:
    layer = layers.attention(*shape, seed=0)
    samples = layer.samples
    options = CompileOptions("never", tile="none", explain=True)
    return Compilation(layer.module, "attention", samples, ["output"], target, options)


@pytest.mark.slow
@pytest.mark.parametrize(("chip", "shape", "memories"), CASES)
def test_both_memories_are_used(
    chip: str, shape: tuple[int, int, int, int], memories: list[str], tmp_path: Path
) -> None:
    target = get_target(chip)
    compilation = start(shape, target)
    image = package.write(compilation, tmp_path)
    assert [arena.memory for arena in compilation.arenas] == memories
    total = sum(arena.size for arena in compilation.arenas)
    assert total > max(target.arena_capacity(name) for name in memories)
    assert dict(image.interface.arenas) == {a.memory: a.size for a in compilation.arenas}
    # Each arena lies in its memory, and the simulated chip has nothing elsewhere.
    places = symbols(image.path)
    for arena in compilation.arenas:
        memory = target.memory(arena.memory)
        address = places[f"arena_{arena.memory}"]
        assert memory.base <= address and address + arena.size <= memory.end
        assert image.ram_bytes[arena.memory] >= arena.size
        define = f"#define ATTENTION_ARENA_{arena.memory.upper()}_BYTES {arena.size}\n"
        assert define in image.header.read_text("utf-8")
    assert compilation.quantized is not None
    random = np.random.default_rng(0)
    x = [quantize(random.normal(size=shape[:2]), image.interface.inputs[0])]
    expected = Interpreter(compilation.quantized).run(x)[0]
    assert np.array_equal(expected, open_session(image, target).run(x).outputs[0])
    # What was written is read back.
    assert dict(package.read(tmp_path).image.interface.arenas) == dict(image.interface.arenas)
    manifest = json.loads((tmp_path / package.MANIFEST).read_text("utf-8"))
    assert manifest["arena_lower_bounds"].keys() == manifest["arenas"].keys()


def test_explanation_has_an_arena_for_each_memory() -> None:
    compilation = start(CASES[0][1], get_target("stm32l4"))
    compilation.run_to("bufferize")
    explanation = explain(compilation)
    used = {buffer.memory for buffer in explanation.plan.buffers}
    assert used == {arena.memory for arena in explanation.arenas} == {"sram1", "sram2"}


def test_one_arena_where_one_memory_is_enough() -> None:
    compilation = start((40, 8, 4, 2), get_target("stm32h7"))
    compilation.run_to("bufferize")
    assert [arena.memory for arena in compilation.arenas] == ["dtcm"]


def test_too_large_for_both() -> None:
    compilation = start((200, 32, 48, 2), get_target("stm32l4"))
    words = (
        r"arena needs \d+ bytes but 'sram1' holds 98304 and 'sram2' holds \d+, and it cannot be "
        r"spread over them; the largest buffers are 'attention/scores' with 80000 bytes"
    )
    with pytest.raises(CompilerError, match=words):
        compilation.run_to("bufferize")


def test_three_memories() -> None:
    """Not a chip that exists, but what the compiler may be told."""
    chip = get_target("stm32h7")
    small = tuple(Memory(f"bank{i}", 0x2000_0000 + 0x4000 * i, 4096, "ram") for i in range(3))
    memories = (chip.memories[0], *small, replace(chip.memories[2], size=5 * 1024))
    target = replace(
        chip,
        memories=memories,
        arena_memories=("bank0", "bank1", "bank2", "axi_sram"),
        stack_memory="axi_sram",
        data_memory="axi_sram",
    )
    compilation = start((40, 8, 24, 2), target)
    compilation.run_to("bufferize")
    assert [arena.memory for arena in compilation.arenas] == ["bank0", "bank1", "bank2"]
    assert all(arena.size <= 4096 for arena in compilation.arenas)
