# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks on the simulated Cortex-M chips: bits, counts, stack, and every kind of error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from timing.networks import (
    LINEAR_NETWORK,
    build,
    interface,
    linear_reference,
    random_input,
    run,
    tensor,
)
from tinyformer.errors import SimulationError
from tinyformer.firmware import NetworkInterface
from tinyformer.simulators import open_session, simulate
from tinyformer.simulators.cortex_m import CortexMSession
from tinyformer.targets import get_target

CHIPS = ("stm32l4", "stm32h7")
EVERYWHERE = (*CHIPS, "host")


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_network_gives_numpys_bits(name: str, tmp_path: Path) -> None:
    session = open_session(build(LINEAR_NETWORK, name, tmp_path), get_target(name))
    for seed in range(20):
        x = random_input(seed)
        (y,) = session.run([x]).outputs
        assert y.dtype == np.int8
        assert y.tolist() == linear_reference(x).tolist()


def test_several_tensors_and_arenas(tmp_path: Path) -> None:
    source = """
    void tf_two_invoke(const int8_t *, const int8_t *, int8_t *, int8_t *, uint8_t *, uint8_t *);
    void tf_two_invoke(const int8_t *a, const int8_t *b, int8_t *y, int8_t *z, uint8_t *s,
                       uint8_t *t) {
      s[63] = (uint8_t)a[2]; t[31] = (uint8_t)b[3];
      y[0] = (int8_t)s[63]; z[0] = (int8_t)t[31]; z[1] = (int8_t)(((uintptr_t)t >> 24) & 0x7f);
    }"""
    inputs = (tensor("a", 3), tensor("b", 2, 2))
    outputs = (tensor("y", 1), tensor("z", 1, 2))
    net = NetworkInterface("two", inputs, outputs, {"axi_sram": 64, "dtcm": 32})
    image = build(source, "stm32h7", tmp_path, net)
    a = np.array([1, 2, 3], np.int8)
    b = np.array([[4, 5], [6, -7]], np.int8)
    result = simulate(image, get_target("stm32h7"), [a, b])
    assert [y.tolist() for y in result.outputs] == [[3], [[-7, 0x20]]]


@pytest.mark.parametrize("chip", CHIPS)
def test_variables_are_initialised_for_each_run(chip: str, tmp_path: Path) -> None:
    source = """
    static volatile int8_t counter = 41;
    static volatile int8_t zero;
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      out[0] = ++counter; out[1] = zero++; out[2] = in[0]; out[3] = (int8_t)arena[5]++;
    }"""
    session = open_session(build(source, chip, tmp_path), get_target(chip))
    for _ in range(3):
        (y,) = session.run([np.full(16, 9, np.int8)]).outputs
        assert y[:3].tolist() == [42, 0, 9]
        # An arena holds what RAM happened to hold, the same for each run.
        assert y[3:4].view(np.uint8).tolist() == [0xCD]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_memory_functions(name: str, tmp_path: Path) -> None:
    source = """
    void *memcpy(void *, const void *, size_t);
    void *memmove(void *, const void *, size_t);
    void *memset(void *, int, size_t);
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      size_t n = (size_t)in[0], from = (size_t)in[1], to = (size_t)in[2];
      for (int i = 0; i < 256; i++) arena[i] = (uint8_t)i;
      if (in[3] == 0) memcpy(arena + 128 + to, arena + from, n);
      if (in[3] == 1) memmove(arena + to, arena + from, n);
      if (in[3] == 2) memset(arena + to, in[1], n);
      for (int i = 0; i < 256; i++) out[i] = (int8_t)arena[i];
    }"""
    target = get_target(name)
    arenas = {target.arena_memories[0]: 256}
    net = NetworkInterface("net", (tensor("x", 16),), (tensor("y", 256),), arenas)
    session = open_session(build(source, name, tmp_path, net), target)
    for what in (0, 1, 2):
        for n in (0, 1, 3, 4, 15, 16, 17, 64, 100):
            for start, to in ((0, 0), (4, 8), (8, 4), (1, 1), (3, 0), (0, 3), (5, 6)):
                x = np.zeros(16, np.int8)
                x[:4] = n, start, to, what
                expected = np.arange(256, dtype=np.uint8)
                if what == 0:
                    expected[128 + to : 128 + to + n] = expected[start : start + n].copy()
                elif what == 1:
                    expected[to : to + n] = expected[start : start + n].copy()
                else:
                    expected[to : to + n] = start
                (y,) = session.run([x]).outputs
                assert y.view(np.uint8).tolist() == expected.tolist(), (what, n, start, to)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_64_bit_division(name: str, tmp_path: Path) -> None:
    source = """
    void *memcpy(void *, const void *, size_t);
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      int64_t v[2], s[2]; uint64_t u[2];
      memcpy(v, in, 16);
      s[0] = v[0] / v[1]; s[1] = v[0] % v[1];
      u[0] = (uint64_t)v[0] / (uint64_t)v[1]; u[1] = (uint64_t)v[0] % (uint64_t)v[1];
      memcpy(out, s, 16); memcpy(out + 16, u, 16); (void)arena;
    }"""
    target = get_target(name)
    session = open_session(
        build(source, name, tmp_path, interface(target, inputs=16, outputs=32)), target
    )
    top = 2**63
    for n in (0, 1, -1, 7, -7, 10**12 + 1, -(10**18), top - 1, -top):
        for d in (1, 2, -3, 1000, 2**40 + 5, -(2**33), top - 1, -top):
            (y,) = session.run([np.array([n, d], np.int64).view(np.int8)]).outputs
            quotient = abs(n) // abs(d) * (1 if (n < 0) == (d < 0) else -1)
            assert y[:16].view(np.int64).tolist() == [quotient, n - quotient * d]
            unsigned = divmod(n % 2**64, d % 2**64)
            assert y[16:].view(np.uint64).tolist() == list(unsigned)


