# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Radar hand gestures: the transformer behind TinyRadarNN's features, in place of its temporal
network.

Published: attention of width 32 with 8 heads of width 32; 11 gestures; a transformer block takes
0.14 ms and 4.92 uJ on GAP9.

Assumed: 4 frames are 4 tokens (the predecessor's table of 2021 has this size, and its factor over
PULP-NN is the same); the network that makes 384 features of a frame's range-Doppler map is not part
of it; one pre-norm block with a feed-forward network of 128; the mean over the frames.
"""

from __future__ import annotations

import numpy as np
import onnx

from tinyformer.zoo.encoder import Encoder, block
from tinyformer.zoo.graph import Graph
from tinyformer.zoo.network import Network, PublishedRun, Samples
from tinyformer.zoo.signals import SAMPLES, coloured_noise

FEATURES, GESTURES = 384, 11
SIZES = Encoder(tokens=4, width=32, head_width=32, heads=8, hidden=128)


def radar(seed: int = 4) -> tuple[onnx.ModelProto, Samples]:
    """`features` [1, 4, 384], none of them negative, to `logits` [1, 11]."""
    graph = Graph(seed)
    x = graph.linear("features", "embedding", FEATURES, SIZES.width)
    x = graph.positions(x, "positions", SIZES.tokens, SIZES.width)
    x = block(graph, x, "block0", SIZES)
    x = graph.layernorm(x, "norm", SIZES.width)
    x = graph.mean_of_tokens(x, "mean")
    logits = graph.linear(x, "logits", SIZES.width, GESTURES)
    shapes = {"features": (1, SIZES.tokens, FEATURES)}
    model = graph.finish("radar", shapes, logits, GESTURES)

    random = np.random.default_rng(seed)
    # Features change slowly from frame to frame, and come from a ReLU.
    frames = coloured_noise(random, (SAMPLES, 1, FEATURES, 16))[..., : SIZES.tokens]
    return model, {"features": np.maximum(frames.swapaxes(2, 3), 0).copy()}


RADAR = Network(
    name="radar",
    title="radar hand gestures",
    source=(
        "arXiv 2404.02945, after M. Scherer et al., TinyRadarNN, arXiv 2006.16281, and "
        "A. Burrello et al., COINS 2021"
    ),
    published="width 32, 8 heads of width 32; 11 gestures",
    assumed=(
        "4 frames, 384 features of each (the network that makes them is not part of this one), "
        "learned positions, one pre-norm block with a feed-forward network of 128, mean over the "
        "frames; random weights"
    ),
    make=radar,
    runs=(PublishedRun("gap9", 0.14, 4.92, "its transformer block"),),
)
