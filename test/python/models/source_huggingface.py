# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tiny Hugging Face encoders that are exported as test models, weights random."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    BertConfig,
    BertModel,
    ViTConfig,
    ViTForImageClassification,
)

Implementation = Literal["eager", "sdpa"]
VOCABULARY = 24


def sizes(implementation: Implementation) -> dict[str, Any]:
    """The settings that all of these configurations share."""
    return {
        "hidden_size": 18,
        "num_hidden_layers": 1,
        "num_attention_heads": 3,
        "intermediate_size": 28,
        "num_labels": 5,
        "attn_implementation": implementation,
    }


class Output(nn.Module):
    """Calls a model and keeps one field of its result, so that the graph has one output."""

    def __init__(self, model: nn.Module, argument: str, field: str) -> None:
        super().__init__()
        self.model, self.argument, self.field = model, argument, field

    def forward(self, x: Tensor) -> Tensor:
        """The field `field` of the result."""
        result: Tensor = getattr(self.model(**{self.argument: x}), self.field)
        return result


def vit(implementation: Implementation) -> nn.Module:
    """ViT for images 1x12x12 in patches of 4: ten tokens, five classes."""
    config = ViTConfig(image_size=12, patch_size=4, num_channels=1, **sizes(implementation))
    return Output(ViTForImageClassification(config), "pixel_values", "logits")


def bert(implementation: Implementation) -> nn.Module:
    """BERT on given token embeddings [1, 9, 18]; positions and token types are added inside."""
    config = BertConfig(vocab_size=8, max_position_embeddings=9, **sizes(implementation))
    return Output(BertModel(config), "inputs_embeds", "pooler_output")


def bert_tokens(implementation: Implementation) -> nn.Module:
    """The same on nine token ids of a vocabulary of 24."""
    config = BertConfig(vocab_size=VOCABULARY, max_position_embeddings=9, **sizes(implementation))
    return Output(BertModel(config), "input_ids", "pooler_output")


def bert_encoder(implementation: Implementation) -> nn.Module:
    """The encoder of BERT without its embeddings, on [1, 9, 18]."""
    config = BertConfig(
        vocab_size=8, max_position_embeddings=9, hidden_act="gelu_new", **sizes(implementation)
    )
    model = BertModel(config, add_pooling_layer=False)
    return Output(model.encoder, "hidden_states", "last_hidden_state")


def ast(implementation: Implementation) -> nn.Module:
    """Audio spectrogram transformer on [1, 20, 12] (time, mel), overlapping patches of 8x8."""
    config = ASTConfig(
        patch_size=8,
        max_length=20,
        num_mel_bins=12,
        frequency_stride=4,
        time_stride=4,
        **sizes(implementation),
    )
    return Output(ASTForAudioClassification(config), "input_values", "logits")
