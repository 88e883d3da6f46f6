# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small vision transformer for scikit-learn's handwritten digits. This one is trained.

`examples/digits/train.py` trains it and writes the files that are taken from here; its README has
the accuracy and how to make them again. There are 16 patches of 2x2 and a class token, width 48,
two pre-norm blocks of 4 heads of width 12 with a feed-forward network of 96.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from tinyformer.zoo.network import Network, Samples

# Links to the example's files in the sources, copies in an installed package.
_MODEL = Path(__file__).with_name("digits.onnx")
_SAMPLES = Path(__file__).with_name("digits.npz")


def vit() -> tuple[onnx.ModelProto, Samples]:
    """`input` [1, 1, 8, 8] to `logits` [1, 10]; samples are images of the training set."""
    with np.load(_SAMPLES, allow_pickle=False) as archive:
        samples = {name: archive[name] for name in archive.files}
    return onnx.load(_MODEL), samples


VIT = Network(
    name="vit",
    title="ViT, handwritten digits",
    source="examples/digits",
    published="all of it: 17 tokens, width 48, two pre-norm blocks of 4 heads of width 12, "
    "feed-forward network of 96, 10 classes; trained on scikit-learn's digits, 98.0 % right",
    assumed="nothing",
    make=vit,
)
