# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""EEGFormer: detects epileptic seizures in raw EEG of the temporal channels.

Published are the sizes of its attention (81 tokens, width 32, 8 heads of width 32), its input (raw
EEG of the temporal channels) and what it costs on GAP9 (13.7 ms, 0.31 mJ, the original deployment).

Assumed, because the available abstracts do not say: 4 channels of 8 s at 256 Hz; one convolution of
length 128 and stride 24 as front end, which gives the 81 tokens; learned positions; one pre-norm
block with a feed-forward network of 128; the mean over the tokens; two classes.
"""

from __future__ import annotations

import numpy as np
import onnx

from tinyformer.zoo.encoder import Encoder, block
from tinyformer.zoo.graph import Graph
from tinyformer.zoo.network import Network, PublishedRun, Samples
from tinyformer.zoo.signals import SAMPLES, coloured_noise, rhythm

CHANNELS, LENGTH, RATE = 4, 2048, 256.0
KERNEL, STRIDE = 128, 24
SIZES = Encoder(tokens=81, width=32, head_width=32, heads=8, hidden=128)


def eegformer(seed: int = 81) -> tuple[onnx.ModelProto, Samples]:
    """`eeg` [1, 4, 2048] to `logits` [1, 2]; every other sample has a seizure's rhythm."""
    graph = Graph(seed)
    x = graph.patches("eeg", "patches", CHANNELS, SIZES.width, KERNEL, STRIDE)
    x = graph.positions(x, "positions", SIZES.tokens, SIZES.width)
    x = block(graph, x, "block0", SIZES)
    x = graph.layernorm(x, "norm", SIZES.width)
    x = graph.mean_of_tokens(x, "mean")
    logits = graph.linear(x, "logits", SIZES.width, 2)
    model = graph.finish("eegformer", {"eeg": (1, CHANNELS, LENGTH)}, logits, 2)

    random = np.random.default_rng(seed)
    signals = coloured_noise(random, (SAMPLES, 1, CHANNELS, LENGTH))
    for signal in signals[::2]:
        signal += 2 * rhythm(random, LENGTH, RATE)
    return model, {"eeg": signals}


EEGFORMER = Network(
    name="eegformer",
    title="EEGFormer, seizure detection",
    source=(
        "P. Busia et al., Reducing False Alarms in Wearable Seizure Detection With EEGformer, "
        "IEEE TBCAS 18(3), 2024; sizes of the attention: arXiv 2404.02945"
    ),
    published="81 tokens, width 32, 8 heads of width 32; raw EEG of the temporal channels",
    assumed=(
        "4 channels of 8 s at 256 Hz, one convolution of length 128 and stride 24, learned "
        "positions, one pre-norm block with a feed-forward network of 128, mean over the tokens, "
        "2 classes; random weights"
    ),
    make=eegformer,
    runs=(PublishedRun("gap9", 13.7, 310.0, "the original network, with its own front end"),),
)
