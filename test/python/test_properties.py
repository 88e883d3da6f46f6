# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One meaning: random encoders have the same bits in every phase and on every target."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from encoders import Encoder, compile_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinyformer.bench import layers
from tinyformer.bench.measure import measure
from tinyformer.driver import clone
from tinyformer.onnx.functions import KNOWN
from tinyformer.options import CompileOptions
from tinyformer.quantization import dequantize, quantize, signal_to_noise_db
from tinyformer.reference import Interpreter
from tinyformer.simulators import open_session
from tinyformer.targets import get_target

pytestmark = pytest.mark.slow

encoders = st.builds(
    Encoder,
    tokens=st.integers(1, 9),
    width=st.integers(1, 13),
    head_width=st.integers(1, 7),
    heads=st.integers(1, 4),
    hidden=st.integers(1, 17),
    activation=st.sampled_from(list(KNOWN)),
    front=st.sampled_from(["none", "conv1d", "conv2d"]),
    class_token=st.booleans(),
    pool=st.sampled_from(["none", "mean", "max"]),
    softmax=st.booleans(),
    seed=st.integers(0, 2**16),
    fuse=st.sampled_from(["never", "always"]),
)


def run_on(config: Encoder, target: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs of the reference and of the device for the samples."""
    compilation, samples = compile_for(config, target)
    with tempfile.TemporaryDirectory() as directory:
        image = compilation.build(Path(directory))
        session = open_session(image, compilation.target)
        assert compilation.quantized is not None
        reference = Interpreter(compilation.quantized)
        inputs = [quantize(sample, image.interface.inputs[0]) for sample in samples]
        session.check_alignment(inputs[:1])
        return (
            [reference.run([x])[0] for x in inputs],
            [session.run([x]).outputs[0] for x in inputs],
        )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(encoders)
def test_every_target_has_the_bits_of_the_reference(config: Encoder) -> None:
    expected = None
    for target in ("host", "stm32l4", "stm32h7", "gap9"):
        reference, device = run_on(config, target)
        assert np.array_equal(reference, device), target
        assert expected is None or np.array_equal(expected, reference)
        expected = reference


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 70), st.integers(0, 9))
def test_panels_have_the_bits_of_plain_layers(
    rows: int, channels: int, depth: int, seed: int
) -> None:
    for target in ("stm32l4", "stm32h7", "gap9"):
        layer = layers.linear(rows, channels, depth, seed)
        assert measure(layer, get_target(target), CompileOptions()).bit_exact, target


@st.composite
def convolutions(draw: st.DrawFn) -> layers.Convolution:
    """Patches that overlap, touch or leave gaps, with a frame or without."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = draw(st.tuples(*[st.integers(0, 2)] * 4))
    return layers.Convolution(
        height=draw(st.integers(kernel[0], 9)),
        width=draw(st.integers(kernel[1], 9)),
        depth=draw(st.integers(1, 6)),
        channels=draw(st.integers(1, 9)),
        kernel=kernel,
        strides=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        padding=padding,
        channels_first=draw(st.booleans()),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(convolutions(), st.integers(0, 9))
def test_patches_have_the_bits_of_convolutions(shape: layers.Convolution, seed: int) -> None:
    for target in ("stm32l4", "stm32h7"):
        layer = layers.convolution(shape, seed)
        assert measure(layer, get_target(target), CompileOptions()).bit_exact, target


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 9), st.integers(1, 150), st.integers(0, 9))
def test_softmax_and_add_have_the_bits_of_the_reference(rows: int, columns: int, seed: int) -> None:
    for target in ("stm32l4", "stm32h7"):
        for make in (layers.softmax, layers.add):
            layer = make(rows, columns, seed)
            assert measure(layer, get_target(target), CompileOptions()).bit_exact, target


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(encoders)
def test_decomposition_keeps_the_bits(config: Encoder) -> None:
    compilation, samples = compile_for(config, "host")
    compilation.run_to("tile")
    assert compilation.quantized is not None
    tensor = compilation.input_tensors[0]
    for sample in samples:
        inputs = [quantize(sample, tensor)]
        whole = Interpreter(compilation.quantized).run(inputs)[0]
        decomposed = Interpreter(compilation.module).run(inputs)[0]
        assert np.array_equal(whole, decomposed)


@pytest.mark.parametrize("fuse", ["never", "always"])
@pytest.mark.parametrize("seed", range(4))
def test_integers_follow_the_floats(seed: int, fuse: str) -> None:
    check_noise(Encoder(9, 12, 4, 3, 16, "gelu", "none", True, "mean", False, seed, fuse))


@pytest.mark.parametrize("function", KNOWN)
def test_tables_follow_the_functions(function: str) -> None:
    check_noise(Encoder(9, 12, 4, 3, 16, function, "none", True, "mean", False, seed=0))


def check_noise(config: Encoder) -> None:
    """The integer network against the real one, on the samples that calibrated it."""
    compilation, samples = compile_for(config, "host")
    floats = clone(compilation.module)
    compilation.run_to("quantize")
    assert compilation.quantized is not None
    real, reference = Interpreter(floats), Interpreter(compilation.quantized)
    (source,), (result,) = compilation.input_tensors, compilation.output_tensors
    signal = np.stack([real.run([x])[0] for x in samples])
    actual = np.stack(
        [dequantize(reference.run([quantize(x, source)])[0], result) for x in samples]
    )
    assert signal_to_noise_db(signal, actual) > 22
