# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs that look like what a sensor gives, made from random numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]
SAMPLES = 8


def coloured_noise(random: np.random.Generator, shape: tuple[int, ...]) -> Signal:
    """Noise along the last axis whose power falls with the frequency, of variance 1."""
    spectrum = np.fft.rfft(random.normal(size=shape))
    spectrum[..., 1:] /= np.sqrt(np.arange(1, spectrum.shape[-1]))
    spectrum[..., 0] = 0
    noise = np.fft.irfft(spectrum, shape[-1])
    noise /= noise.std(axis=-1, keepdims=True)
    return noise.astype(np.float32)


def rhythm(random: np.random.Generator, samples: int, rate: float) -> Signal:
    """Three cycles a second, or so, at `rate` samples a second: what a seizure looks like."""
    time = np.arange(samples) / rate
    frequency, phase = random.uniform(2.5, 4.0), random.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * frequency * time + phase).astype(np.float32)


def heartbeat(random: np.random.Generator, samples: int) -> Signal:
    """One beat, its R peak in the middle: the waves P, Q, R, S and T, and some noise."""
    time = np.linspace(-0.5, 0.5, samples)
    waves = (
        (-0.22, 0.03, 0.15),
        (-0.035, 0.01, -0.12),
        (0.0, 0.012, 1.0),
        (0.035, 0.012, -0.25),
        (0.26, 0.05, 0.3),
    )
    beat = random.normal(0, 0.02, samples)
    for centre, width, height in waves:
        moved = centre * random.uniform(0.9, 1.1)
        beat += height * random.uniform(0.8, 1.2) * np.exp(-((time - moved) ** 2) / (2 * width**2))
    return beat.astype(np.float32)
