# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A second model of the Cortex-M7: in order, with multiplications and SIMD in the first slot.

It differs from `llvm-mca` where that may be too optimistic for kernels of multiply-accumulates:

* multiplications and SIMD (DSP) instructions issue as the older of a pair only, so that at most one
  of all these begins in a cycle;
* at most one instruction of a cycle has a shifted or extended operand, or extracts or swaps bits.

Units, latencies, and the stage in which operands are read are LLVM's, ARMScheduleM7.td. Its zero
point is the stage EX2, where ALUs work: an operand read "early" is needed a cycle before. Blocks
repeat until their state does, and the mean cycles of that period are the block's cost.

`llvm-mca` delays results that would be written back before those of an older instruction; this
model does not, so that it may be the faster one. The pessimistic figure takes the slower one of the
two for each block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tinyformer.simulators.decode import Instruction, Kind

TIMING_MODEL = "slower of llvm-mca and in-order issue with MAC and SIMD in one slot"

_UNITS = {
    "alu": 2,
    "load": 2,
    "store": 1,
    "mac": 1,
    "simd": 1,
    "shift": 1,
    "branch": 1,
    "vfp": 1,
    "vport": 2,
}

_EARLY, _LATE, _LATER = -1, 1, 2

DIVIDE_CYCLES = 7

_FREE = frozenset({"b", "bl", "cbz", "cbnz", "it", "hint"})
_WORD_LOADS = frozenset({"ldr", "ldrt", "ldrex"})
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror", "rrx"})
_SYSTEM = frozenset({"mrs", "msr", "dmb", "dsb", "isb", "svc", "bkpt", "clrex"})
_EXTENSIONS = frozenset({"sxtb", "sxth", "uxtb", "uxth", "sxtb16", "uxtb16"})
_PARALLEL = ("add16", "add8", "asx", "sax", "sub16", "sub8")
_FLOAT_SUMS = ("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms")


@dataclass(frozen=True)
class Step:
    """What issues in one slot.

    `reads` and `writes` map registers to when they are needed (cycles after EX2) and ready (after
    issue). `first` steps are the older of a pair, `alone` ones have a cycle for themselves, and
    `stall` is the number of cycles in which nothing may issue behind.
    """

    units: tuple[str, ...]
    reads: Mapping[str, int] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    first: bool = False
    alone: bool = False
    stall: int = 0


def block_cycles(instructions: Sequence[Instruction]) -> float:
    """Cycles of one execution of a basic block in a steady state of its repetition."""
    block = [step for instruction in instructions for step in steps(instruction)]
    if not block:
        return 1.0
    machine = _Machine()
    seen: dict[object, tuple[int, int]] = {}
    iteration = 0
    while (state := machine.state()) not in seen:
        seen[state] = iteration, machine.cycle
        for step in block:
            machine.issue(step)
        iteration += 1
    since, cycle = seen[state]
    return (machine.cycle - cycle) / (iteration - since)


class _Machine:
    """Two issue slots a cycle, filled in order."""

    def __init__(self) -> None:
        self.cycle = 0
        self._slots = 0
        self._busy: Counter[str] = Counter()
        self._ready: dict[str, int] = {}

    def issue(self, step: Step) -> None:
        """Issues `step` in the first cycle that has its operands, a slot and its units."""
        needed = [self._ready.get(r, 0) - stage for r, stage in step.reads.items()]
        self._advance_to(max([self.cycle, *needed]))
        if not self._fits(step):
            self._advance_to(self.cycle + 1)
        self._slots += 2 if step.alone else 1
        self._busy.update(step.units)
        for register, latency in step.writes.items():
            self._ready[register] = self.cycle + latency
        if step.stall:
            self._advance_to(self.cycle + step.stall)

    def state(self) -> object:
        """All that the time of what follows depends on; ready registers are like unused ones."""
        # An operand may be needed a cycle before its instruction issues.
        pending = {r: t - self.cycle for r, t in self._ready.items() if t + 1 > self.cycle}
        return self._slots, frozenset(self._busy.items()), frozenset(pending.items())

    def _advance_to(self, cycle: int) -> None:
        if cycle > self.cycle:
            self.cycle = cycle
            self._slots = 0
            self._busy.clear()

    def _fits(self, step: Step) -> bool:
        if self._slots == 0:
            return True
        if self._slots >= 2 or step.first or step.alone:
            return False
        return all(self._busy[unit] < _UNITS[unit] for unit in step.units)


