# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wait states of the flash behind its caches, on code whose misses can be counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from timing.networks import LINEAR_NETWORK, build, random_input
from tinyformer.errors import SimulationError
from tinyformer.simulators import SimulatorOptions, open_session
from tinyformer.targets import get_target

WAIT_STATES = 4


def network(body: str) -> str:
    """A network of one layer, `kernel`, that is `body` in assembly."""
    text = body.replace("\n", "\\n")
    return f"""
    __attribute__((aligned(8))) static const uint32_t table[256] = {{1, 2, 3}};
    __attribute__((naked, noinline)) void kernel(int8_t *out, const uint32_t *words);
    void kernel(int8_t *out, const uint32_t *words) {{ __asm("{text}"); }}
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {{
      kernel(out, table); (void)arena; (void)in; out[0] = 1;
    }}"""


def waits(body: str, directory: Path, wait_states: int = WAIT_STATES) -> int:
    """The cycles that the kernel takes longer because of wait states."""
    image = build(network(body), "stm32l4", directory)
    cycles = []
    for count in (0, wait_states):
        session = open_session(
            image, get_target("stm32l4"), options=SimulatorOptions(wait_states=count)
        )
        cycles.append(session.run([random_input(0)], profile=True).layers["kernel"].cycles)
    return cycles[1] - cycles[0]


def loop(rounds: int, products: int) -> str:
    """Instructions of 4 bytes and one cycle each, with the two that end the loop."""
    return (
        f"mov.w r3, #{rounds}\n .balign 8\n 1:\n .rept {products}\n smlad r2, r1, r1, r2\n .endr\n"
        "subs.w r3, r3, #1\n bne.w 1b\n bx lr"
    )


def test_a_loop_in_the_cache_waits_once(tmp_path: Path) -> None:
    few, many = (waits(loop(rounds, 200), tmp_path) for rounds in (2, 50))
    assert few == many > 100 * WAIT_STATES // 2


@pytest.mark.parametrize("wait_states", [1, 2, 4])
def test_a_loop_beyond_the_cache_waits_for_each_word(wait_states: int, tmp_path: Path) -> None:
    # 300 instructions are 150 words of two cycles, of which each replaces one that is needed again.
    # The word behind was asked for two cycles ago; the first one is behind a jump.
    few, many = (waits(loop(rounds, 298), tmp_path, wait_states) for rounds in (2, 12))
    assert many - few == 10 * (wait_states + 149 * max(0, wait_states + 1 - 2))


@pytest.mark.parametrize(("data_words", "misses"), [(64, 0), (65, 33), (256, 128)])
def test_data_beyond_their_cache_wait(data_words: int, misses: int, tmp_path: Path) -> None:
    # 64 words of 32 bits are the 256 bytes of the cache; from there on the oldest line is replaced
    # just before it is needed. A flash word has two of them.
    def body(rounds: int) -> str:
        return (
            f"mov.w r12, #{rounds}\n 1: mov r2, r1\n movw r3, #{data_words}\n"
            "2: ldr r0, [r2], #4\n subs r3, #1\n bne 2b\n subs.w r12, r12, #1\n bne 1b\n bx lr"
        )

    few, many = (waits(body(rounds), tmp_path) for rounds in (2, 7))
    assert many - few == 5 * misses * WAIT_STATES


def test_they_are_named_and_change_no_bits(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    plain = open_session(image, get_target("stm32l4"))
    session = open_session(image, get_target("stm32l4"), options=SimulatorOptions(wait_states=3))
    first, second = (session.run([random_input(0)], profile=True) for _ in range(2))
    expected = plain.run([random_input(0)], profile=True)
    assert first.outputs[0].tolist() == expected.outputs[0].tolist()
    assert first.instructions == expected.instructions
    assert first.cycles == second.cycles
    assert (first.cycles or 0) > (expected.cycles or 0)
    assert first.timing_model == ("Cortex-M4 TRM table, 3 wait states behind caches and prefetch")


@pytest.mark.parametrize("name", ["stm32h7", "host"])
def test_they_are_refused_where_there_is_no_model(name: str, tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, name, tmp_path)
    with pytest.raises(SimulationError, match=f"stm32l4 only, got 2 for {name}"):
        open_session(image, get_target(name), options=SimulatorOptions(wait_states=2))


def test_they_are_at_most_four(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    with pytest.raises(SimulationError, match="0 to 4 wait states, got 5"):
        open_session(image, get_target("stm32l4"), options=SimulatorOptions(wait_states=5))


def test_the_commands_take_them(cli) -> None:
    shape = ("--shape", "4,8,8", "--json")
    result = cli("bench", "linear", *shape, "--target", "stm32l4", "--wait-states", "2")
    assert result.code == 0, result.err
    assert "2 wait states" in result.out
    refused = cli("bench", "linear", *shape, "--target", "stm32h7", "--wait-states", "2")
    assert refused.code != 0
    assert "stm32l4 only" in refused.err