def test_integers_may_live_in_fpu_registers(tmp_path: Path) -> None:
    source = """
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      int32_t value = in[3], back; (void)arena;
      __asm volatile("vmov s3, %1\\n vmov %0, s3" : "=r"(back) : "r"(value) : "s3");
      out[0] = (int8_t)back;
    }"""
    x = random_input(1)
    image = build(source, "stm32l4", tmp_path)
    session = CortexMSession(image, get_target("stm32l4"))
    (y,) = session.run([x]).outputs
    assert y[0] == x[3]
    # Unicorn's FPU is always on; the start-up code must have switched on the chip's.
    access_control = int.from_bytes(session._engine.mem_read(0xE000ED88, 4), "little")
    assert access_control == 0x00F00000


# 1 + 100 * (1 + 1) cycles, 99 taken branches of 2 more, and a return of 1 + 2.
SPIN = """
__attribute__((naked, noinline)) void spin(void);
void spin(void) { __asm("movs r3, #100\\n 1: subs r3, #1\\n bne 1b\\n bx lr"); }
LAYER void twice(int8_t *out);
void twice(int8_t *out) { spin(); spin(); out[0] = 1; }
void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
  (void)arena; twice(out); out[1] = in[0];
}
"""


def test_m4_cycles_by_symbol(tmp_path: Path) -> None:
    result = run(SPIN, "stm32l4", tmp_path, profile=True)
    assert result.kernels["spin"] == 2 * (1 + 100 * 2 + 99 * 2 + 3)
    assert set(result.kernels) == {"spin", "twice", "tf_net_invoke", "net_run"}
    assert set(result.layers) == {"twice", "tf_net_invoke", "net_run"}
    assert result.cycles == sum(result.kernels.values())
    assert next(iter(result.kernels)) == "spin"
    assert result.timing_model == "Cortex-M4 TRM table, zero wait states"


# `shared` takes 1 (MOVS) + 5 * (1 + 1) + 4 * 2 (taken) + 3 (BX) = 22 cycles, `deeper` 1 + 2 for
# its branch, `first` 3 + 3 (calls) + 3 (PUSH) + 5 (POP), and `second` a branch that never returns.
SHARED = """
#define BARE __attribute__((naked, noinline, used))
BARE void shared(void); BARE void deeper(void); BARE void first(void); BARE void second(void);
void shared(void) { __asm("movs r3, #5\\n 1: subs r3, #1\\n bne 1b\\n bx lr"); }
void deeper(void) { __asm("b.w shared"); }
void first(void) { __asm("push {r4, lr}\\n bl shared\\n bl deeper\\n pop {r4, pc}"); }
void second(void) { __asm("b.w shared"); }
BARE void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
  __asm("push {r4, lr}\\n bl first\\n bl second\\n bl first\\n bl shared\\n pop {r4, pc}");
}
"""


