# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small networks in C, turned into LLVM IR, in place of the compiler's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tinyformer.firmware import (
    FirmwareImage,
    NetworkInterface,
    TensorInterface,
    build_firmware,
)
from tinyformer.simulators import RunResult, open_session
from tinyformer.targets import Target, get_target
from tinyformer.toolchain import compile_to_ir

Int8Array = npt.NDArray[np.int8]

PRELUDE = """
#include <stdint.h>
#include <stddef.h>
#define LAYER __attribute__((noinline))
void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena);
"""

# Two linear layers with a ReLU, weights made by a rule that numpy can follow.
LINEAR_NETWORK = """
#define W(i) (int8_t)((i) * 37 % 255 - 127)
#define W8(i) W(i), W(i + 1), W(i + 2), W(i + 3), W(i + 4), W(i + 5), W(i + 6), W(i + 7)
#define W64(i) W8(i), W8(i + 8), W8(i + 16), W8(i + 24), W8(i + 32), W8(i + 40), W8(i + 48), \\
               W8(i + 56)
static const int8_t weights[256] = {W64(0), W64(64), W64(128), W64(192)};

LAYER void linear_hidden(const int8_t *restrict x, int8_t *restrict y);
LAYER void linear_hidden(const int8_t *restrict x, int8_t *restrict y) {
  for (int n = 0; n < 16; n++) {
    int32_t sum = 64;
    for (int k = 0; k < 16; k++)
      sum += x[k] * weights[n * 16 + k];
    int32_t q = sum >> 7;
    y[n] = (int8_t)(q < 0 ? 0 : q > 127 ? 127 : q);
  }
}

LAYER void linear_out(const int8_t *restrict x, int8_t *restrict y);
LAYER void linear_out(const int8_t *restrict x, int8_t *restrict y) {
  for (int n = 0; n < 8; n++) {
    int32_t sum = 64;
    for (int k = 0; k < 16; k++)
      sum += x[k] * weights[255 - (n * 16 + k)];
    int32_t q = sum >> 7;
    y[n] = (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
  }
}

void tf_net_invoke(const int8_t *in, int8_t *out, uint8_t *arena) {
  linear_hidden(in, (int8_t *)arena);
  linear_out((const int8_t *)arena, out);
}
"""


def linear_reference(x: Int8Array) -> Int8Array:
    """LINEAR_NETWORK in numpy."""
    weights = np.arange(256, dtype=np.int64) * 37 % 255 - 127
    hidden = (weights.reshape(16, 16) @ x.reshape(16).astype(np.int64) + 64) >> 7
    hidden = np.clip(hidden, 0, 127)
    output = (weights[::-1][:128].reshape(8, 16) @ hidden + 64) >> 7
    clamped: Int8Array = np.clip(output, -128, 127).astype(np.int8)
    return clamped


def tensor(name: str, *shape: int) -> TensorInterface:
    """A tensor of the shape with some scale and zero point."""
    return TensorInterface(name, shape, int(np.prod(shape)), 0.0125, -3)


def interface(target: Target, inputs: int = 16, outputs: int = 8) -> NetworkInterface:
    """One input, one output, and an arena of 256 bytes in the preferred memory."""
    arenas = {target.arena_memories[0]: 256}
    return NetworkInterface("net", (tensor("x", inputs),), (tensor("y", outputs),), arenas)


def to_ir(source: str, target: Target, directory: Path) -> str:
    """C to LLVM IR, with a file name that depends on the contents only."""
    text = PRELUDE + source
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = directory / f"{name}.c"
    path.write_text(text)
    return compile_to_ir(path, directory / f"{name}.{target.name}.ll", target.core).read_text()


def build(
    source: str, target_name: str, directory: Path, net: NetworkInterface | None = None
) -> FirmwareImage:
    """Builds C that defines tf_net_invoke for the target."""
    target = get_target(target_name)
    ir = to_ir(source, target, directory)
    return build_firmware(net or interface(target), ir, target, directory / target_name)


def random_input(seed: int, size: int = 16) -> Int8Array:
    """Reproducible int8 numbers over the full range."""
    return np.random.default_rng(seed).integers(-128, 128, size).astype(np.int8)


def run(
    source: str,
    chip: str,
    directory: Path,
    *,
    profile: bool = False,
    limit: int | None = None,
    seed: int = 0,
) -> RunResult:
    """Builds a network and runs it once on random input."""
    image = build(source, chip, directory)
    session = open_session(image, get_target(chip), instruction_limit=limit)
    return session.run([random_input(seed)], profile=profile)
