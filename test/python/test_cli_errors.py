# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each bad input: one clear message, exit code 2, and nothing half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITS, MODELS

MODEL, CALIBRATION, TEST = (
    DIGITS / name for name in ("digits.onnx", "calibration.npz", "test.npz")
)


def compile_arguments(tmp_path: Path, **changes: object) -> list[object]:
    options = {
        "model": MODEL,
        "target": "stm32l4",
        "calibration": CALIBRATION,
        "output": tmp_path / "out",
    } | changes
    return [
        *("compile", options["model"], "--target", options["target"]),
        *("--calibration", options["calibration"], "-o", options["output"]),
    ]


def refused(cli, tmp_path: Path, *expected: str, **changes: object) -> None:
    """The command fails as a user's error does, and says all of `expected`."""
    before = sorted(tmp_path.rglob("*"))
    result = cli(*compile_arguments(tmp_path, **changes))
    message = " ".join(result.err.split())
    assert result.code == 2, message
    assert message.startswith("error: ")
    assert "Traceback" not in message
    for text in expected:
        assert text in message
    assert sorted(tmp_path.rglob("*")) == before


def samples(tmp_path: Path, **arrays: np.ndarray) -> Path:
    path = tmp_path / "samples.npz"
    np.savez(path, **arrays)
    return path


def test_missing_model(cli, tmp_path: Path) -> None:
    refused(cli, tmp_path, "nowhere.onnx", model=tmp_path / "nowhere.onnx")


def test_truncated_model(cli, tmp_path: Path) -> None:
    path = tmp_path / "short.onnx"
    path.write_bytes(MODEL.read_bytes()[:5000])
    refused(cli, tmp_path, "short.onnx", model=path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unsupported_dynamic_batch", ("dynamic", "batch")),
        ("unsupported_dynamic_sequence", ("dynamic",)),
        ("unsupported_lstm", ("LSTM",)),
        ("unsupported_nan_weight", ("nan at [3, 4]",)),
        ("unsupported_causal_mask", ("mask",)),
    ],
)
def test_models_that_cannot_be_compiled(
    cli, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    refused(cli, tmp_path, *words, model=MODELS / f"{name}.onnx")


def test_missing_calibration(cli, tmp_path: Path) -> None:
    refused(cli, tmp_path, "nowhere.npz", calibration=tmp_path / "nowhere.npz")


def test_calibration_without_the_input(cli, tmp_path: Path) -> None:
    path = samples(tmp_path, other=np.zeros((2, 1, 1, 8, 8), np.float32))
    refused(cli, tmp_path, "no array called 'input'", "it has other", calibration=path)


def test_calibration_of_the_wrong_shape(cli, tmp_path: Path) -> None:
    path = samples(tmp_path, input=np.zeros((2, 1, 8, 9), np.float32))
    refused(cli, tmp_path, "(1, 8, 9)", "(1, 1, 8, 8)", calibration=path)


def test_empty_calibration(cli, tmp_path: Path) -> None:
    path = samples(tmp_path, input=np.zeros((0, 1, 1, 8, 8), np.float32))
    refused(cli, tmp_path, "at least one", calibration=path)


def test_nan_in_calibration(cli, tmp_path: Path) -> None:
    data = np.zeros((3, 1, 1, 8, 8), np.float32)
    data[2, 0, 0, 1, 1] = np.nan
    path = samples(tmp_path, input=data)
    place = "at [2, 0, 0, 1, 1]"
    refused(cli, tmp_path, "input 'input' holds 1 NaN or infinite", place, calibration=path)


def truncated(folder: Path) -> bytes:
    content = CALIBRATION.read_bytes()
    return content[: len(content) // 2]


def corrupt(folder: Path) -> bytes:
    """Another byte in the middle of an array."""
    content = bytearray(samples(folder, input=np.zeros((2, 1, 1, 8, 8), np.float32)).read_bytes())
    content[400] ^= 0xFF
    return bytes(content)


def damaged(folder: Path) -> bytes:
    """Another byte in what zlib has packed."""
    content = bytearray(CALIBRATION.read_bytes())
    content[200:210] = bytes(10)
    return bytes(content)


def objects(folder: Path) -> bytes:
    return samples(folder, input=np.array([[1], [2, 3]], dtype=object)).read_bytes()


def words(folder: Path) -> bytes:
    return samples(folder, input=np.array(["one", "two"])).read_bytes()


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (truncated, "some.npz", "cannot read samples from"),
        (corrupt, "some.npz", "'input': Bad CRC-32"),
        (damaged, "some.npz", "cannot read samples from"),
        (objects, "some.npz", "'input': Object arrays cannot be loaded"),
        (words, "some.npz", "holds elements of type <U3: give real numbers"),
        (lambda folder: b"", "some.npy", "No data left in file"),
        (lambda folder: b"\x93NUMPY\x01\x00\x06\x00{'a': ", "some.npy", "cannot read samples from"),
        (lambda folder: b"no array", "some.npy", "that numpy.savez or numpy.save wrote"),
    ],
)
def test_files_that_hold_no_samples(
    cli, tmp_path: Path, content: Callable[[Path], bytes], name: str, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content(tmp_path))
    refused(cli, tmp_path, name, expected, calibration=path)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([[1, 2], [3, 4]]), "shape (2, 2) and type int64"),
        (np.array(["one", "two"]), "holds elements of type <U3"),
        (np.array([0.5, 1.5]), "type float64: give the number of a class for each sample"),
        (np.eye(2, 10), "shape (2, 10) and type float64"),
        (np.array(1), "shape () and type int64"),
        (np.array([1]), "there are 2 samples but 1 labels"),
        (np.array([9, 10]), "the first, 10, at [1]: the model's first output has 10 elements"),
        (np.array([-1, 10]), "holds 2 numbers that are no class, the first, -1, at [0]"),
    ],
)
def test_labels_that_are_no_classes(cli, tmp_path: Path, labels: np.ndarray, expected: str) -> None:
    path = samples(tmp_path, input=np.zeros((2, 1, 1, 8, 8), np.float32), labels=labels)
    result = cli(
        *("eval", MODEL, "--target", "host", "--calibration", CALIBRATION, "--data", path),
    )
    assert result.code == 2
    assert expected in " ".join(result.err.split())


