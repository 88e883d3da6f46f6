# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The example firmware is built as its README says, and run."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import DIGITS, ROOT
from tinyformer import driver, package
from tinyformer.firmware import runtime_dir
from tinyformer.firmware.cluster import ClusterLayout, write_cluster_script
from tinyformer.options import CompileOptions
from tinyformer.quantization import quantize
from tinyformer.reference import Interpreter
from tinyformer.simulators.program import load_program
from tinyformer.simulators.pulp import ClusterOptions, ClusterProgram
from tinyformer.targets import Target, get_target
from tinyformer.toolchain import compile_object, link_executable
from tinyformer.toolchain.process import zig_command

pytestmark = pytest.mark.slow

FIRMWARE = ROOT / "examples" / "firmware"
Int8Array = npt.NDArray[np.int8]
STAND_INS = ROOT / "test" / "python" / "pmsis"
IMAGE = 3


def compile_digits(target: str, folder: Path) -> tuple[Interpreter, Int8Array]:
    """Writes the folder of the network; its reference, and the image as it wants it."""
    model = driver.load(DIGITS / "digits.onnx", DIGITS / "calibration.npz")
    compilation = model.start(get_target(target), CompileOptions())
    package.write(compilation, folder)
    (tensor,) = compilation.input_tensors
    with np.load(DIGITS / "test.npz") as data:
        x, label = data["input"][IMAGE], int(data["labels"][IMAGE])
    assert compilation.quantized is not None
    reference, pixels = Interpreter(compilation.quantized), quantize(x, tensor)
    assert int(reference.run([pixels])[0].argmax()) == label == 7
    return reference, pixels


def tool(name: str) -> str:
    """A program of this environment, or of the system."""
    scripts = Path(sysconfig.get_path("scripts")) / name
    found = str(scripts) if scripts.is_file() else shutil.which(name)
    assert found is not None, f"{name} is a build requirement"
    return found


class Board:
    """A program on an emulated Cortex-M4 with the chip's memories and nothing else."""

    def __init__(self, elf: Path, target: Target) -> None:
        import unicorn
        from unicorn import arm_const

        self.program = load_program(elf)
        mode = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        self.engine: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, mode, arm_const.UC_CPU_ARM_CORTEX_M4)
        for memory in target.memories:
            self.engine.mem_map(memory.base, memory.size)
            if memory.kind == "ram":
                self.engine.mem_write(memory.base, b"\xcd" * memory.size)
        self.engine.mem_map(0xE000_E000, 0x1000)
        for address, data in self.program.segments:
            self.engine.mem_write(address, data)
        vectors = self.engine.mem_read(target.memories[0].base, 8)
        self.engine.reg_write(arm_const.UC_ARM_REG_SP, int.from_bytes(vectors[:4], "little"))
        self.reset = int.from_bytes(vectors[4:], "little")

    def run(self, until: str) -> None:
        end = self.program.symbol(until).address
        self.engine.emu_start(self.reset, end, count=50_000_000)

    def read(self, symbol: str, size: int) -> bytes:
        return bytes(self.engine.mem_read(self.program.symbol(symbol).address, size))


