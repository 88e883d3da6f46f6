# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks on a PULP cluster: where everything lies, what does not fit, and the options."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cluster_device import disassemble
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timing.elf import sections, symbols
from timing.networks import LINEAR_NETWORK, build, interface, linear_reference, random_input, to_ir
from tinyformer import package
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer
from tinyformer.bench.measure import Measurement, measure
from tinyformer.compiler import Compilation
from tinyformer.driver import clone
from tinyformer.errors import DoesNotFitError, SimulationError
from tinyformer.firmware import NetworkInterface, TensorInterface, build_firmware
from tinyformer.options import CompileOptions, OptionError
from tinyformer.reference import Interpreter
from tinyformer.simulators import SimulatorOptions, open_session
from tinyformer.targets import get_target

CHIPS = ("gap9", "pulp-open")
L1, L2, L2_END = 0x10000000, 0x1C010000, 0x1C190000


@pytest.mark.parametrize("chip", CHIPS)
def test_everything_lies_where_the_chip_has_it(chip: str, tmp_path: Path) -> None:
    target = get_target(chip)
    image = build(LINEAR_NETWORK, chip, tmp_path)
    found, names = sections(image.path), symbols(image.path)
    assert found[".text"].address == L2
    assert L2 < found[".rodata"].address < L2_END
    assert L2 < names["tf_input_0"] < names["tf_output_0"] < L2_END
    assert names["tf_cluster_stacks"] == L1
    stacks_end = L1 + 8 * target.stack_bytes
    assert stacks_end <= names["arena_l1"] < stacks_end + target.runtime_bytes
    assert found[".arena.l1"].kind == found[".noinit"].kind == "SHT_NOBITS"
    assert (names["tf_cores"], image.cores) == (8, 8)


def test_sizes_are_those_of_the_sections(tmp_path: Path) -> None:
    image = build(LINEAR_NETWORK, "gap9", tmp_path)
    found = sections(image.path)
    assert image.code_bytes == found[".text"].size > 300
    assert image.weight_bytes == found[".rodata"].size == 256
    # What simulators say to the program: how often to run, what to print.
    data = found[".data"].size
    assert 4 <= data <= 128
    assert image.flash_bytes == image.code_bytes + image.weight_bytes + data
    # Code and weights lie in RAM.
    assert image.ram_bytes["l2"] == image.flash_bytes + found[".noinit"].size
    stacks = 8 * get_target("gap9").stack_bytes
    assert stacks + 256 <= image.ram_bytes["l1"] <= stacks + 256 + 64
    assert set(image.ram_bytes) == {"l1", "l2"}


@pytest.mark.parametrize("chip", CHIPS)
def test_a_network_in_c(chip: str, tmp_path: Path) -> None:
    session = open_session(build(LINEAR_NETWORK, chip, tmp_path), get_target(chip))
    for seed in range(3):
        result = session.run([random_input(seed)], profile=True)
        assert np.array_equal(result.outputs[0], linear_reference(random_input(seed)))
        assert set(result.layers) == {"linear_hidden", "linear_out", "net_run", "tf_net_invoke"}
        assert result.stack_bytes is not None and 16 <= result.stack_bytes <= 256
        assert (result.instruction_cache, result.contention) == (True, True)
    assert session.check_alignment([random_input(0)]) == {}


def test_only_the_network_saves_registers(tmp_path: Path) -> None:
    """Its kernels take them all, and none is inlined."""
    layer = layers.attention(8, 16, 8, 2, 0)
    target = get_target("gap9")
    compilation = Compilation(clone(layer.module), "net", layer.samples, ["output"], target)
    image = compilation.build(tmp_path)
    assert sum(name.startswith("tf_product_") for name in symbols(image.path)) >= 4
    assert sum(line.startswith("sw s11,") for line in disassemble(image.path)) == 1


def test_64_bit_division(tmp_path: Path) -> None:
    source = """
    LAYER void divide(const int64_t *in, int64_t *out);
    LAYER void divide(const int64_t *in, int64_t *out) {
      out[0] = in[0] / in[1];
      out[1] = in[0] % in[1];
      out[2] = (int64_t)((uint64_t)in[0] / (uint64_t)in[1]);
      out[3] = (int64_t)((uint64_t)in[0] % (uint64_t)in[1]);
    }
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      (void)arena;
      divide((const int64_t *)in, (int64_t *)out);
    }"""
    target = get_target("gap9")
    ir = to_ir(source, target, tmp_path)
    image = build_firmware(interface(target, 16, 32), ir, target, tmp_path / "out")
    session = open_session(image, target)
    for a, b in [(10**15 + 7, -(10**5)), (-(2**62), 3), (-5, 2**40), (2**63 - 1, -1)]:
        x = np.array([a, b], np.int64).view(np.int8)
        found = session.run([x]).outputs[0].view(np.int64).tolist()
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        unsigned = divmod(a % 2**64, b % 2**64)
        assert found[:2] == [quotient, a - quotient * b]
        assert [value % 2**64 for value in found[2:]] == list(unsigned)


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    source = """
    static const int8_t big[1600000] = {1};
    void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
      out[0] = big[*(const uint16_t *)in + arena[0]];
    }"""
    words = r"code, weights, arena and data need (\d+) bytes but 'l2' of gap9 holds 1572864; use a"
    with pytest.raises(DoesNotFitError, match=words) as error:
        build(source, "gap9", tmp_path)
    found = re.search(words, str(error.value))
    assert found is not None and 1600000 < int(found.group(1)) < 1602000


