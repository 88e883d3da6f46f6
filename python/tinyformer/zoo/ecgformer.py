# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ECGFormer: tells five kinds of heartbeats apart.

Published: one beat of 198 samples, Conv1d from 1 to 16 channels with stride 3 (so 66 tokens), one
encoder block of 8 heads of width 2 with a feed-forward network of 128, the intervals to the beats
before and after (RR) as further inputs, 5 classes, about 6.6 k parameters, 4.28 ms and 0.09 mJ on
GAP9.

Assumed: the convolution is 3 long; positions are learned; the block is pre-norm; the mean over the
tokens and the RR intervals go together into one linear layer. This has 6,639 parameters, so that
not much else can be in the original.
"""

from __future__ import annotations

import numpy as np
import onnx

from tinyformer.zoo.encoder import Encoder, block
from tinyformer.zoo.graph import Graph
from tinyformer.zoo.network import Network, PublishedRun, Samples
from tinyformer.zoo.signals import SAMPLES, heartbeat

LENGTH, STRIDE, CLASSES = 198, 3, 5
SIZES = Encoder(tokens=66, width=16, head_width=2, heads=8, hidden=128)


def ecgformer(seed: int = 66) -> tuple[onnx.ModelProto, Samples]:
    """`beat` [1, 1, 198] and `intervals` [1, 2] to `logits` [1, 5]."""
    graph = Graph(seed)
    x = graph.patches("beat", "patches", 1, SIZES.width, STRIDE, STRIDE)
    x = graph.positions(x, "positions", SIZES.tokens, SIZES.width)
    x = block(graph, x, "block0", SIZES)
    x = graph.layernorm(x, "norm", SIZES.width)
    x = graph.mean_of_tokens(x, "mean")
    x = graph.node("Concat", "features", x, "intervals", axis=1)
    logits = graph.linear(x, "logits", SIZES.width + 2, CLASSES)
    shapes = {"beat": (1, 1, LENGTH), "intervals": (1, 2)}
    model = graph.finish("ecgformer", shapes, logits, CLASSES)

    random = np.random.default_rng(seed)
    beats = np.stack([heartbeat(random, LENGTH) for _ in range(SAMPLES)])
    intervals = random.normal(0.8, 0.1, (SAMPLES, 1, 2)).astype(np.float32)
    return model, {"beat": beats[:, None, None], "intervals": intervals}


ECGFORMER = Network(
    name="ecgformer",
    title="ECGFormer, arrhythmia",
    source=(
        "P. Busia et al., A Tiny Transformer for Low-Power Arrhythmia Classification on "
        "Microcontrollers, arXiv 2402.10748"
    ),
    published=(
        "198 samples a beat, Conv1d from 1 to 16 channels with stride 3, 66 tokens, one block of "
        "8 heads of width 2 with a feed-forward network of 128, two RR intervals as inputs, "
        "5 classes, about 6.6 k parameters"
    ),
    assumed=(
        "convolution of length 3, learned positions, pre-norm, mean over the tokens, RR intervals "
        "beside it into one linear layer (6,639 parameters); random weights"
    ),
    make=ecgformer,
    runs=(PublishedRun("gap9", 4.28, 90.0, "the original network"),),
)
