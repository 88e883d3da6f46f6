# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keyword spotting: KWT-1, the smallest Keyword Transformer of the original paper.

Published, in its code (https://github.com/ARM-software/keyword-transformer, the model `kwt1`): 98
time windows of 40 MFCC, each a token; a class token and learned positions; 12 post-norm blocks of
width 64 with one head, no bias in queries, keys and values, and a feed-forward network of 256 with
GELU; layer normalisation with epsilon 1e-6; 12 labels.

Nothing about the network is assumed but its weights, which are random.
"""

from __future__ import annotations

import numpy as np
import onnx

from tinyformer.zoo.encoder import Encoder, block
from tinyformer.zoo.graph import Graph
from tinyformer.zoo.network import Network, Samples
from tinyformer.zoo.signals import SAMPLES, coloured_noise

WINDOWS, COEFFICIENTS, BLOCKS, LABELS = 98, 40, 12, 12
SIZES = Encoder(
    tokens=WINDOWS + 1,
    width=64,
    head_width=64,
    heads=1,
    hidden=256,
    norm_first=False,
    attention_bias=False,
    epsilon=1e-6,
)


def kws(seed: int = 98) -> tuple[onnx.ModelProto, Samples]:
    """`mfcc` [1, 98, 40] to `logits` [1, 12]."""
    graph = Graph(seed)
    x = graph.linear("mfcc", "embedding", COEFFICIENTS, SIZES.width)
    x = graph.class_token(x, "class", SIZES.width)
    x = graph.positions(x, "positions", SIZES.tokens, SIZES.width)
    for index in range(BLOCKS):
        x = block(graph, x, f"block{index}", SIZES)
    x = graph.first_token(x, "first")
    logits = graph.linear(x, "logits", SIZES.width, LABELS)
    model = graph.finish("kws", {"mfcc": (1, WINDOWS, COEFFICIENTS)}, logits, LABELS)

    random = np.random.default_rng(seed)
    # Coefficients change slowly, and the higher ones are smaller.
    cepstra = coloured_noise(random, (SAMPLES, 1, COEFFICIENTS, WINDOWS)).swapaxes(2, 3)
    return model, {"mfcc": cepstra * (1 + np.arange(COEFFICIENTS, dtype=np.float32)) ** -0.5}


KWS = Network(
    name="kws",
    title="KWT-1, keyword spotting",
    source=(
        "A. Berg et al., Keyword Transformer, arXiv 2104.00769; "
        "https://github.com/ARM-software/keyword-transformer"
    ),
    published=(
        "98 windows of 40 MFCC and a class token, 12 post-norm blocks of width 64 with one head "
        "and a feed-forward network of 256, 12 labels"
    ),
    assumed="nothing but its weights, which are random",
    make=kws,
)