def test_an_arena_beside_the_stacks_that_does_not_fit(tmp_path: Path) -> None:
    tensors = (TensorInterface("x", (16,), 16, 1.0, 0),)
    net = NetworkInterface("net", tensors, tensors, {"l1": 125000})
    words = (
        "arena needs 125000 bytes but 'l1' of gap9 holds 131072, of which the stacks of 8 cores "
        "take 8256; put this arena into 'l2', which has 1572864"
    )
    with pytest.raises(DoesNotFitError, match=words):
        build_firmware(net, "", get_target("gap9"), tmp_path)


def test_the_largest_arena_fits(tmp_path: Path) -> None:
    target = get_target("gap9")
    tensors = (TensorInterface("x", (16,), 16, 1.0, 0),), (TensorInterface("y", (8,), 8, 1.0, 0),)
    net = NetworkInterface("net", *tensors, {"l1": target.arena_capacity("l1")})
    image = build(LINEAR_NETWORK, "gap9", tmp_path, net)
    found = open_session(image, target).run([random_input(1)]).outputs[0]
    assert np.array_equal(found, linear_reference(random_input(1)))


def test_the_planner_knows_the_weights() -> None:
    """In a memory with arenas, they take their share."""
    layer = layers.linear(3, 500, 40, seed=0)
    compilation = Compilation(layer.module, "net", layer.samples, ["y"], get_target("gap9"))

    def reserved() -> dict[str, int]:
        memories = re.findall(r'name = "(l\d)".*?(?:reserved = (\d+))?>', compilation.text())
        return {name: int(size or 0) for name, size in memories}

    before = reserved()
    compilation.run_to("quantize")
    after = reserved()
    assert after["l1"] == before["l1"]
    # Bytes of weights, words of biases and multipliers.
    assert after["l2"] == before["l2"] + 500 * 40 + 2 * 4 * 500


def test_an_arena_that_l1_does_not_hold(tmp_path: Path) -> None:
    """Scores of all heads at once lie in L2; what a transfer brings lies in L1."""
    layer = layers.attention(170, 8, 4, 2, seed=0)
    options = CompileOptions("never", tile="none")
    chip = get_target("pulp-open")
    assert chip.arena_capacity("l1") < 2 * 170 * 170
    compilation = Compilation(layer.module, "net", layer.samples, ["y"], chip, options)
    image = compilation.build(tmp_path)
    assert [arena.memory for arena in compilation.arenas] == ["l1", "l2"]
    assert L2 < symbols(image.path)["arena_l2"] < L2_END
    x = random_input(0, 170 * 8).reshape(170, 8)
    assert compilation.quantized is not None
    expected = Interpreter(compilation.quantized).run([x])[0]
    assert np.array_equal(open_session(image, chip).run([x]).outputs[0], expected)


def test_the_target_says_how_many_cores() -> None:
    for cores in (1, 3, 8):
        layer = layers.add(2, 3, seed=0)
        chip = get_target("gap9").with_cores(cores)
        compilation = Compilation(layer.module, "net", layer.samples, ["y"], chip)
        assert f"cores = {cores}, memories" in compilation.text()


def test_a_package_knows_its_cores(tmp_path: Path) -> None:
    layer = layers.linear(3, 4, 5, seed=0)
    chip = get_target("gap9").with_cores(3)
    image = package.write(Compilation(layer.module, "net", layer.samples, ["y"], chip), tmp_path)
    read = package.read(tmp_path).image
    assert image.cores == read.cores == 3
    inputs = [np.zeros((3, 5), np.int8)]
    outputs = [open_session(read, get_target("gap9")).run(inputs).outputs[0] for _ in range(2)]
    assert np.array_equal(*outputs)


# --- Everything in L1.


def in_l1(layer: Layer, cores: int = 1) -> Measurement:
    return measure(layer, get_target("gap9").with_cores(cores), memory="l1")


def test_everything_in_l1() -> None:
    layer = layers.linear(9, 16, 32, 0)
    near, far = in_l1(layer), measure(layer, get_target("gap9").with_cores(1))
    assert near.bit_exact and far.bit_exact
    assert near.target.l1_bytes == 512 * 1024
    data = 9 * (16 + 32) + 16 * 32
    assert near.image.ram_bytes["l1"] > data
    assert far.image.ram_bytes["l2"] > far.image.code_bytes + data
    # Beside code, what simulators say to the program.
    assert 4 <= near.image.ram_bytes["l2"] - near.image.code_bytes <= 128
    # What comes from L2 comes by DMA.
    assert far.run.dma_wait_cycles and not near.run.dma_wait_cycles