def steps(instruction: Instruction) -> list[Step]:
    """The issue slots that an instruction takes; none if it is folded."""
    operation = instruction.operation
    if operation in _FREE:
        return []
    match instruction.kind:
        case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
            return list(_single_accesses(instruction))
        case Kind.LOAD:
            return _load(instruction)
        case Kind.STORE:
            return [_store(instruction)]
        case Kind.TABLE_BRANCH:
            reads = dict.fromkeys(instruction.address_registers, _EARLY)
            return [Step(("load",), reads, alone=True), Step(("branch",))]
        case Kind.BRANCH:
            return [Step(("branch",), dict.fromkeys(instruction.reads - {"pc"}, 0))]
        case Kind.DIVIDE:
            result = dict.fromkeys(instruction.writes, 1)
            reads = dict.fromkeys(instruction.reads, 0)
            return [Step(("alu",), reads, result, alone=True, stall=DIVIDE_CYCLES)]
        case Kind.FLOAT:
            return [_float(instruction)]
        case _:
            return [_data_processing(instruction)]


def _single_accesses(instruction: Instruction) -> Iterator[Step]:
    """LDM, POP, LDRD, PUSH and their kin as one access a register; the last updates the base."""
    loads = instruction.kind is Kind.LOAD_MULTIPLE
    address = dict.fromkeys(instruction.address_registers, _EARLY)
    last = len(instruction.transfer) - 1
    for index, register in enumerate(instruction.transfer):
        step = _loaded(address, register, 1) if loads else _stored(address, register, _LATE)
        yield _with_base(step, instruction) if index == last else step
    if "pc" in instruction.transfer:
        yield Step(("branch",), {"pc": 0})


def _with_base(step: Step, access: Instruction) -> Step:
    """The updated base is bypassed out of EX1; for SP, nothing waits (as for `llvm-mca`)."""
    base = access.writes & access.address_registers - {"sp"}
    if not access.writeback or not base:
        return step
    return replace(step, writes={**step.writes, **dict.fromkeys(base, 0)})


def _load(load: Instruction) -> list[Step]:
    """A word is there a cycle later, bytes and halfwords two; addresses are read early."""
    address = dict.fromkeys(load.address_registers, _EARLY)
    latency = 1 if load.operation in _WORD_LOADS or load.operation == "vldr" else 2
    target = load.transfer[0]
    step = _with_base(_loaded(address, target, latency), load)
    return [step, Step(("branch",), {"pc": 0})] if target == "pc" else [step]


def _store(store: Instruction) -> Step:
    """Data are read late, and later out of the FPU; addresses are read early."""
    address = dict.fromkeys(store.address_registers, _EARLY)
    return _with_base(_stored(address, store.transfer[0], _LATE), store)


def _loaded(address: Mapping[str, int], register: str, latency: int) -> Step:
    if register.startswith("d"):
        return Step(("load", "load", "vport", "vport"), address, {register: 2}, alone=True)
    units = ("load", "vport") if _is_single(register) else ("load",)
    return Step(units, address, {register: latency})


def _stored(address: Mapping[str, int], register: str, stage: int) -> Step:
    if register.startswith("d"):
        return Step(("store", "vport", "vport"), {register: _LATER, **address}, alone=True)
    if _is_single(register):
        return Step(("store", "vport"), {register: _LATER, **address})
    return Step(("store",), {register: stage, **address})


def _is_single(register: str) -> bool:
    """Whether it is s0 to s31, unlike sp, sb and sl."""
    return register.startswith("s") and register[1:].isdecimal()


