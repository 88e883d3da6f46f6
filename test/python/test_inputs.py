# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What callers may give for an input: real numbers and token ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tinyformer
from test_onnx_helpers import model_of, saved
from tinyformer.errors import CalibrationError
from tinyformer.firmware import TensorInterface
from tinyformer.network import Network
from tinyformer.quantization import quantize


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Network:
    body = "e = Gather(t, ids) y = MatMul(e, w)"
    model = model_of("(int64[4] ids) => (float[4,3] y)", body, {"t": (9, 8), "w": (8, 3)})
    path = saved(tmp_path_factory.mktemp("tokens"), model)
    samples = np.random.default_rng(0).integers(0, 9, (16, 4))
    return tinyformer.compile(path, target="host", calibration=samples)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ([2**31 + 1, -(2**31) - 1, 8, 0], [8, 0, 8, 0]),
        ([2**62, -(2**62), 9, -1], [8, 0, 8, 0]),
        (np.array([2**63, 2**64 - 1, 2**31, 3], np.uint64), [8, 8, 8, 3]),
        ([1e300, -1e300, 3.0, 8.0], [8, 0, 3, 8]),
        (np.array([255, 0, 3, 8], np.uint8), [8, 0, 3, 8]),
        ([True, False, True, True], [1, 0, 1, 1]),
    ],
)
def test_ids_beside_the_table_are_the_nearest(
    tokens: Network, given: npt.ArrayLike, nearest: list[int]
) -> None:
    np.testing.assert_array_equal(tokens(given), tokens(nearest))
    np.testing.assert_array_equal(tokens.reference(given), tokens.reference(nearest))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0, 1, 2, 3], [0, 1, 0.6, 2.5]], r"2 fractional values, the first, 0.6, at \[1, 2\], bu"),
        ([0.0, 1.0, np.nan, 3.0], r"input 'ids' holds 1 NaN or infinite values, .* at \[2\]"),
        ([0.0, np.inf, -np.inf, 3.0], r"input 'ids' holds 2 NaN or infinite values, .* at \[1\]"),
    ],
)
def test_what_is_no_id(tokens: Network, given: npt.ArrayLike, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        tokens(given)


def test_samples_of_ids_are_checked(tmp_path: Path) -> None:
    body = "e = Gather(t, ids) y = MatMul(e, w)"
    model = model_of("(int64[4] ids) => (float[4,3] y)", body, {"t": (9, 8), "w": (8, 3)})
    samples = np.zeros((3, 4))
    samples[2, 1] = 0.6
    with pytest.raises(CalibrationError, match=r"first, 0.6, at \[2, 1\].*give whole numbers"):
        tinyformer.compile(saved(tmp_path, model), target="host", calibration=samples)


def test_real_inputs_are_finite() -> None:
    tensor = TensorInterface("x", (2, 2), 4, 0.1, 0)
    x = np.array([[0.0, 1.0], [np.nan, np.inf]])
    with pytest.raises(CalibrationError, match=r"'x' holds 2 NaN .*, the first at \[1, 0\]"):
        quantize(x, tensor)
