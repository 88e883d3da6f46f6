# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running functions in MLIR on core 0 of the simulated cluster: words in, words out."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tinyformer import _pulp
from tinyformer.compiler import run_pipeline
from tinyformer.firmware.cluster import CLUSTER_CORE, ClusterLayout, link_cluster_program
from tinyformer.firmware.runtime_files import runtime_dir
from tinyformer.mlir import ir
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.simulators.pulp import ClusterOptions, ClusterProgram, ClusterRun
from tinyformer.toolchain import compile_object

Words = npt.NDArray[np.int32]


def compile_functions(text: str, directory: Path) -> Path:
    """The object file of a module of functions between words."""
    with ir.Context():
        module = ir.Module.parse(text)
        module.operation.attributes["dlti.dl_spec"] = ir.Attribute.parse(
            "#dlti.dl_spec<index = 32 : i32>"
        )
        # First, so that instructions without a use stay where they are.
        run_pipeline(module, "convert-xpulp-to-llvm", "the snippet")
        run_pipeline(module, "tinyformer-llvm", "the snippet")
        llvm_ir = _tinyformer.translate_to_llvmir(module.operation)
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / "snippet.ll"
    source.write_text(llvm_ir, "utf-8")
    return compile_object(source, directory / "snippet.o", CLUSTER_CORE)


def run_on_cluster(text: str, inputs: Words, output_words: int, directory: Path) -> list[Words]:
    """What each function of `text` writes to its second argument, given `inputs` as its first."""
    names = re.findall(r"func\.func @(\w+)", text)
    return _run(text, names, inputs, output_words, directory, None)[0]


def measure_on_cluster(
    text: str, name: str, inputs: Words, output_words: int, directory: Path
) -> tuple[Words, ClusterRun]:
    """The same of the function `name`, with what the simulator counted between entry and return."""
    results, finished = _run(text, [name], inputs, output_words, directory, name)
    return results[0], finished


def _run(
    text: str,
    names: Sequence[str],
    inputs: Words,
    output_words: int,
    directory: Path,
    measured: str | None,
) -> tuple[list[Words], ClusterRun]:
    snippet = compile_functions(text, directory)
    main = directory / "main.c"
    lines = ['#include "tf_cluster.h"']
    lines += [f"void {name}(uint32_t, uint32_t);" for name in names]
    lines += [
        f'__attribute__((section(".noinit"))) uint32_t input[{inputs.size}];',
        f'__attribute__((section(".noinit"))) uint32_t output[{output_words * len(names)}];',
        "int main(void) {",
    ]
    # The functions see L1, where a word is one cycle away.
    lines.insert(1, f"TF_L1_ZERO static uint32_t in[{inputs.size}], out[{output_words}];")
    lines.append(f"  for (int i = 0; i < {inputs.size}; ++i) in[i] = input[i];")
    for number, name in enumerate(names):
        lines.append(f"  {name}((uint32_t)in, (uint32_t)out);")
        place = f"output[{output_words * number} + i]"
        lines.append(f"  for (int i = 0; i < {output_words}; ++i) {place} = out[i];")
    main.write_text("\n".join([*lines, "  return 0;\n}\n"]), "utf-8")
    flags = (f"-I{runtime_dir() / 'pulp'}",)
    objects = [compile_object(main, directory / "main.o", CLUSTER_CORE, flags), snippet]
    elf = link_cluster_program(objects, directory / "program.elf", ClusterLayout(cores=1))
    options = ClusterOptions(cores=1, instruction_cache=False, cycle_limit=200_000_000)
    program = ClusterProgram(elf, options, measure=measured)
    size = 4 * output_words * len(names)
    finished = program.run({"input": inputs.tobytes()}, {"output": size})
    assert finished.exit_code == 0
    words = np.frombuffer(finished.memory["output"], np.int32).reshape(len(names), -1)
    return list(words), finished


def disassemble(path: Path) -> list[str]:
    """The instructions of all code in an object file."""
    elf = path.read_bytes()
    (table,) = struct.unpack_from("<I", elf, 32)
    (count,) = struct.unpack_from("<H", elf, 48)
    lines = []
    for section in range(count):
        _, kind, flags, _, at, size, *_ = struct.unpack_from("<10I", elf, table + 40 * section)
        if kind != 1 or not flags & 4:
            continue
        end = at + size
        while at < end:
            (word,) = struct.unpack_from("<I", elf + b"\0\0", at)
            compressed = word & 3 != 3
            lines.append(_pulp.disassemble(word & 0xFFFF if compressed else word))
            at += 2 if compressed else 4
    return lines
