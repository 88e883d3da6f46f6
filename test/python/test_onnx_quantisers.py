# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files of Brevitas, NNCF and PyTorch's PT2E are compiled with the scales that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODELS
from quantised_models import run_onnxruntime, samples_of
from test_onnx_quantised import BOARDS, FLOOR_DB, compiled, integers, outputs_of
from tinyformer import driver
from tinyformer.compiler import Compilation, CompilerError
from tinyformer.quantization import signal_to_noise_db
from tinyformer.reference import Interpreter
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

# Whether the file says all ranges, so that no samples are needed.
FILES = {
    "quantised_brevitas": True,
    "quantised_nncf_plain": False,
    "quantised_nncf_transformer": False,
    "quantised_pt2e": False,
}


def started(name: str, samples: list[dict[str, Any]], folder: Path, target: str) -> Compilation:
    path = MODELS / f"{name}.onnx"
    if FILES[name]:
        return compiled(path, target)
    (key,) = samples[0]
    np.savez(folder / "samples.npz", **{key: np.stack([sample[key] for sample in samples])})
    return driver.load(path, folder / "samples.npz").start(get_target(target))


@pytest.mark.parametrize("name", FILES)
def test_is_as_close_to_onnxruntime_as_wanted(name: str, tmp_path: Path) -> None:
    path = MODELS / f"{name}.onnx"
    compilation = started(name, samples_of(path, 16, seed=0), tmp_path, "host")
    samples = samples_of(path, 8, seed=1)
    ours, theirs = outputs_of(compilation, samples), run_onnxruntime(path, samples)
    assert signal_to_noise_db(theirs, ours) >= FLOOR_DB


@pytest.mark.parametrize("target", BOARDS)
@pytest.mark.parametrize("name", ["quantised_brevitas", "quantised_nncf_transformer"])
def test_same_bits_on_boards(name: str, target: str, tmp_path: Path) -> None:
    samples = samples_of(MODELS / f"{name}.onnx", 2, seed=1)
    compilation = started(name, samples, tmp_path, target)
    image = compilation.build(tmp_path / "build")
    assert compilation.quantized is not None
    session, reference = open_session(image, compilation.target), Interpreter(compilation.quantized)
    for sample in samples:
        inputs = integers(compilation, sample)
        np.testing.assert_array_equal(session.run(inputs).outputs[0], reference.run(inputs)[0])


@pytest.mark.parametrize("name", [name for name, complete in FILES.items() if not complete])
def test_what_the_file_does_not_say_is_asked_for(name: str) -> None:
    with pytest.raises(CompilerError, match="calibrate with samples, --calibration FILE"):
        compiled(MODELS / f"{name}.onnx").run_to("quantize")
