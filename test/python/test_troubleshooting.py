# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every message of docs/troubleshooting.md is one that a user gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tinyformer
from conftest import DIGITS, MODELS, ROOT
from quantised_models import FORMS, quantised
from test_onnx_helpers import model_of, saved
from tinyformer import driver, package
from tinyformer.bench import layers
from tinyformer.calibration import calibrate
from tinyformer.compiler import Compilation
from tinyformer.errors import TinyFormerError
from tinyformer.firmware import TensorInterface
from tinyformer.options import CompileOptions
from tinyformer.quantization import quantize
from tinyformer.simulators import SimulatorOptions
from tinyformer.targets import get_target
from tinyformer.toolchain import llvm_tool, process

MODEL, CALIBRATION = DIGITS / "digits.onnx", DIGITS / "calibration.npz"
PAGE = ROOT / "docs" / "troubleshooting.md"
ENTRY = re.compile(r"^### (?P<title>.+)\n\n```\n(?P<message>.+)\n```\n\n(?P<advice>.+)", re.M)

Patch = pytest.MonkeyPatch
Case = Callable[[Path, Patch], object]


def entries() -> dict[str, str]:
    """The messages of the page by their titles; … stands for what differs."""
    return {m["title"]: m["message"] for m in ENTRY.finditer(PAGE.read_text("utf-8"))}


def load(name: str) -> Case:
    return lambda folder, patch: driver.load(MODELS / f"{name}.onnx", CALIBRATION)


def with_samples(**arrays: np.ndarray) -> Case:
    def run(folder: Path, patch: Patch) -> None:
        np.savez(folder / "samples.npz", **arrays)
        model = driver.load(MODEL, folder / "samples.npz")
        calibrate(model.imported.module, model.samples)

    return run


def attention(shape: tuple[int, int, int, int], target: str, **options: object) -> Case:
    def run(folder: Path, patch: Patch) -> None:
        layer = layers.attention(*shape, seed=0)
        chosen = CompileOptions(**options)
        Compilation(layer.module, "net", layer.samples, ["y"], get_target(target), chosen).build(
            folder
        )

    return run


def linear(shape: tuple[int, int, int]) -> Case:
    def run(folder: Path, patch: Patch) -> None:
        layer = layers.linear(*shape, seed=0)
        target = get_target("stm32l4")
        Compilation(layer.module, "net", layer.samples, ["y"], target).build(folder)

    return run


def broken_model(folder: Path, patch: Patch) -> None:
    (folder / "broken.onnx").write_bytes(b"no model")
    driver.load(folder / "broken.onnx", CALIBRATION)


def old_folder(folder: Path, patch: Patch) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format": 1}))
    package.read(folder)


def changed_folder(folder: Path, patch: Patch) -> None:
    layer = layers.linear(2, 3, 4, seed=0)
    package.write(
        Compilation(layer.module, "net", layer.samples, ["y"], get_target("host")), folder
    )
    (folder / "net.so").write_bytes(b"")
    package.read(folder)


def file_as_folder(folder: Path, patch: Patch) -> None:
    (folder / "file").write_text("")
    with package.atomic_directory(folder / "file"):
        pass


def folder_of_somebody(folder: Path, patch: Patch) -> None:
    (folder / "README.md").write_text("mine")
    with package.atomic_directory(folder) as scratch:
        for name in ("README.md", "manifest.json"):
            (scratch / name).write_text("{}")


def module_into_a_library(folder: Path, patch: Patch) -> None:
    files = {"net.quantize.mlir": {"sha256": "00"}}
    (folder / "manifest.json").write_text(json.dumps({"files": files}))
    (folder / "net.quantize.mlir").write_text("")
    with package.atomic_directory(folder) as scratch:
        (scratch / "net.quantize.mlir").write_text("")


def nowhere_to_write(folder: Path, patch: Patch) -> None:
    with package.atomic_directory(Path("/proc/tinyformer")):
        pass


def without_ziglang(folder: Path, patch: Patch) -> None:
    def missing(name: str) -> str:
        raise process.importlib.metadata.PackageNotFoundError(name)

    patch.setattr(process.importlib.metadata, "version", missing)
    process.zig_version.__wrapped__()


def without_llvm(folder: Path, patch: Patch) -> None:
    patch.setattr("importlib.util.find_spec", lambda name: None)
    llvm_tool("llvm-mca", "which has the timing model of the Cortex-M7")


def profile_of_the_host(folder: Path, patch: Patch) -> None:
    tinyformer.compile(MODEL, target="host", calibration=CALIBRATION).profile()


def too_many_inputs(folder: Path, patch: Patch) -> None:
    net = tinyformer.compile(MODEL, target="host", calibration=CALIBRATION)
    net(np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 8, 8)))


def half_an_id(folder: Path, patch: Patch) -> None:
    body, weights = "e = Gather(t, i) y = MatMul(e, w)", {"t": (9, 8), "w": (8, 4)}
    path = saved(folder, model_of("(int64[5] i) => (float[5,4] y)", body, weights))
    tinyformer.compile(path, target="host", calibration=np.full((2, 5), 0.5))


