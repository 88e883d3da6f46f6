# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C programs with the runtime on the simulated cluster, the Python front end, and the command."""

from __future__ import annotations

import itertools
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import CliResult
from tinyformer.errors import SimulationError, ToolchainError
from tinyformer.firmware import FirmwareImage, NetworkInterface
from tinyformer.firmware.cluster import CLUSTER_CORE, ClusterLayout, link_cluster_program
from tinyformer.firmware.interface import TensorInterface
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.simulators.pulp import ClusterOptions, ClusterProgram, ClusterRun, PulpSession
from tinyformer.toolchain import compile_object

SOURCE = Path(__file__).parent / "pulp" / "programs.c"
SORT, MATRIX, CRC, DIVISION, DMA, RING, LAYERS, RECURSION = range(1, 9)
INPUT = random.Random(5).randbytes(4096)

Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles and links a program of programs.c."""

    def make(number: int, layout: ClusterLayout | None = None, *defines: str) -> Path:
        directory = tmp_path_factory.mktemp("program")
        flags = (f"-I{runtime_dir() / 'pulp'}", f"-DPROGRAM={number}", *defines)
        main = compile_object(SOURCE, directory / "main.o", CLUSTER_CORE, flags)
        return link_cluster_program([main], directory / "program.elf", layout)

    return make


def run(path: Path, options: ClusterOptions | None = None, **functions: str) -> ClusterRun:
    program = ClusterProgram(path, options, **functions)
    return program.run({"input": INPUT}, {"output": 4096})


def words(finished: ClusterRun, count: int, code: str = "I") -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}{code}", finished.memory["output"])


def test_sorting(build: Build) -> None:
    finished = run(build(SORT))
    assert list(words(finished, 256, "i")) == sorted(struct.unpack("<256i", INPUT[:1024]))


def test_a_matrix_product(build: Build) -> None:
    finished = run(build(MATRIX))
    a, b = np.frombuffer(INPUT[:512], np.int8).astype(int).reshape(2, 16, 16)
    assert np.array_equal(np.array(words(finished, 256, "i")).reshape(16, 16), a @ b)


def test_a_checksum(build: Build) -> None:
    assert words(run(build(CRC)), 1) == (zlib.crc32(INPUT),)


def test_division(build: Build) -> None:
    got = words(run(build(DIVISION)), 63 * 4)
    values = struct.unpack("<64I", INPUT[:256])
    for i, (u, v) in enumerate(itertools.pairwise(values)):
        x = u - (1 << 32) if u >> 31 else u
        y = v >> (i & 31) | 1
        y = y - (1 << 32) if y >> 31 else y
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        wanted = (quotient, u % v, x * y >> 32, u * v >> 32)
        assert got[4 * i : 4 * i + 4] == tuple(w & 0xFFFFFFFF for w in wanted)


@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_cores_copy_by_dma(build: Build, cores: int) -> None:
    layout = ClusterLayout(cores=cores, l1_bytes=64 * 1024)
    finished = run(build(DMA, layout), ClusterOptions(chip="pulp-open", cores=cores))
    wanted = bytes((byte + i * cores // 4096) % 256 for i, byte in enumerate(INPUT))
    assert finished.memory["output"] == wanted
    assert finished.core(0)["events"]["dma_wait_cycles"] > 0


@pytest.mark.parametrize("cores", [2, 3, 5, 8])
def test_cores_exchange_behind_barriers(build: Build, cores: int) -> None:
    finished = run(build(RING, ClusterLayout(cores=cores)), ClusterOptions(cores=cores))
    ring = [core + 1 for core in range(cores)]
    for _ in range(12):
        ring = [ring[i] + 3 * ring[(i + 1) % cores] & 0xFFFFFFFF for i in range(cores)]
    assert list(words(finished, cores)) == ring
    assert finished.output == f"cores {cores}, lowest -2147483648\n"


def test_a_race_is_reported_with_both_functions(build: Build) -> None:
    with pytest.raises(SimulationError, match=r"core \d at turn\+.*race: .*core \d .* at turn\+"):
        run(build(RING, None, "-DRACE"))


def test_one_program_gives_the_same_bits_on_every_cluster(build: Build) -> None:
    path = build(DMA)
    options = [
        ClusterOptions(),
        ClusterOptions(instruction_cache=False),
        ClusterOptions(contention=False),
        ClusterOptions(l1_bytes=512 * 1024),
    ]
    runs = [run(path, each) for each in options]
    assert len({finished.memory["output"] for finished in runs}) == 1
    assert runs[1].cycles < runs[0].cycles


def test_recursion_overflows_the_stack(build: Build) -> None:
    with pytest.raises(SimulationError, match=r"core 0 at dig\+.*stack overflow: sp is 0x"):
        run(build(RECURSION))


def test_functions_and_layers(build: Build) -> None:
    finished = run(build(LAYERS), measure="net_run", layers_of="tf_net_invoke")
    core = finished.core(0)
    functions, layers = core["functions"], core["layers"]
    assert set(functions) == {
        "net_run", "tf_net_invoke", "layer_first", "layer_second", "helper"
    }  # fmt: skip
    assert set(layers) == {"layer_first", "layer_second", ""}
    assert layers["layer_first"] == {"layer_first": functions["layer_first"]}
    assert layers["layer_second"] == {name: functions[name] for name in ("layer_second", "helper")}
    assert layers[""] == {name: functions[name] for name in ("net_run", "tf_net_invoke")}
    assert sum(functions.values()) == finished.cycles


def network_image(path: Path) -> FirmwareImage:
    tensors = (TensorInterface("x", (2, 3), 6, 0.5, 0),)
    interface = NetworkInterface("net", tensors, tensors, {})
    return FirmwareImage(path, interface, "gap9", path.with_suffix(".h"), 0, 0, 0, {})


def test_a_network_runs_again_and_again(build: Build) -> None:
    session = PulpSession(network_image(build(LAYERS)))
    for seed in range(3):
        values = np.random.default_rng(seed).integers(-128, 127, (2, 3), np.int8)
        result = session.run([values], profile=True)
        assert np.array_equal(result.outputs[0], values + 1)
        assert result.cycles == sum(result.kernels.values())
        assert next(iter(result.layers)) == "layer_second"
        assert set(result.layers["layer_second"].kernels) == {"layer_second", "helper"}
        assert "tf_net_invoke" in result.kernels
        assert result.cycles == sum(layer.cycles for layer in result.layers.values())
        assert result.stack_bytes is not None and 0 < result.stack_bytes < 256
        assert result.timing_model is not None and "RI5CY" in result.timing_model
    assert session.check_alignment([values]) == {}
    with pytest.raises(SimulationError, match="has 1 inputs but 2 were given"):
        session.run([values, values])


def test_measuring_what_is_not_there(build: Build, tmp_path: Path) -> None:
    path = build(CRC)
    with pytest.raises(SimulationError, match="no function 'nothing' to measure"):
        ClusterProgram(path, measure="nothing")
    with pytest.raises(SimulationError, match="no function 'nothing' to count layers of"):
        ClusterProgram(path, layers_of="nothing")
    with pytest.raises(SimulationError, match="'tf_exit' was not called and left"):
        ClusterProgram(path, measure="tf_exit").run()
    with pytest.raises(SimulationError, match="no symbol 'nothing'"):
        ClusterProgram(path).write("nothing", b"")
    with pytest.raises(SimulationError, match=r"cannot read .*missing.elf: No such file"):
        ClusterProgram(tmp_path / "missing.elf")


@pytest.mark.parametrize(
    ("layout", "message"),
    [({"cores": 9}, "1 to 8 cores, not 9"), ({"stack_bytes": 100}, "must be a multiple of 16")],
)
def test_impossible_layouts(layout: dict[str, int], message: str) -> None:
    with pytest.raises(ToolchainError, match=message):
        ClusterLayout(**layout)


def test_the_command_prints_json(build: Build, cli: Callable[..., CliResult]) -> None:
    result = cli("simulate", build(RING), "--json", "--measure", "turn", "--l1", 256)
    report = json.loads(result.out)
    assert (result.code, report["exit_code"], report["target"]) == (0, 0, "gap9")
    assert report["output"] == "cores 8, lowest -2147483648\n"
    assert report["l1_bytes"] == 256 * 1024
    assert [core["name"] for core in report["cores"]][0::8] == ["core 0", "the fabric controller"]
    assert report["cores"][0]["events"]["event_loads"] == 12
    assert "RI5CY" in report["timing_model"]


def test_the_command_prints_tables(build: Build, cli: Callable[..., CliResult]) -> None:
    result = cli("simulate", build(LAYERS), "--layers-of", "tf_net_invoke", "--cores", 8)
    assert result.out.startswith("cores 8, lowest -2147483648\n")
    assert "layer layer_second" in result.out
    assert "function helper" in result.out


def test_the_command_traces(build: Build, cli: Callable[..., CliResult]) -> None:
    result = cli("simulate", build(LAYERS), "--trace")
    assert "0  net_run+0x0 (0x1c01" in result.out
    assert " fc _start+0x0 (0x1c010000): auipc t0, 0x" in result.out


def test_the_command_explains_what_went_wrong(build: Build, cli: Callable[..., CliResult]) -> None:
    result = cli("simulate", build(RECURSION))
    assert result.code == 2
    assert "error: core 0 at dig+" in result.err
    result = cli("simulate", build(CRC), "--cores", 4)
    assert "starts core 4, but the cluster has 4" in result.err
    result = cli("simulate", SOURCE)
    assert "error: programs.c: this is not an ELF file" in result.err
