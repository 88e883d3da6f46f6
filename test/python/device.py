# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running a piece of MLIR on the simulated chip: bytes in, bytes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from tinyformer.compiler import attach_target, run_pipeline
from tinyformer.firmware import NetworkInterface, TensorInterface, build_firmware
from tinyformer.mlir import ir
from tinyformer.mlir._mlir_libs import _tinyformer
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

NAME = "snippet"
SYMBOL = f"tf_{NAME}_invoke"

PORTABLE = ("func.func(convert-tinyattn-to-loops)",)
KERNELS = ("convert-tinyattn-to-armdsp", "func.func(convert-tinyattn-to-loops)")


def run_on_device(
    body: str,
    inputs: npt.NDArray[np.int8],
    output_bytes: int,
    target_name: str,
    directory: Path,
    passes: tuple[str, ...] = KERNELS,
) -> tuple[npt.NDArray[np.int8], set[str]]:
    """The output of `body`, and the functions that were executed.

    `body` is MLIR between the memrefs %input and %output of bytes.
    """
    target = get_target(target_name)
    text = f"""
      func.func @{SYMBOL}(%input: memref<{inputs.size}xi8>, %output: memref<{output_bytes}xi8>) {{
        {body}
        return
      }}"""
    with ir.Context():
        module = ir.Module.parse(text)
        attach_target(module, target)
        run_pipeline(module, ",".join(passes) + ",tinyformer-llvm", "the snippet")
        llvm_ir = _tinyformer.translate_to_llvmir(module.operation)
    interface = NetworkInterface(
        NAME,
        (TensorInterface("x", (inputs.size,), inputs.size, 1.0, 0),),
        (TensorInterface("y", (output_bytes,), output_bytes, 1.0, 0),),
        {},
    )
    image = build_firmware(interface, llvm_ir, target, directory)
    session = open_session(image, target, instruction_limit=50_000_000)
    result = session.run([inputs], profile=True)
    return result.outputs[0].reshape(-1), set(result.kernels)
