"""What a run's pods used of what was asked for them, and what to ask for next time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from headway.runtime.usage import after_kill, rounded_up
from headway.store.records import OUT_OF_MEMORY, SUCCEEDED, Record

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

#: What is asked for should be so much more than what was used.
_HEADROOM = 1.25
#: Advice to ask for less is given where at most this part was used, and this much can be saved.
_LITTLE = 0.5
_WORTH_MB, _WORTH_CORES = 500, 1.0
#: Advice to ask for more memory is given from this part on.
_CLOSE = 0.9
#: What was stopped at its limit may seem to have held so much of it.
_SEEMS = 1.1
#: What a task uses of a processor says something if it ran for so many seconds.
_LONG = 10.0
#: Steps that are named in the one line; more would not be read.
_NAMED = 8

_MB = 1_000_000


class _Most(Struct):
    """The most that a task of one step used; killed: the most it held when the kernel stopped it, in MB."""

    tasks: int = 0
    memory: float = 0.0
    killed: float = 0.0
    cores: float = 0.0
    seconds: float = 0.0


class _Asked(Struct, frozen=True):
    """What a step's container asks for, in MB and cores; the MB it is stopped at; what ``resources=`` says of it."""

    memory: int
    most: int
    cores: float
    fixed: frozenset[str] = frozenset()

    def write(self, resource: str, amount: int) -> str:
        """How to write so much of it where this step's settings do."""
        if resource in self.fixed:
            return f'"{resource}": "{amount}{"M" if resource == "memory" else ""}" in resources='
        return f"{resource}={amount}"


class Usage:
    """Collects what attempts used.

    Args:
        settings: Of the steps that run as pods, by step.
    """

    def __init__(self, settings: "Mapping[str, KubernetesSettings]") -> None:
        self._settings = settings
        self._most: dict[str, _Most] = {}
        self._known: dict[str, _Asked] = {}
        #: Tasks of which an attempt that failed was counted: with the next one they are not one more.
        self._tried: set[tuple[str, str]] = set()

    def add(self, record: Record) -> None:
        """Take in how an attempt ended.

        One that had no pod counts for nothing (of a step with pods its ``@catch`` has none), nor does one that
        left no figures.
        """
        memory, cpu = record.metadata.get("peak-memory"), record.metadata.get("cpu-seconds")
        if record.ref.step not in self._settings or memory is None or cpu is None:
            return
        if "kubernetes-pod-name" not in record.metadata:
            return
        most = self._most.setdefault(record.ref.step, _Most())
        task = (record.ref.step, record.ref.task)
        most.tasks += task not in self._tried
        if record.outcome != SUCCEEDED:
            self._tried.add(task)
        held = int(memory) / _MB
        if record.failure is not None and record.failure.reason == OUT_OF_MEMORY:
            asked = self._asked(record.ref.step).most
            # Pages are counted in packs: it may seem to have held a little more than it may.
            held = asked if asked < held < asked * _SEEMS else held
            most.killed = max(most.killed, held, asked)
        most.memory = max(most.memory, held)
        seconds = record.ended - record.started
        most.seconds = max(most.seconds, seconds)
        if seconds > 0:
            most.cores = max(most.cores, float(cpu) / seconds)

    def lines(self) -> Iterator[str]:
        """What a person should read after the run."""
        if not self._most:
            return
        named = [self._figures(step) for step in list(self._most)[:_NAMED]]
        more = f"; and {len(self._most) - _NAMED} more steps" if len(self._most) > _NAMED else ""
        yield f"Used by pods, at most: {'; '.join(named)}{more}."
        yield from self._advice()

    def _asked(self, step: str) -> _Asked:
        if step not in self._known:
            # For runs with pods.
            from headway.config import container

            settings = self._settings[step]
            self._known[step] = _Asked(
                int(container.requested(settings, "memory") / _MB),
                container.memory_megabytes(settings),
                float(container.requested(settings, "cpu")),
                container.said_by_resources(settings),
            )
        return self._known[step]

    def _figures(self, step: str) -> str:
        most, asked = self._most[step], self._asked(step)
        tasks = f" in {most.tasks} tasks" if most.tasks > 1 else ""
        cores = f", {_cores(most.cores)} cores (asked for {asked.cores:g})" if most.seconds >= _LONG else ""
        return f"{step} {most.memory:.0f} MB (asked for {asked.memory}){cores}{tasks}"

    def _advice(self) -> Iterator[str]:
        """Steps that ask for the same get it in one line."""
        ample: dict[_Asked, list[str]] = {}
        for step, most in self._most.items():
            has = self._asked(step)
            asked = has.memory
            if most.killed >= most.memory:
                yield (
                    f"Step {step} ran out of memory at {most.killed:.0f} MB: "
                    f"{has.write('memory', after_kill(most.killed))} is the next to try, as nothing tells how much "
                    "it wanted."
                )
            elif most.memory <= asked * _LITTLE and asked - _enough(most.memory) >= _WORTH_MB:
                ample.setdefault(_Asked(asked, 0, 0, has.fixed & {"memory"}), []).append(step)
            elif most.memory >= asked * _CLOSE:
                yield (
                    f"Step {step} used {most.memory:.0f} of the {asked} MB it asks for: "
                    f"{has.write('memory', _enough(most.memory))} would be safer."
                )
        for alike, steps in ample.items():
            used = max(self._most[step].memory for step in steps)
            enough = alike.write("memory", _enough(used))
            yield f"{_ask(steps, f'{alike.memory} MB')} and used {used:.0f}: {enough} would do."
        for step, most in self._most.items():
            has = self._asked(step)
            cores = has.cores
            wanted = max(1, math.ceil(most.cores * _HEADROOM))
            if most.seconds >= _LONG and most.cores <= cores * _LITTLE and cores - wanted >= _WORTH_CORES:
                asks, enough = _ask([step], f"{cores:g} cores"), has.write("cpu", wanted)
                yield f"{asks} and used {most.cores:.1f}: {enough} would do."


def _ask(steps: Sequence[str], what: str) -> str:
    if len(steps) == 1:
        return f"Step {steps[0]} asks for {what}"
    named = ", ".join(steps[:_NAMED]) + (" and others" if len(steps) > _NAMED else "")
    return f"Steps {named} ask for {what} each"


def _enough(megabytes: float) -> int:
    """What to ask for where so much was used."""
    return rounded_up(megabytes * _HEADROOM)


def _cores(used: float) -> str:
    """A tenth of a core says enough, unless there is less than that."""
    return f"{used:.1f}" if used >= 0.1 else f"{used:.2f}"
