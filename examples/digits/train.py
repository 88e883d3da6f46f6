# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a small vision transformer on scikit-learn's handwritten digits and exports it.

Writes `digits.onnx` (float), `calibration.npz` and `test.npz` beside this file. It needs
PyTorch, scikit-learn, onnx and onnxruntime; the compiler itself needs none of them but onnx.

    python train.py

The test images take no part in training, nor in the choice of any setting of it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 2404
INPUT_NAME = "input"
OPSET = 17


@dataclass(frozen=True)
class Config:
    """The sizes of the model."""

    image: int = 8
    patch: int = 2
    embed: int = 48
    heads: int = 4
    hidden: int = 96
    blocks: int = 2
    classes: int = 10

    @property
    def tokens(self) -> int:
        """Number of tokens: one for each patch, and the class token."""
        return (self.image // self.patch) ** 2 + 1


class Attention(nn.Module):
    """Multi-head self-attention with separate projections."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.shape = (1, config.tokens, config.heads, config.embed // config.heads)
        self.query = nn.Linear(config.embed, config.embed)
        self.key = nn.Linear(config.embed, config.embed)
        self.value = nn.Linear(config.embed, config.embed)
        self.out = nn.Linear(config.embed, config.embed)

    def split(self, x: Tensor) -> Tensor:
        """[B, S, H*P] to [B, H, S, P]. The exported model has B = 1."""
        return x.reshape(-1, *self.shape[1:]).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Attends among the tokens of each image."""
        query, key, value = (self.split(part(x)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(-2, -1) * self.shape[3] ** -0.5
        context = scores.softmax(dim=-1) @ value
        merged = context.transpose(1, 2).reshape(-1, self.shape[1], self.shape[2] * self.shape[3])
        return self.out(merged)


class Block(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, config: Config, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.embed)
        self.attention = Attention(config)
        self.norm2 = nn.LayerNorm(config.embed)
        self.expand = nn.Linear(config.embed, config.hidden)
        self.gelu = nn.GELU()
        self.contract = nn.Linear(config.hidden, config.embed)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Attention, then the feed-forward network, each with its residual."""
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.dropout(self.contract(self.gelu(self.expand(self.norm2(x)))))


class DigitsTransformer(nn.Module):
    """ViT: patches by a convolution, class token, encoder blocks, classifier."""

    def __init__(self, config: Config, dropout: float = 0.1) -> None:
        super().__init__()
        self.embed, self.tokens = config.embed, config.tokens
        self.patches = nn.Conv2d(1, config.embed, config.patch, stride=config.patch)
        self.class_token = nn.Parameter(torch.randn(1, 1, config.embed) * 0.02)
        self.position = nn.Parameter(torch.randn(1, config.tokens, config.embed) * 0.02)
        self.blocks = nn.Sequential(*(Block(config, dropout) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(config.embed)
        self.classifier = nn.Linear(config.embed, config.classes)

    def forward(self, image: Tensor) -> Tensor:
        """[B, 1, 8, 8] to logits [B, 10]."""
        patches = self.patches(image).reshape(-1, self.embed, self.tokens - 1).transpose(1, 2)
        token: Tensor = self.class_token
        if not torch.jit.is_tracing():  # the exported model has B = 1 and needs no expansion
            token = token.expand(len(patches), -1, -1)
        x = torch.cat([token, patches], dim=1) + self.position
        return self.classifier(self.norm(self.blocks(x))[:, 0])


@dataclass(frozen=True)
class Data:
    """Images as [N, 1, 8, 8] in [0, 1], and their labels."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    calibration: Tensor


def load_data(test_size: int = 400, calibration_size: int = 64) -> Data:
    """Splits the digits, every class alike in each part. Calibration samples are training ones."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    labels = digits.target.astype(np.int64)
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=test_size, stratify=labels, random_state=SEED
    )
    _, calibration = train_test_split(
        train, test_size=calibration_size, stratify=train_labels, random_state=SEED
    )
    return Data(*map(torch.from_numpy, (train, train_labels, test, test_labels, calibration)))


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Moves, turns and scales each image a little: up to one pixel, 12 degrees, 10 percent."""
    count = len(images)
    moves, turns, scales = torch.rand(3, count, 2, generator=generator) * 2 - 1
    angle, zoom = turns[:, 0] * 0.21, 1 + scales[:, 0] * 0.1
    rows = [zoom * angle.cos(), -zoom * angle.sin(), moves[:, 0] * 0.25]
    rows += [zoom * angle.sin(), zoom * angle.cos(), moves[:, 1] * 0.25]
    grid = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), list(images.shape), False)
    return F.grid_sample(images, grid, align_corners=False)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images that the model classifies rightly."""
    model.eval()
    with torch.no_grad():
        return float((model(images).argmax(1) == labels).double().mean())


def train(model: nn.Module, images: Tensor, labels: Tensor, epochs: int, batch: int = 64) -> None:
    """AdamW, one learning-rate cycle, label smoothing, augmentation; a fixed number of epochs."""
    generator = torch.Generator().manual_seed(SEED)
    steps = -(-len(images) // batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, epochs * steps, pct_start=0.1)
    for epoch in range(epochs):
        model.train()
        for chosen in torch.randperm(len(images), generator=generator).split(batch):
            logits = model(augment(images[chosen], generator))
            loss = F.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if (epoch + 1) % 20 == 0:
            print(f"epoch {epoch + 1:3}  loss {loss.item():.4f}", flush=True)


def export(model: nn.Module, config: Config, path: Path) -> None:
    """Writes the float model with its batch fixed to 1."""
    model.eval()
    sample = torch.zeros(1, 1, config.image, config.image)
    torch.onnx.export(
        model,
        (sample,),
        path,
        dynamo=False,
        opset_version=OPSET,
        input_names=[INPUT_NAME],
        output_names=["logits"],
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def check(model: nn.Module, path: Path, images: Tensor, labels: Tensor) -> None:
    """Holds the exported file against PyTorch on every test image."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    runs = [session.run(None, {INPUT_NAME: image[None].numpy()})[0] for image in images]
    logits = np.concatenate(runs)
    with torch.no_grad():
        error = float(np.abs(logits - model(images).numpy()).max())
    share = float((logits.argmax(1) == labels.numpy()).mean())
    print(f"onnxruntime: test accuracy {share:.4f}, largest difference from PyTorch {error:.2e}")
    if error > 1e-4:
        raise SystemExit("the exported model does not match PyTorch")


def main() -> None:
    """Trains, exports, checks."""
    parser = argparse.ArgumentParser(description="Train and export the digits example.")
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--epochs", type=int, default=160)
    options = parser.parse_args()

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    config, data = Config(), load_data()
    model = DigitsTransformer(config)
    train(model, data.train, data.train_labels, options.epochs)
    print(f"train accuracy {accuracy(model, data.train, data.train_labels):.4f}")
    print(f"test accuracy {accuracy(model, data.test, data.test_labels):.4f}")

    export(model, config, options.out / "digits.onnx")
    check(model, options.out / "digits.onnx", data.test, data.test_labels)
    # One sample has the shape of the model's input, 1x1x8x8; they are stacked in front of it.
    calibration, test = data.calibration.numpy()[:, None], data.test.numpy()[:, None]
    np.savez_compressed(options.out / "calibration.npz", **{INPUT_NAME: calibration})
    labels = data.test_labels.numpy()
    np.savez_compressed(options.out / "test.npz", **{INPUT_NAME: test, "labels": labels})


if __name__ == "__main__":
    main()