def test_m4_a_shared_kernel_counts_for_the_layer_that_called_it(tmp_path: Path) -> None:
    result = run(SHARED, "stm32l4", tmp_path, profile=True)
    assert {name: dict(layer.kernels) for name, layer in result.layers.items()} == {
        "first": {"shared": 2 * 2 * 22, "first": 2 * (3 + 3 + 3 + 5), "deeper": 2 * 3},
        "second": {"shared": 22, "second": 3},
        # Called by the network itself: a layer of its own.
        "shared": {"shared": 22},
        "tf_net_invoke": {"tf_net_invoke": 3 + 4 * 3 + 5},
        "net_run": {"net_run": 5},
    }
    assert [layer.cycles for layer in result.layers.values()] == [122, 25, 22, 20, 5]
    assert result.kernels["shared"] == 6 * 22
    assert result.cycles == 194 == sum(result.kernels.values())


def test_m7_both_views_have_the_same_sum(tmp_path: Path) -> None:
    result = run(SHARED, "stm32h7", tmp_path, profile=True)
    assert set(result.layers) == {"first", "second", "shared", "tf_net_invoke", "net_run"}
    assert result.cycles == sum(layer.cycles for layer in result.layers.values())
    assert result.cycles == sum(result.kernels.values())
    assert set(result.layers["first"].kernels) == {"first", "deeper", "shared"}


def test_m7_the_pessimistic_figure_counts_simd_and_products_apart(tmp_path: Path) -> None:
    source = """
    __attribute__((naked, noinline)) void kernel(void);
    void kernel(void) {
      __asm("movs r3, #50\\n 1: .rept 16\\n sxtb16 r0, r1\\n smlad r12, r1, r2, r12\\n .endr\\n"
            "subs r3, #1\\n bne 1b\\n bx lr");
    }
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      kernel(); (void)arena; (void)in; out[0] = 2;
    }"""
    result = run(source, "stm32h7", tmp_path, profile=True)
    kernel = result.layers["kernel"]
    # 16 pairs and the decrement a round; where they cannot be pairs, 32 and the decrement beside.
    assert 50 * 17 <= kernel.cycles <= 50 * 18 + 10
    assert 50 * 32 <= (kernel.cycles_pessimistic or 0) <= 50 * 32 + 10
    assert result.cycles_pessimistic is not None and result.cycles is not None
    assert result.cycles_pessimistic > result.cycles


def test_memcpy_counts_for_its_layer(tmp_path: Path) -> None:
    source = """
    void *memcpy(void *, const void *, size_t);
    LAYER void copy(const int8_t *in, int8_t *out, size_t n);
    void copy(const int8_t *in, int8_t *out, size_t n) { memcpy(out, in, n); out[0] = 1; }
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      copy(in, out, (size_t)(in[0] & 7)); (void)arena; out[1] = 2;
    }"""
    result = run(source, "stm32l4", tmp_path, profile=True)
    assert set(result.layers) == {"copy", "tf_net_invoke", "net_run"}
    assert set(result.layers["copy"].kernels) == {"copy", "memcpy"}


# A kernel of inline assembly with a loop of 4 rounds and its counter in the FPU:
# PUSH 1 + 9, MOV 1, VMOV 1; a round LDR 2, LDR 1, 8 others, and 2 for each of 3 taken branches;
# POP 1 + 9 and the return 2.
KERNEL = """
__attribute__((naked, noinline)) void kernel(const int8_t *in);
void kernel(const int8_t *in) {
  __asm("push {r4-r11, lr}\\n mov r12, #4\\n vmov s0, r12\\n"
        "1: ldr r2, [r0]\\n ldr r3, [r0, #4]\\n sxtb16 r5, r2\\n sxtb16 r6, r2, ror #8\\n"
        "smlad r8, r5, r3, r8\\n smlad r9, r6, r3, r9\\n vmov r7, s0\\n subs r7, #1\\n"
        "vmov s0, r7\\n bne 1b\\n pop {r4-r11, pc}");
}
void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
  kernel(in); (void)arena; out[0] = 1;
}
"""