def test_l1_grows_as_far_as_it_must() -> None:
    result = in_l1(layers.linear(2, 2000, 250, 0))
    assert result.bit_exact
    assert result.target.l1_bytes == 1024 * 1024
    assert result.image.ram_bytes["l1"] > 500_000


def test_the_command_says_that_l1_grew(cli) -> None:
    options = ("bench", "linear", "--shape", "1,600,250", "--target", "gap9", "--memory", "l1")
    assert "everything but code in L1, enlarged from 128.0 KiB to 512.0 KiB" in cli(*options).out
    figures = json.loads(cli(*options, "--json").out)
    assert (figures["memory"], figures["l1_bytes"]) == ("l1", 512 * 1024)
    small = ("bench", "add", "--shape", "3,5", "--target", "gap9")
    assert "enlarged" not in cli(*small).out
    figures = json.loads(cli(*small, "--json").out)
    assert (figures["memory"], figures["l1_bytes"]) == (None, 128 * 1024)
    figures = json.loads(cli("bench", "add", "--shape", "3,5", "--target", "host", "--json").out)
    assert (figures["memory"], figures["l1_bytes"]) == (None, None)


def test_more_than_the_largest_l1() -> None:
    words = (
        r"weights with inputs and outputs need \d+ bytes but 'l1' of gap9 holds 1048576, 1088 of"
    )
    with pytest.raises(DoesNotFitError, match=words):
        in_l1(layers.linear(1, 2048, 520, 0))


def test_weights_that_do_not_fit_are_known_early() -> None:
    words = (
        r"'linear': weights with inputs and outputs need \d+ bytes but 'l2' of gap9 holds 1572864;"
    )
    with pytest.raises(DoesNotFitError, match=words):
        measure(layers.linear(1, 2048, 800, 0), get_target("gap9"))


@pytest.mark.parametrize(("chip", "memory"), [("stm32l4", "l1"), ("host", "l1"), ("gap9", "l2")])
def test_memories_that_cannot_be_asked_for(chip: str, memory: str) -> None:
    with pytest.raises(OptionError, match=f"--memory takes l1, .* got '{memory}' for {chip}"):
        measure(layers.add(2, 2, 0), get_target(chip), memory=memory)


# --- Options of the commands.


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("linear", "5,7,9"),
        ("attention", "5,8,4,3"),
        ("softmax", "3,11"),
        ("layernorm", "3,11"),
        ("lookup", "3,11"),
        ("add", "3,11"),
    ],
)
def test_benchmarks_in_l1(cli, kind: str, shape: str) -> None:
    options = ("--target", "gap9", "--cores", 1, "--memory", "l1", "--json")
    figures = json.loads(cli("bench", kind, "--shape", shape, *options).out)
    assert figures["bit_exact"] is True
    assert figures["timing_model"] == "RI5CY table, cluster in lock step"
    assert figures["instruction_cache"] is figures["contention"] is True
    assert figures["cores"] == 1
    assert figures["l1_bytes"] == 512 * 1024
    assert figures["stack_bytes"] < 512


def test_the_simulator_can_leave_things_out(cli) -> None:
    options = ("bench", "linear", "--shape", "5,7,9", "--target", "gap9", "--json")
    full = json.loads(cli(*options).out)
    bare = json.loads(cli(*options, "--no-instruction-cache", "--no-contention").out)
    assert bare["cycles"] < full["cycles"]
    assert bare["timing_model"].endswith(", no instruction cache, no contention")
    assert bare["instruction_cache"] is bare["contention"] is False
    assert full["cores"] == 8


@pytest.mark.parametrize("option", ["instruction-cache", "contention"])
def test_other_simulators_have_nothing_to_leave_out(cli, option: str) -> None:
    result = cli("bench", "add", "--shape", "2,2", "--target", "stm32l4", f"--no-{option}")
    assert result.code == 2
    assert f"leave --no-{option} out" in " ".join(result.err.split())
    with pytest.raises(SimulationError, match="wait states are modelled for"):
        SimulatorOptions(wait_states=1).check(get_target("gap9"))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([layers.softmax, layers.layernorm, layers.lookup, layers.add]),
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(0, 99),
)
@pytest.mark.slow
def test_random_rows(kind, rows: int, columns: int, seed: int) -> None:
    assert measure(kind(rows, columns, seed), get_target("gap9")).bit_exact


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 13), st.integers(1, 9), st.integers(1, 5)),
    st.sampled_from(["l1", None]),
    st.integers(0, 99),
)
@pytest.mark.slow
def test_random_attention(shape: tuple[int, int, int, int], memory: str | None, seed: int) -> None:
    assert measure(layers.attention(*shape, seed), get_target("gap9"), memory=memory).bit_exact
