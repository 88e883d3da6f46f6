# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles of a run by the layers of the model, with the work that each of them does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from tinyformer.errors import TinyFormerError
from tinyformer.work import Work, work_by_layer

if TYPE_CHECKING:
    import numpy.typing as npt

    from tinyformer.compiler import Compilation
    from tinyformer.simulators import RunResult

OTHER = "between the layers"
"""Cycles of the entry functions."""


@dataclass(frozen=True)
class LayerProfile:
    """A layer of the model. `kernels` has cycles by the symbol that ran, the largest first."""

    name: str
    cycles: int
    share: float
    macs: int
    bytes: int
    kernels: Mapping[str, int]

    @property
    def macs_per_cycle(self) -> float | None:
        """None for layers that multiply no matrices."""
        return self.macs / self.cycles if self.macs and self.cycles else None

    @property
    def macs_per_byte(self) -> float | None:
        """Multiply-accumulates for each byte of operands and results."""
        return self.macs / self.bytes if self.macs and self.bytes else None


@dataclass(frozen=True)
class Profile:
    """A run by layers, the slowest first. It prints as a table."""

    network: str
    target: str
    cycles: int
    milliseconds: float | None
    energy_uj: float | None
    timing_model: str
    stack_bytes: int | None
    layers: tuple[LayerProfile, ...]

    def __iter__(self) -> Iterator[LayerProfile]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def macs(self) -> int:
        """Of all layers."""
        return sum(layer.macs for layer in self.layers)

    def __str__(self) -> str:
        rows = [_COLUMNS, *(_cells(layer) for layer in self.layers)]
        total = ("total", f"{self.cycles:,}", "", f"{self.macs:,}", _ratio(self.macs, self.cycles))
        widths = [max(len(row[i]) for row in [*rows, total]) for i in range(len(_COLUMNS))]
        lines = [_line(row, widths) for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        lines += [lines[1], _line(total, widths), self.headline]
        return "\n".join(lines)

    @property
    def headline(self) -> str:
        """The whole run in a line."""
        time = "" if self.milliseconds is None else f", {self.milliseconds:.3f} ms"
        energy = "" if self.energy_uj is None else f", {self.energy_uj:.1f} µJ (estimate)"
        return (
            f"{self.network} on {self.target}: {self.cycles:,} cycles{time}{energy}; "
            f"{self.timing_model}"
        )

    def _repr_html_(self) -> str:
        """For notebooks."""
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(layer)) + "</tr>"
            for layer in self.layers
        )
        return (
            f"<table><caption>{escape(self.headline)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def to_pandas(self) -> Any:
        """A row for each layer as a pandas.DataFrame; `kernels` is a column of dictionaries."""
        try:
            import pandas
        except ImportError:
            raise TinyFormerError(
                "to_pandas() needs pandas, which is not installed: pip install pandas"
            ) from None
        rows = [{**asdict(layer), "macs_per_cycle": layer.macs_per_cycle} for layer in self.layers]
        return pandas.DataFrame(rows).set_index("name")


def first_inputs(compilation: Compilation) -> list[npt.NDArray[Any]]:
    """The first calibration sample in integers, or random ones, always the same, without any."""
    import numpy as np

    from tinyformer.quantization import quantize

    tensors = compilation.input_tensors
    if compilation.samples:
        samples = compilation.samples.values()
        return [quantize(array[0], tensor) for array, tensor in zip(samples, tensors, strict=True)]
    random = np.random.default_rng(0)
    # Ids beside their table are taken for the nearest in it.
    return [random.integers(-128, 128, tensor.shape).astype(tensor.element) for tensor in tensors]


def profile_of(compilation: Compilation, run: RunResult) -> Profile:
    """Puts the functions of a run together to the layers that they were compiled from."""
    if run.cycles is None or run.timing_model is None:
        raise TinyFormerError(
            f"target '{compilation.target.name}' has no timing model, so there is no profile; "
            "compile for a microcontroller"
        )
    assert compilation.quantized is not None
    work = work_by_layer(compilation.quantized)
    cycles: Counter[str] = Counter()
    kernels: dict[str, Counter[str]] = {}
    for symbol, layer in run.layers.items():
        name = layer_of(compilation.layers.get(symbol), work)
        cycles[name] += layer.cycles
        kernels.setdefault(name, Counter()).update(layer.kernels)
    energy = compilation.target.energy_mj(run.cycles)
    return Profile(
        network=compilation.name,
        target=compilation.target.name,
        cycles=run.cycles,
        milliseconds=compilation.target.milliseconds(run.cycles),
        energy_uj=None if energy is None else 1e3 * energy,
        timing_model=run.timing_model,
        stack_bytes=run.stack_bytes,
        layers=tuple(
            LayerProfile(
                name,
                count,
                count / run.cycles,
                work.get(name, Work()).macs,
                work.get(name, Work()).bytes,
                dict(kernels[name].most_common()),
            )
            for name, count in cycles.most_common()
        ),
    )


def layer_of(name: str | None, work: Mapping[str, Work]) -> str:
    """The layer whose work a function does: packing its operands counts for it."""
    if name is None:
        return OTHER
    parts = name.split("/")
    for end in range(len(parts), 0, -1):
        if "/".join(parts[:end]) in work:
            return "/".join(parts[:end])
    return name


_COLUMNS = ("layer", "cycles", "share", "MACs", "MAC/cycle")


def _cells(layer: LayerProfile) -> tuple[str, ...]:
    macs = f"{layer.macs:,}" if layer.macs else ""
    rate = _ratio(layer.macs, layer.cycles)
    return layer.name, f"{layer.cycles:,}", f"{100 * layer.share:.1f} %", macs, rate


def _ratio(macs: int, cycles: int) -> str:
    return f"{macs / cycles:.2f}" if macs and cycles else ""


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *others = (
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()