def large_integer(folder: Path, patch: Patch) -> None:
    quantize(np.array([3, 300]), TensorInterface("x", (2,), 2, 0.1, 0, given="uint8"))


def two_scales(folder: Path, patch: Patch) -> None:
    body = "q = QuantizeLinear(x, s) y = DequantizeLinear(q, t)"
    model = model_of("(float[1,8] x) => (float[1,8] y)", body, {"s": 0.1, "t": 0.2})
    driver.load(saved(folder, model), None)


def mask_as_input(folder: Path, patch: Patch) -> None:
    model = model_of("(int64[1,5] m) => (float[1,5] y)", "y = Cast <to = 1> (m)")
    driver.load(saved(folder, model), None)


def bias_of_scores(folder: Path, patch: Patch) -> None:
    body = "t = Transpose <perm = [0, 2, 1]> (x) s = MatMul(x, t) y = Add(s, b)"
    model = model_of("(float[1,5,8] x) => (float[1,5,5] y)", body, {"b": (5, 5)})
    driver.load(saved(folder, model), None)


def pooling_by_attention(folder: Path, patch: Patch) -> None:
    body = "l = MatMul(x, w) s = Softmax <axis = 1> (l) y = Mul(s, x)"
    model = model_of("(float[1,5,8] x) => (float[1,5,8] y)", body, {"w": (8, 1)})
    driver.load(saved(folder, model), None)


def scores_without_range(folder: Path, patch: Patch) -> None:
    name = "torch_dynamo_encoder_prenorm_gelu_opset23"  # attention is one node
    path = quantised(name, FORMS["qdq_int8"], folder)
    driver.load(path, None).start(get_target("host")).run_to("quantize")


IMAGES = np.zeros((2, 1, 1, 8, 8), np.float32)
HOLES = np.full((2, 1, 1, 8, 8), np.nan, np.float32)

CASES: dict[str, Case] = {
    "The file is no model": broken_model,
    "A size is not known": load("unsupported_dynamic_batch"),
    "An operator is not supported": load("unsupported_lstm"),
    "A mask in attention": load("unsupported_causal_mask"),
    "Integers that are no token ids": mask_as_input,
    "A bias of positions in attention": bias_of_scores,
    "Pooling by attention": pooling_by_attention,
    "A weight is no number": load("unsupported_nan_weight"),
    "Scales that change half-way": two_scales,
    "A model of floats without samples": lambda folder, _: driver.load(MODEL, None),
    "A layer without a range": scores_without_range,
    "No such file of samples": lambda folder, _: driver.load(MODEL, folder / "nowhere.npz"),
    "Samples that are no numbers": with_samples(input=np.array(["a"])),
    "Samples under another name": with_samples(images=IMAGES),
    "Samples of another shape": with_samples(input=IMAGES[:, 0]),
    "No samples": with_samples(input=IMAGES[:0]),
    "Samples with holes": with_samples(input=HOLES),
    "Ids that are no integers": half_an_id,
    "Integers that the model does not have": large_integer,
    "A percentile out of range": lambda folder, _: CompileOptions(percentile=20),
    "No such target": lambda folder, _: get_target("stm32x9"),
    "More cores than there are": lambda folder, _: get_target("gap9").with_cores(9),
    "Wait states of another chip": lambda folder, _: SimulatorOptions(2).check(
        get_target("stm32h7")
    ),
    "The arena does not fit": attention((512, 64, 32, 8), "stm32l4", tile="none"),
    "Code and weights do not fit": linear((1, 2048, 640)),
    "An option with another value": lambda folder, _: CompileOptions(tile="some"),
    "Options that contradict": lambda folder, _: CompileOptions(tile="none", schedule="rows-all"),
    "The folder is a file": file_as_folder,
    "The folder cannot be written": nowhere_to_write,
    "A file that is somebody's": folder_of_somebody,
    "A module into the folder of a library": module_into_a_library,
    "A folder without a network": lambda folder, _: package.read(folder),
    "A folder of another version": old_folder,
    "A folder that was changed": changed_folder,
    "The C compiler is missing": without_ziglang,
    "A tool of LLVM is missing": without_llvm,
    "No profile": profile_of_the_host,
    "Other inputs than the network has": too_many_inputs,
}


def test_the_page_and_the_cases_are_the_same() -> None:
    assert list(entries()) == list(CASES)


@pytest.mark.parametrize("title", CASES)
def test_the_message_is_given(title: str, tmp_path: Path, monkeypatch: Patch) -> None:
    with pytest.raises(TinyFormerError) as info:
        CASES[title](tmp_path, monkeypatch)
    message = " ".join(str(info.value).split())
    pattern = ".*".join(map(re.escape, entries()[title].split("…")))
    assert re.fullmatch(pattern, message), message
