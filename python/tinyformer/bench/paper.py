# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The papers' networks and attention layers, on each target, with and without the paper's means.

Every run goes through the whole pipeline and the simulator, and is compared with the reference:
RuntimeError where a bit differs. A run that does not fit is a result, too.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from tinyformer import zoo
from tinyformer.bench import layers
from tinyformer.bench.layers import Layer, Work
from tinyformer.bench.measure import Measurement, measure
from tinyformer.bench.memory import all_in_l1
from tinyformer.bench.published import LAYERS
from tinyformer.compiler import Compilation, CompilerError, attach_target, run_pipeline
from tinyformer.decisions import read_fusion
from tinyformer.driver import clone, load
from tinyformer.errors import DoesNotFitError, TinyFormerError
from tinyformer.mlir import ir
from tinyformer.options import CompileOptions
from tinyformer.progress import Progress, no_progress
from tinyformer.reference.interpreter import public_function
from tinyformer.targets import Memory, Target, get_target

ATTENTION = "attention"
TARGETS = ("stm32l4", "stm32h7", "gap9")
VARIANTS = (("never", "none"), ("never", "auto"), ("always", "none"), ("always", "auto"))
"""--fuse and --tile: weight fusion (FWSA) and depth-first tiling (DFT), off and on."""
AUTOMATIC = ("auto", "auto")
"""What the compiler chooses, where that fuses some layers and leaves others."""

_ROOM = 64 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """One run. `subject` is a network of the zoo or the sizes of a layer, such as `4,32,32,8`;
    `chosen` is true for what --fuse auto and --tile auto give. `failure` says why there are no
    figures; `macs` are those of the network before fusion, without rows that nothing reads."""

    subject: str
    target: str
    fuse: str
    tile: str
    chosen: bool
    macs: int
    failure: str | None = None
    cycles: int | None = None
    cycles_pessimistic: int | None = None
    milliseconds: float | None = None
    energy_uj: float | None = None
    arena_bytes: int | None = None
    weight_bytes: int | None = None
    timing_model: str | None = None
    pessimistic_model: str | None = None

    @property
    def macs_per_cycle(self) -> float | None:
        """Work of the network before fusion, by cycle."""
        return self.macs / self.cycles if self.cycles else None


@dataclass(frozen=True)
class Peak:
    """Bytes of all activations of a layer, input and output included: untiled, and with the tiles
    that need least. Planned for a chip with memory enough for both."""

    subject: str
    target: str
    untiled_bytes: int
    smallest_bytes: int


@dataclass(frozen=True)
class _Job:
    subject: str
    target: str
    variant: tuple[str, str] | None  # None: the peaks


def subjects(networks: Sequence[str] = ()) -> list[str]:
    """What `networks` names, `attention` being all layers; everything if it names nothing."""
    chosen: list[str] = []
    for name in networks or (*zoo.NETWORKS, ATTENTION):
        if name == ATTENTION:
            chosen += LAYERS
        elif name in zoo.NETWORKS:
            chosen.append(name)
        else:
            known = ", ".join((*zoo.NETWORKS, ATTENTION))
            raise zoo.UnknownNetworkError(f"unknown network '{name}'; there are {known}")
    return list(dict.fromkeys(chosen))


