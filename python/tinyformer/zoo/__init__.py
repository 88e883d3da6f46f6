# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks to measure by: those of the papers, as ONNX files with sample inputs.

    from tinyformer import zoo

    files = zoo.get_network("ecgformer").write(Path("build"))
    # files.model, files.samples

What a paper does not say is an assumption, and each network lists its own. Weights are random, by
a seed, unless the network says that it is trained. Only `vit` is, on the digits of scikit-learn: no
package on PyPI was found that ships a labelled data set for one of the others, and nothing else is
downloaded here. Cycles and bytes do not depend on that; accuracies would.
"""

from __future__ import annotations

from tinyformer.errors import TinyFormerError
from tinyformer.zoo.ecgformer import ECGFORMER
from tinyformer.zoo.eegformer import EEGFORMER
from tinyformer.zoo.kws import KWS
from tinyformer.zoo.network import Network, NetworkFiles, PublishedRun
from tinyformer.zoo.radar import RADAR
from tinyformer.zoo.vit import VIT

__all__ = [
    "NETWORKS",
    "Network",
    "NetworkFiles",
    "PublishedRun",
    "UnknownNetworkError",
    "get_network",
]

_ALL = (EEGFORMER, ECGFORMER, RADAR, KWS, VIT)

NETWORKS: dict[str, Network] = {network.name: network for network in _ALL}


class UnknownNetworkError(TinyFormerError):
    """The zoo has no network of that name."""


def get_network(name: str) -> Network:
    """The network called `name`; an error that names the known ones if there is none."""
    if name in NETWORKS:
        return NETWORKS[name]
    raise UnknownNetworkError(
        f"unknown network '{name}'; the known networks are {', '.join(NETWORKS)}"
    )
