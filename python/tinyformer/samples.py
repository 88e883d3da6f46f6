# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Samples of a model's inputs, out of files and out of callers' hands.

What their integers mean, where the model takes integers, is said by `inputs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyformer.errors import CalibrationError

Array = npt.NDArray[Any]

LABELS = "labels"
"""The array of class numbers in a file of samples."""


def load_samples(path: str, input_names: Sequence[str]) -> dict[str, Array]:
    """Samples from `.npz` (one array an input, by name) or `.npy` (models of one input)."""
    with _reading(path):
        data = np.load(path, allow_pickle=False)
    if isinstance(data, np.ndarray):
        if len(input_names) != 1:
            raise CalibrationError(
                f"'{path}' holds one array, but the model has the inputs "
                f"{', '.join(input_names)}: use an .npz with these names"
            )
        return {input_names[0]: as_array(data, f"'{path}'")}
    with data:
        missing = [name for name in input_names if name not in data.files]
        if missing:
            raise CalibrationError(
                f"'{path}' has no array called '{missing[0]}'; it has {', '.join(data.files)}, "
                f"the model's inputs are {', '.join(input_names)}"
            )
        return {name: _member(path, data, name) for name in input_names}


def load_labels(path: str, limit: int | None = None) -> Array | None:
    """The class numbers of the first `limit` samples in a file, if it has them."""
    with _reading(path):
        data = np.load(path, allow_pickle=False)
    if isinstance(data, np.ndarray):
        return None
    with data:
        if LABELS not in data.files:
            return None
        labels = _member(path, data, LABELS)
    if labels.dtype.kind not in "iu" or not labels.ndim or labels.size != len(labels):
        raise CalibrationError(
            f"'{LABELS}' in '{path}' has shape {labels.shape} and type {labels.dtype}: give the "
            "number of a class for each sample"
        )
    return labels.ravel()[:limit]


def check_labels(labels: Array, samples: int, classes: int) -> None:
    """Refuses labels that are not one class out of so many for each of the samples."""
    if len(labels) != samples:
        raise CalibrationError(f"there are {samples} samples but {len(labels)} labels")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(bad):
        raise CalibrationError(
            f"'{LABELS}' holds {len(bad)} numbers that are no class, the first, "
            f"{labels[bad[0]]}, at [{bad[0]}]: the model's first output has {classes} elements, "
            f"so give 0 to {classes - 1}"
        )


def as_array(given: npt.ArrayLike, what: str) -> Array:
    """Numbers as an array; `what` begins the sentence that refuses anything else."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise CalibrationError(
            f"{what} is no array ({error}): give numbers, all rows of one length"
        ) from error
    if array.dtype.kind not in "biuf":
        raise CalibrationError(f"{what} holds elements of type {array.dtype}: give real numbers")
    return array


def check_finite(values: Array, what: str) -> None:
    """Refuses NaN and infinite values; `what` begins the sentence, up to its verb."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise CalibrationError(f"{what} {len(bad)} NaN or infinite values, the first at {_at(bad)}")


def check_ids(values: Array, what: str) -> None:
    """Refuses what is no whole number."""
    check_finite(values, what)
    bad = np.argwhere(values != np.floor(values)) if values.dtype.kind == "f" else np.empty(0)
    if len(bad):
        raise CalibrationError(
            f"{what} {len(bad)} fractional values, the first, {values[tuple(bad[0])]:g}, at "
            f"{_at(bad)}, but is an input of token ids: give whole numbers"
        )


def _at(places: Array) -> list[int]:
    """The first of some indices."""
    return list(map(int, places[0]))


def _member(path: str, archive: Any, name: str) -> Array:
    with _reading(path, f"'{name}': "):
        member = archive[name]
    return as_array(member, f"'{name}' in '{path}'")


@contextmanager
def _reading(path: str, part: str = "") -> Iterator[None]:
    """Whatever fails in it is the file's fault: zip, zlib, numpy's parser and the system have
    exceptions of their own for damaged files."""
    try:
        yield
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise CalibrationError(
            f"cannot read samples from '{path}': {part}{reason}; give a file that numpy.savez or "
            "numpy.save wrote"
        ) from error