def run(
    names: Sequence[str],
    targets: Sequence[str],
    *,
    processes: int | None = None,
    progress: Progress = no_progress,
) -> tuple[list[Outcome], list[Peak]]:
    """All runs, in the order of `names`, `targets` and VARIANTS, and the layers' peaks."""
    jobs = list(_jobs(names, targets))
    processes = min(processes or len(os.sched_getaffinity(0)), len(jobs))
    results: dict[_Job, Outcome | Peak | None] = {}
    if processes == 1:
        for job in jobs:
            results[job] = _do(job)
            progress(len(results), len(jobs))
    else:
        # Forking a process that has threads, as MLIR's context does, is not safe.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(_do, job): job for job in jobs}
            try:
                for future in as_completed(futures):
                    results[futures[future]] = future.result()
                    progress(len(results), len(jobs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    ordered = [results[job] for job in jobs]
    return (
        [entry for entry in ordered if isinstance(entry, Outcome)],
        [entry for entry in ordered if isinstance(entry, Peak)],
    )


def _jobs(names: Sequence[str], targets: Sequence[str]) -> Iterator[_Job]:
    for name in names:
        for target in targets:
            for variant in VARIANTS:
                yield _Job(name, target, variant)
            # Layers alone are fused or not.
            yield _Job(name, target, AUTOMATIC if name in zoo.NETWORKS else None)


def _do(job: _Job) -> Outcome | Peak | None:
    """What a job gives; nothing if it is one of VARIANTS by another name."""
    layer, target = _layer(job.subject), get_target(job.target)
    if job.variant is None:
        smallest = _peak(layer, target, "min")
        return Peak(job.subject, job.target, _peak(layer, target, "none"), smallest)
    if job.variant == AUTOMATIC and _automatic(layer, target) != "auto":
        return None
    return _run(job.subject, layer, target, *job.variant)


@cache
def _layer(subject: str) -> Layer:
    """A network of the zoo, imported as its file is, or a layer of random weights."""
    if subject not in zoo.NETWORKS:
        tokens, width, head_width, heads = map(int, subject.split(","))
        return layers.attention(tokens, width, head_width, heads, seed=0)
    with tempfile.TemporaryDirectory() as directory:
        files = zoo.get_network(subject).write(Path(directory))
        model = load(files.model, files.samples)
    module = model.imported.module
    return Layer(module, subject, model.samples, Work(_needed_macs(module)), {})


def _needed_macs(module: ir.Module) -> int:
    """Without rows that nothing reads: who does not compute them has no merit of it here."""
    from tinyformer.bench.work import count_macs

    narrowed = clone(module)
    run_pipeline(narrowed, "func.func(tinyattn-narrow-to-slices)", "narrowing")
    return count_macs(narrowed)


def _run(subject: str, layer: Layer, target: Target, fuse: str, tile: str) -> Outcome:
    outcome = Outcome(
        subject=subject,
        target=target.name,
        fuse=fuse,
        tile=tile,
        chosen=tile == "auto" and fuse == _automatic(layer, target),
        macs=layer.work.macs,
    )
    try:
        measured = measure(layer, target, CompileOptions(fuse=fuse, tile=tile))
    except (DoesNotFitError, CompilerError) as error:
        return replace(outcome, failure=_shortage(error))
    if not measured.bit_exact:
        raise RuntimeError(f"{subject} on {target.name}, fuse {fuse}, tile {tile}: other bits")
    return _figures(outcome, target, measured)


def _figures(outcome: Outcome, target: Target, measured: Measurement) -> Outcome:
    run = measured.run
    energy = None if run.cycles is None else target.energy_mj(run.cycles)
    return replace(
        outcome,
        cycles=run.cycles,
        cycles_pessimistic=run.cycles_pessimistic,
        milliseconds=None if run.cycles is None else target.milliseconds(run.cycles),
        energy_uj=None if energy is None else 1e3 * energy,
        arena_bytes=measured.arena_bytes,
        weight_bytes=measured.image.weight_bytes,
        timing_model=run.timing_model,
        pessimistic_model=run.pessimistic_model,
    )


def _shortage(error: TinyFormerError) -> str:
    """What does not fit where; an error that is not about memory goes on."""
    found = re.search(r"([\w ]+ needs? \d+ bytes but .*? holds \d+)", str(error))
    if found is None:
        raise error
    return re.sub(r"\d{4,}", lambda number: f"{int(number[0]):,}", found[1].strip())


def _automatic(layer: Layer, target: Target) -> str:
    """What --fuse auto does with the attention layers; `auto` where it is not the same with all."""
    module = clone(layer.module)
    attach_target(module, target)
    run_pipeline(module, "tinyformer-fuse{mode=auto}", "phase 'fuse'")
    fused = {decision.fused for decision in read_fusion(public_function(module))}
    if len(fused) > 1:
        return "auto"
    return "always" if True in fused else "never"


def _peak(layer: Layer, target: Target, tile: str) -> int:
    roomy = _roomy(target)
    options = CompileOptions(fuse="never", tile=tile)
    compilation = Compilation(
        clone(layer.module), layer.name, layer.samples, ["output"], roomy, options
    )
    compilation.run_to("bufferize")
    tensors = (*compilation.input_tensors, *compilation.output_tensors)
    return sum(arena.size for arena in compilation.arenas) + sum(entry.bytes for entry in tensors)


def _roomy(target: Target) -> Target:
    """The chip with a first memory for arenas in which everything finds a place.

    On a cluster, weights need none of it: buffers for their transfers grow with the room.
    """
    if target.dma is not None:
        return all_in_l1(target, _ROOM)

    def enlarged(memory: Memory) -> Memory:
        return replace(memory, size=_ROOM) if memory.name == target.arena_memories[0] else memory

    return replace(target, memories=tuple(map(enlarged, target.memories)))