def _float(instruction: Instruction) -> Step:
    """Moves need a port of the FPU's registers for 3 cycles; sums are read 3 cycles late."""
    operation = instruction.operation
    reads = dict.fromkeys(instruction.reads, 0)
    if operation in ("vmov", "fconsts", "fmdhr", "fmdlr"):
        two = len(instruction.registers) > 2
        writes = dict.fromkeys(instruction.writes, 3)
        return Step(("vport", "vport") if two else ("vport",), reads, writes, alone=two)
    latency = 3
    if operation in ("vdiv", "vsqrt"):
        latency = 16
    elif operation in _FLOAT_SUMS:
        latency = 6
        reads |= dict.fromkeys(instruction.writes, 3)
    double = instruction.registers[:1] and instruction.registers[0].startswith("d")
    ports = ("vport", "vport") if double else ("vport",)
    return Step(("vfp", *ports), reads, dict.fromkeys(instruction.writes, latency))


def _data_processing(instruction: Instruction) -> Step:
    operation = instruction.operation
    if operation in _SYSTEM:
        return _step(instruction, ("alu",), 3, alone=True)
    if _is_multiplication(operation):
        return _step(instruction, ("mac",), 2, first=True, late=_accumulators(instruction))
    if operation in _EXTENSIONS:
        return _step(instruction, ("simd", "alu", "shift"), 1, first=True)
    if operation.startswith(("ssat", "usat", "qdadd", "qdsub")):
        return _step(instruction, ("simd", "alu", "shift"), 2, first=True, early=instruction.reads)
    if operation.startswith(("rev", "rbit")):
        return _step(instruction, ("simd", "alu", "shift"), 0, first=True, early=instruction.reads)
    if operation in ("sbfx", "ubfx"):
        return _step(instruction, ("simd", "alu", "shift"), 1, first=True, early=instruction.reads)
    if operation.startswith(("pkhbt", "pkhtb", "sxta", "uxta")):
        last = frozenset(instruction.registers[-1:])
        return _step(instruction, ("simd", "alu", "shift"), 1, first=True, early=last)
    if operation == "usada8":
        return _step(instruction, ("simd", "alu"), 2, first=True, late=_accumulators(instruction))
    if operation == "usad8" or operation.startswith(("qadd", "qsub", "qasx", "qsax", "uq")):
        return _step(instruction, ("simd", "alu"), 2, first=True)
    if operation == "sel" or operation.endswith(_PARALLEL):
        return _step(instruction, ("simd", "alu"), 1, first=True)
    if operation in ("bfi", "bfc"):
        return _step(instruction, ("alu", "shift"), 1, first=True)
    if operation in _SHIFTS:
        return _step(instruction, ("alu", "shift"), 1)
    if instruction.shifted:
        last = frozenset(instruction.registers[-1:])
        return _step(instruction, ("alu", "shift"), 1, early=last)
    return _step(instruction, ("alu",), 1, first=operation == "clz")


def _step(
    instruction: Instruction,
    units: tuple[str, ...],
    latency: int,
    *,
    first: bool = False,
    alone: bool = False,
    early: frozenset[str] = frozenset(),
    late: frozenset[str] = frozenset(),
) -> Step:
    """A step that reads `early` registers a cycle before the others, `late` ones a cycle after."""
    reads = dict.fromkeys(instruction.reads, 0)
    reads |= dict.fromkeys(late, _LATE)
    reads |= dict.fromkeys(early, _EARLY)
    return Step(units, reads, dict.fromkeys(instruction.writes, latency), first, alone)


def _is_multiplication(operation: str) -> bool:
    return operation in ("mul", "mla", "mls", "umull", "umlal", "umaal") or (
        operation.startswith(("smul", "smla", "smls", "smmul", "smmla", "smmls", "smuad", "smusd"))
    )


def _accumulators(instruction: Instruction) -> frozenset[str]:
    """Sums that an instruction adds its products to: they are forwarded, and read a cycle late."""
    registers, operation = instruction.registers, instruction.operation
    if len(registers) != 4 or operation in ("smull", "umull"):
        return frozenset()
    if len(instruction.writes - {"cpsr"}) == 2:
        return frozenset(registers[:2]) - frozenset(registers[2:])
    return frozenset(registers[3:]) - frozenset(registers[1:3])