def test_m4_a_kernel_of_inline_assembly(tmp_path: Path) -> None:
    result = run(KERNEL, "stm32l4", tmp_path, profile=True)
    assert result.kernels["kernel"] == 10 + 2 + 4 * 11 + 3 * 2 + 12


def test_m7_a_kernel_of_inline_assembly(tmp_path: Path) -> None:
    kernel = run(KERNEL, "stm32h7", tmp_path, profile=True).layers["kernel"]
    # The counter goes through the FPU and back in a round, which takes 3 + 1 + 3 cycles.
    assert 4 * 7 <= kernel.cycles <= (kernel.cycles_pessimistic or 0) <= 4 * 15 + 25


def test_m4_the_last_return_counts(tmp_path: Path) -> None:
    source = """
    __attribute__((naked)) void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      __asm("movs r0, #1\\n bx lr");
    }"""
    result = run(source, "stm32l4", tmp_path, profile=True)
    # MOVS 1, BX 1 + 2. net_run gets the arena's address (MOVW, MOVT) and branches (1 + 2).
    assert result.kernels == {"net_run": 5, "tf_net_invoke": 4}


def test_m7_cycles_by_symbol(tmp_path: Path) -> None:
    result = run(SPIN, "stm32h7", tmp_path, profile=True)
    # One decrement an iteration, with the predicted branch beside it, and a few cycles around.
    assert 2 * 100 <= result.kernels["spin"] <= 2 * 105
    assert result.cycles == sum(result.kernels.values())
    assert result.timing_model == "llvm-mca cortex-m7 per basic block, no cache misses"


@pytest.mark.parametrize("chip", CHIPS)
def test_instructions_are_those_that_unicorn_executes(chip: str, tmp_path: Path) -> None:
    from unicorn import UC_HOOK_CODE

    session = CortexMSession(build(LINEAR_NETWORK, chip, tmp_path), get_target(chip))
    counted = session.run([random_input(0)], profile=True).instructions
    executed = 0

    def count(*_: object) -> None:
        nonlocal executed
        executed += 1

    session._engine.ctl_flush_tb()
    session._engine.hook_add(UC_HOOK_CODE, count)
    session.run([random_input(0)])
    assert counted == executed > 300


def test_profiling_changes_nothing_and_forgets_earlier_runs(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    session = open_session(image, get_target("stm32l4"))
    plain = session.run([random_input(3)])
    first = session.run([random_input(3)], profile=True)
    second = session.run([random_input(3)], profile=True)
    assert plain.cycles is None
    assert plain.kernels == {}
    assert first.outputs[0].tolist() == plain.outputs[0].tolist()
    assert first.instructions == plain.instructions
    assert first.stack_bytes == plain.stack_bytes
    assert first.cycles == second.cycles


@pytest.mark.parametrize("chip", CHIPS)
def test_the_stack_is_measured(chip: str, tmp_path: Path) -> None:
    used = []
    for size in (16, 1040):
        source = f"""
        LAYER void deep(const int8_t *in, int8_t *out);
        void deep(const int8_t *in, int8_t *out) {{
          volatile int8_t buffer[{size}];
          buffer[in[0] & 7] = 1;
          out[0] = buffer[in[1] & 7];
        }}
        void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {{
          (void)arena; deep(in, out); out[1] = 1;
        }}"""
        used.append(run(source, chip, tmp_path).stack_bytes or 0)
    assert 16 <= used[0] < 150
    assert used[1] - used[0] == pytest.approx(1024, abs=16)


def test_wrong_inputs_are_refused(tmp_path: Path) -> None:
    session = open_session(build(LINEAR_NETWORK, "stm32l4", tmp_path), get_target("stm32l4"))
    with pytest.raises(SimulationError, match="has 1 inputs but 2 were given"):
        session.run([random_input(0), random_input(1)])
    with pytest.raises(SimulationError, match=r"'x' wants \[16\] int8.* got \[15\] int8"):
        session.run([random_input(0, 15)])
    with pytest.raises(SimulationError, match=r"got \[16\] float64; quantise it first"):
        session.run([np.zeros(16)])  # type: ignore[list-item]


def test_a_firmware_for_another_chip_is_refused(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "stm32l4", tmp_path)
    with pytest.raises(SimulationError, match=r"net.elf was built for stm32l4, not for stm32h7"):
        open_session(image, get_target("stm32h7"))
