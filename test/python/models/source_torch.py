# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch modules that are exported as test models: the ways in which people write encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Projections = Literal["separate", "packed", "chunked"]
Scale = Literal["scores", "query", "key", "both", "divide", "sdpa"]
Pool = Literal["class", "mean"]


class Attention(nn.Module):
    """Multi-head self-attention, as written by hand in many ways.

    `projections`: three linears, one linear reshaped to [3, H, S, P], or one linear in chunks.
    `scale`: where 1/sqrt(P) is applied, or scaled_dot_product_attention for the whole.
    """

    def __init__(self, embed: int, heads: int, projections: Projections, scale: Scale) -> None:
        super().__init__()
        self.heads, self.width = heads, embed // heads
        self.projections, self.scale = projections, scale
        if projections == "separate":
            self.query = nn.Linear(embed, embed)
            self.key = nn.Linear(embed, embed)
            self.value = nn.Linear(embed, embed)
        else:
            self.qkv = nn.Linear(embed, 3 * embed)
        self.out = nn.Linear(embed, embed)

    def split(self, x: Tensor) -> Tensor:
        """[B, S, E] to [B, H, S, P]."""
        return x.view(x.shape[0], x.shape[1], self.heads, self.width).transpose(1, 2)

    def project(self, x: Tensor) -> list[Tensor]:
        """Query, key and value, [B, H, S, P] each."""
        if self.projections == "separate":
            return [self.split(linear(x)) for linear in (self.query, self.key, self.value)]
        if self.projections == "chunked":
            return [self.split(part) for part in self.qkv(x).chunk(3, dim=-1)]
        batch, tokens, _ = x.shape
        packed = self.qkv(x).reshape(batch, tokens, 3, self.heads, self.width)
        return list(packed.permute(2, 0, 3, 1, 4).unbind(0))

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The context, [B, H, S, P]."""
        factor = self.width**-0.5
        if self.scale == "sdpa":
            return F.scaled_dot_product_attention(query, key, value)
        if self.scale in ("query", "both"):
            query = query * (factor if self.scale == "query" else factor**0.5)
        if self.scale in ("key", "both"):
            key = key * (factor if self.scale == "key" else factor**0.5)
        scores = query @ key.transpose(-2, -1)
        if self.scale == "scores":
            scores = scores * factor
        if self.scale == "divide":
            scores = scores / self.width**0.5
        return scores.softmax(dim=-1) @ value

    def forward(self, x: Tensor) -> Tensor:
        """[B, S, E] to [B, S, E]."""
        context = self.attend(*self.project(x))
        return self.out(context.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, embed: int, hidden: int, attention: nn.Module, approximate: str) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(embed), nn.LayerNorm(embed)
        self.attention = attention
        self.expand, self.contract = nn.Linear(embed, hidden), nn.Linear(hidden, embed)
        self.gelu = nn.GELU(approximate=approximate)

    def forward(self, x: Tensor) -> Tensor:
        """[B, S, E] to [B, S, E]."""
        x = x + self.attention(self.norm1(x))
        return x + self.contract(self.gelu(self.expand(self.norm2(x))))


@dataclass(frozen=True)
class VitConfig:
    """What varies among the handwritten vision transformers."""

    projections: Projections = "separate"
    scale: Scale = "scores"
    pool: Pool = "class"
    approximate: str = "none"
    embed: int = 18
    heads: int = 3
    hidden: int = 28
    image: int = 8
    kernel: int = 2
    stride: int = 2
    padding: int = 0


class Vit(nn.Module):
    """A vision transformer of one block: patches, (class token,) positions, block, classifier."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        embed, self.pool = config.embed, config.pool
        side = (config.image + 2 * config.padding - config.kernel) // config.stride + 1
        tokens = side**2 + (config.pool == "class")
        self.patches = nn.Conv2d(1, embed, config.kernel, config.stride, config.padding)
        self.class_token = nn.Parameter(torch.zeros(1, 1, embed))
        self.position = nn.Parameter(torch.zeros(1, tokens, embed))
        attention = Attention(embed, config.heads, config.projections, config.scale)
        self.block = Block(embed, config.hidden, attention, config.approximate)
        self.norm = nn.LayerNorm(embed)
        self.classifier = nn.Linear(embed, 10)

    def forward(self, image: Tensor) -> Tensor:
        """[B, 1, 8, 8] to logits [B, 10]."""
        x = self.patches(image).flatten(2).transpose(1, 2)
        if self.pool == "class":
            x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.norm(self.block(x + self.position))
        logits: Tensor = self.classifier(x[:, 0] if self.pool == "class" else x.mean(dim=1))
        return logits


class Ecg(nn.Module):
    """An ECGFormer-like classifier: overlapping 1-D patches, heads of width 2, two more inputs."""

    def __init__(self, embed: int = 16, heads: int = 8, samples: int = 198) -> None:
        super().__init__()
        kernel, stride, padding = 24, 12, 3
        tokens = (samples + 2 * padding - kernel) // stride + 1
        self.patches = nn.Conv1d(1, embed, kernel, stride, padding)
        self.class_token = nn.Parameter(torch.zeros(1, 1, embed))
        self.position = nn.Parameter(torch.zeros(1, tokens + 1, embed))
        self.block = Block(embed, 2 * embed, Attention(embed, heads, "separate", "scores"), "none")
        self.norm = nn.LayerNorm(embed)
        self.classifier = nn.Linear(embed + 2, 5)

    def forward(self, signal: Tensor, intervals: Tensor) -> Tensor:
        """[B, 1, 198] and [B, 2] to logits [B, 5]."""
        x = self.patches(signal).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        x = self.norm(self.block(x))[:, 0]
        logits: Tensor = self.classifier(torch.cat([x, intervals], dim=1))
        return logits


def encoder(
    embed: int, heads: int, hidden: int, layers: int, activation: str, norm_first: bool
) -> nn.Module:
    """PyTorch's own encoder, batch first."""
    layer = nn.TransformerEncoderLayer(
        embed,
        heads,
        hidden,
        activation=activation,
        norm_first=norm_first,
        batch_first=True,
    )
    norm = nn.LayerNorm(embed) if norm_first else None
    return nn.TransformerEncoder(layer, layers, norm=norm, enable_nested_tensor=False)


class MultiheadSelfAttention(nn.Module):
    """nn.MultiheadAttention on its own, with or without its attention weights as output."""

    def __init__(self, embed: int, heads: int, weights: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(embed, heads, batch_first=True)
        self.weights = weights

    def forward(self, x: Tensor) -> Tensor:
        """[B, S, E] to [B, S, E]; with `weights` PyTorch takes another path to the same."""
        context, _ = self.attention(x, x, x, need_weights=self.weights)
        return context
