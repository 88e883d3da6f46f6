# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the simulated chips refuse: every kind of error, with the symbol that made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from timing.networks import LINEAR_NETWORK, build, random_input, run
from tinyformer.errors import SimulationError
from tinyformer.simulators import open_session, simulate
from tinyformer.simulators.cortex_m import CortexMSession
from tinyformer.targets import get_target

CHIPS = ("stm32l4", "stm32h7")


def failing(body: str) -> str:
    """A network whose layer `culprit` does `body`, with x = in[0], which is not known to be 9."""
    return f"""
    LAYER void culprit(int x, uint8_t *arena);
    void culprit(int x, uint8_t *arena) {{ (void)x; (void)arena; {body} }}
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {{
      culprit(in[0], arena); out[0] = 1;
    }}"""


BAD_ACCESSES = {
    "null read": ("(void)*(volatile int *)0;", "read of 4 bytes at address 0x00000000, where"),
    "null write": ("*(volatile char *)0 = 1;", "write of 1 bytes at address 0x00000000, where"),
    "flash write": (
        "*(volatile int *)0x08000000 = 1;",
        "write of 4 bytes at address 0x08000000, in 'flash', which does not allow it",
    ),
    "behind sram1": (
        "(void)*(volatile short *)0x20018000;",
        "read of 2 bytes at address 0x20018000, where stm32l4 has no memory",
    ),
    "behind flash": (
        "(void)*(volatile char *)0x08100000;",
        "read of 1 bytes at address 0x08100000",
    ),
    "code in ram": (
        "((void (*)(void))(arena + 1))();",
        "execution of . bytes at address 0x20000000, in 'sram1', which does not allow it",
    ),
}


@pytest.mark.parametrize("case", BAD_ACCESSES)
def test_bad_accesses_are_errors(case: str, tmp_path: Path) -> None:
    body, message = BAD_ACCESSES[case]
    with pytest.raises(SimulationError, match=message) as info:
        run(failing(body), "stm32l4", tmp_path)
    where = "culprit+0x" if case != "code in ram" else "in no function"
    assert where in str(info.value)


def test_an_undefined_instruction_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"Invalid instruction.* at culprit\+0x"):
        run(failing("__builtin_trap();"), "stm32h7", tmp_path)


def test_a_system_call_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"exception 2 at culprit\+0x"):
        run(failing('__asm volatile("svc #0");'), "stm32l4", tmp_path)


@pytest.mark.parametrize("chip", CHIPS)
def test_endless_recursion_is_a_stack_overflow(chip: str, tmp_path: Path) -> None:
    source = """
    LAYER int recurse(volatile int8_t *x);
    int recurse(volatile int8_t *x) {
      volatile int frame[8];
      frame[x[0] & 7] = x[1];
      if (x[0] == 127) return 0;
      return recurse(x) + frame[x[0] & 3];
    }
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      (void)arena; out[0] = (int8_t)recurse((volatile int8_t *)in);
    }"""
    with pytest.raises(SimulationError, match=r"stack overflow at recurse\+0x.* of its 4096 bytes"):
        run(source, chip, tmp_path)


def test_a_program_that_never_returns_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(
        SimulationError, match=r"did not return within 100000 instructions .* at culprit\+0x"
    ):
        run(failing('for (;;) __asm volatile("");'), "stm32l4", tmp_path, limit=100000)


def test_a_limit_that_is_just_enough(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    target = get_target("stm32l4")
    needed = simulate(image, target, [random_input(0)]).instructions
    assert needed is not None
    open_session(image, target, instruction_limit=needed).run([random_input(0)])
    with pytest.raises(SimulationError, match="did not return within"):
        open_session(image, target, instruction_limit=needed - 1).run([random_input(0)])


@pytest.mark.parametrize(
    ("handler", "words"),
    [("HardFault_Handler", "a hard fault"), ("UsageFault_Handler", "a usage fault")],
)
def test_a_fault_handler_tells_why_it_ran(handler: str, words: str, tmp_path: Path) -> None:
    source = f"extern void {handler}(void);" + failing(f"{handler}();")
    with pytest.raises(SimulationError, match=f"in its fault handler after {words}"):
        run(source, "stm32l4", tmp_path, limit=100000)


def test_a_program_that_sleeps_has_not_returned(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"put to sleep at culprit\+0x"):
        run(failing('__asm volatile("wfi");'), "stm32l4", tmp_path)


def test_a_session_survives_an_error(tmp_path: Path) -> None:
    source = failing("if (x == 9) *(volatile int *)0 = 1;")
    session = open_session(build(source, "stm32l4", tmp_path), get_target("stm32l4"))
    with pytest.raises(SimulationError):
        session.run([np.full(16, 9, np.int8)])
    assert session.run([np.full(16, 8, np.int8)]).outputs[0][0] == 1


UNALIGNED = """
LAYER int touch(const int8_t *x);
int touch(const int8_t *x) {{
  int a, b;
  __asm volatile("{asm}" : "=&r"(a), "=&r"(b) : "r"(x));
  return a + b;
}}
void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {{
  (void)arena; out[0] = (int8_t)(touch(in + (in[0] & 3)) & in[1]);
}}
"""


def at_offset(offset: int) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    x = np.zeros(16, np.int8)
    x[0] = offset
    return x


def test_unaligned_accesses_are_counted(tmp_path: Path) -> None:
    source = UNALIGNED.format(asm="ldr %0, [%2]\\n ldrh %1, [%2, #4]")
    session = open_session(build(source, "stm32l4", tmp_path), get_target("stm32l4"))
    counts = [session.check_alignment([at_offset(offset)]) for offset in (0, 1, 2, 3)]
    assert counts == [{}, {"touch": 2}, {"touch": 1}, {"touch": 2}]


@pytest.mark.parametrize("asm", ["ldrd %0, %1, [%2]", "ldm %2, {r0, r1}", "vldr s0, [%2]"])
def test_unaligned_accesses_that_fault_are_errors(asm: str, tmp_path: Path) -> None:
    source = UNALIGNED.format(asm=asm)
    session = open_session(build(source, "stm32h7", tmp_path), get_target("stm32h7"))
    assert session.check_alignment([at_offset(0)]) == {}
    with pytest.raises(
        SimulationError, match=rf"'{asm[:3]}.* at touch\+0x.* 2 bytes behind a mult"
    ):
        session.check_alignment([at_offset(2)])


def test_a_session_is_fast_again_after_checking_alignment(tmp_path: Path) -> None:
    source = UNALIGNED.format(asm="ldr %0, [%2]\\n ldrh %1, [%2, #4]")
    session = CortexMSession(build(source, "stm32l4", tmp_path), get_target("stm32l4"))
    before = session.run([at_offset(1)], profile=True)
    session.check_alignment([at_offset(1)])
    seen = session._profile.unaligned()
    after = session.run([at_offset(1)], profile=True)
    assert session._profile.unaligned() == seen != []
    assert after.kernels == before.kernels