def test_stm32(tmp_path: Path) -> None:
    reference, image = compile_digits("stm32l4", tmp_path / "network")
    build = tmp_path / "build"
    configure = [
        *(tool("cmake"), "-G", "Ninja", "-S", FIRMWARE / "stm32", "-B", build),
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-Ddigits_DIR={tmp_path / 'network'}",
        f"-DCMAKE_TOOLCHAIN_FILE={FIRMWARE / 'stm32' / 'zig.cmake'}",
        f"-DZIG={zig_command()[0]}",
    ]
    for command in (configure, [tool("cmake"), "--build", build]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    board = Board(build / "firmware.elf", get_target("stm32l4"))
    board.run(until="finished")
    pixels = np.frombuffer(board.read("pixels", image.size), np.int8).reshape(image.shape)
    # The program divides by the scale in single precision, which decides ties.
    assert np.abs(pixels.astype(int) - image).max() <= 1
    (expected,) = reference.run([pixels])
    assert board.read("logits", expected.size) == expected.tobytes()
    assert int.from_bytes(board.read("digit", 4), "little", signed=True) == 7


def test_stm32_refuses_a_network_for_another_chip(tmp_path: Path) -> None:
    (tmp_path / "digits-config.cmake").write_text('set(digits_TARGET "stm32h7")\n')
    configure = [
        *(tool("cmake"), "-G", "Ninja", "-S", FIRMWARE / "stm32", "-B", tmp_path / "build"),
        f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
        f"-Ddigits_DIR={tmp_path}",
        f"-DCMAKE_TOOLCHAIN_FILE={FIRMWARE / 'stm32' / 'zig.cmake'}",
        f"-DZIG={zig_command()[0]}",
    ]
    done = subprocess.run(configure, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "digits was compiled for stm32h7; this board wants stm32l4" in done.stderr


# Functions that the application brings, and the simulator's runtime has, too.
SHARED = (
    *("tf_core_id", "tf_cluster_fork", "tf_barrier"),
    *("tf_dma_to_l1", "tf_dma_to_l2", "tf_dma_wait"),
)


def build_application(main: Path, folder: Path, includes: list[Path], archives: list[Path]) -> Path:
    """Links a PMSIS application with the stand-ins on top of the simulator's runtime."""
    folder.mkdir(exist_ok=True)
    paths = [f"-I{path}" for path in (STAND_INS, *includes)]
    renamed = [f"-D{name}=sim{name.removeprefix('tf')}" for name in SHARED]
    runtime, common = runtime_dir() / "pulp", runtime_dir() / "common"
    parts = [
        (runtime / "start.s", renamed),
        *((runtime / f"{name}.c", renamed) for name in ("cluster", "console", "divide")),
        (common / "divide.c", []),
        (common / "memory.c", ["-fno-builtin"]),
        (STAND_INS / "pmsis.c", []),
        (main, ["-Wno-missing-prototypes", *paths]),
    ]
    objects = []
    for number, (source, flags) in enumerate(parts):
        output = folder / f"{number}.o"
        objects.append(compile_object(source, output, "ri5cy", flags))
    script = write_cluster_script(ClusterLayout(), folder / "cluster.ld")
    elf = folder / "application.elf"
    link_executable([*objects, *archives], script, elf, "ri5cy")
    return elf


def test_gap9(tmp_path: Path) -> None:
    network = tmp_path / "network"
    reference, image = compile_digits("gap9", network)
    (logits,) = reference.run([image])
    expected = logits.tobytes()
    elf = build_application(
        FIRMWARE / "gap9" / "main.c",
        tmp_path / "build",
        [network, FIRMWARE],
        [network / "libdigits.a"],
    )
    finished = ClusterProgram(elf, ClusterOptions()).run(outputs={"logits": len(expected)})
    assert finished.exit_code == 0
    assert finished.output == "this is a 7\n"
    assert finished.memory["logits"] == expected


TRANSFERS = """
#include "tf_pmsis.h"

#define BYTES 40000
static uint8_t from[BYTES + 64];
uint8_t back[BYTES + 64];
static PI_L1 uint8_t local[BYTES + 64];

// More than there are commands, none waited for; then one that is split.
static void work(void *arguments) {
  (void)arguments;
  tf_barrier();
  if (tf_core_id() != 0)
    return;
  uint32_t numbers[20];
  for (int i = 0; i < 20; ++i)
    numbers[i] = tf_dma_to_l1(local + 20 * i, from + 20 * i, 20);
  for (int i = 0; i < 20; ++i)
    tf_dma_wait(numbers[i]);
  tf_dma_wait(tf_dma_to_l1(local + 400, from + 400, BYTES - 400));
  tf_dma_wait(tf_dma_to_l2(back, local, BYTES));
  tf_dma_wait(tf_dma_to_l2(back, local, 0));
}

int main(void) {
  for (int i = 0; i < BYTES; ++i)
    from[i] = (uint8_t)(i * 7 + (i >> 8));
  tf_cluster_fork(8, work, 0);
  for (int i = 0; i < BYTES; ++i)
    if (back[i] != from[i])
      return 1;
  return 0;
}
"""


def test_transfers_of_pmsis(tmp_path: Path) -> None:
    main = tmp_path / "main.c"
    main.write_text(TRANSFERS)
    elf = build_application(main, tmp_path / "build", [runtime_dir() / "pulp"], [])
    assert ClusterProgram(elf, ClusterOptions()).run().exit_code == 0