def test_full_disk(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinyformer.targets.get_target", full)
    result = cli("bench", "softmax", "--shape", "2,3", "--target", "host")
    assert result.code == 2
    assert "error: cannot write: No space left on device; make room" in result.err


def test_unknown_target(cli, tmp_path: Path) -> None:
    refused(cli, tmp_path, "'stm32x9'", "stm32l4, stm32h7", target="stm32x9")


def test_output_is_a_file(cli, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("keep me")
    refused(cli, tmp_path, "not a directory", output=path)
    assert path.read_text() == "keep me"


def test_unwritable_output(cli, tmp_path: Path) -> None:
    """Nobody, not even root, can make a folder in /proc."""
    refused(cli, tmp_path, "cannot write to '/proc/tinyformer'", output="/proc/tinyformer")


def test_output_below_a_file(cli, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("keep me")
    refused(cli, tmp_path, "cannot write", output=path / "out")


def test_unknown_phase(cli, tmp_path: Path) -> None:
    result = cli(*compile_arguments(tmp_path), "--emit", "tiles")
    assert result.code == 2
    assert "import, fuse, quantize, tile" in result.err


def test_arena_that_does_not_fit(cli) -> None:
    shape = ("--shape", "512,64,32,8", "--tile", "none")
    result = cli("bench", "attention", *shape, "--target", "stm32l4")
    message = " ".join(result.err.split())
    assert result.code == 2
    # 98304 bytes, but for inputs and outputs, which are too large for the other memory.
    assert "'sram1' holds 32704" in message
    assert "largest" in message


def test_weights_that_do_not_fit_flash(cli) -> None:
    result = cli("bench", "linear", "--shape", "1,2048,640", "--target", "stm32l4")
    message = " ".join(result.err.split())
    assert result.code == 2
    assert "flash" in message
    assert "1048576" in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--shape", "17,48,12"), "S,E,P,H"),
        (("--shape", "17,48,x,4"), "S,E,P,H"),
        (("--shape", "17,48,0,4"), "positive"),
        (("--shape", "17,48,12,4", "--fuse", "maybe"), "--fuse takes"),
        (("--shape", "17,48,12,4", "--tile", "0"), "--tile takes 1 to 17 rows"),
        (("--shape", "17,48,12,4", "--tile", "18"), "--tile takes 1 to 17 rows"),
        (("--shape", "17,48,12,4", "--queries", "0"), "--queries takes 1 to 17 rows"),
        (("--shape", "17,48,12,4", "--queries", "18"), "--queries takes 1 to 17 rows"),
        (("--shape", "17,48,12,4", "--tile", "some"), "auto, none, min or a number"),
        (("--shape", "17,48,12,4", "--optimize", "speed"), "--optimize takes"),
        (("--shape", "17,48,12,4", "--schedule", "columns"), "--schedule takes"),
        (("--shape", "17,48,12,4", "--tile", "none", "--schedule", "rows-all"), "contradicts"),
        (("--shape", "17,48,12,4", "--cores", "8"), "has 1 core"),
    ],
)
def test_bad_benchmark_options(cli, options: tuple[str, ...], words: str) -> None:
    result = cli("bench", "attention", "--target", "host", *options)
    assert result.code == 2
    assert words in " ".join(result.err.split())


def test_run_on_a_folder_without_a_program(cli, tmp_path: Path) -> None:
    result = cli("run", tmp_path, "--input", TEST)
    assert result.code == 2
    assert "manifest.json" in result.err


def test_internal_errors_have_another_exit_code(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("tinyformer.targets.get_target", broken)
    result = cli("bench", "softmax", "--shape", "2,3", "--target", "host")
    assert result.code == 1
    assert "bug in TinyFormer" in result.err
