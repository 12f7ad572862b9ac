"""Does works round by round, all of them once before any of them again, so that drift is fair and an early end useful."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from quiet import sample, settle
from timing import BenchmarkError
from works import MINUTES, Begin, Done, Measures, Work

#: A work that failed so often is left alone.
_PATIENCE = 2


def do(
    works: Sequence[Work],
    runs: int | None,
    quick: bool,
    budget: float | None,
    after: Callable[[Sequence[Done]], None] = lambda _: None,
    ready: Callable[[], Begin] | None = None,
) -> list[Done]:
    """Do the works.

    Args:
        works: In the order in which they are done; what lacks something for all of its contenders is left out.
        runs: Rounds of each instead of its own number.
        quick: One round without warming up, and without waiting for a quiet machine.
        budget: Seconds after which no round is begun that would not end in time; None for no limit.
        after: Told of all there is after each round of each work, so that nothing is lost.
        ready: Waits before each contender until the machine is quiet, and says how busy it is.
    """
    ready = ready or (partial(settle, 0.0, partial(sample, 0.05)) if quick else settle)
    end = time.monotonic() + budget if budget is not None else float("inf")
    dones = [Done(work) for work in works]
    counts = {work.name: 1 if quick else runs or work.rounds for work in works if work.contenders}
    for number in range(max(counts.values(), default=0)):
        for done in dones:
            work = done.work
            if number >= counts.get(work.name, 0) or len(done.failures) >= _PATIENCE:
                continue
            warm = 0 if quick or number else work.warm_up
            if time.monotonic() + (warm + 1) * _expected(done) > end:
                continue
            for counted in [False] * warm + [True]:
                what = f"round {number + 1} of {counts[work.name]}" if counted else "warming up"
                print(f"{work.name}, {what}", file=sys.stderr)
                _round(done, in_turn(work.contenders, number), counted, ready)
            after(dones)
    return dones


def in_turn(
    contenders: Mapping[str, Callable[[], Measures]], number: int
) -> Mapping[str, Callable[[], Measures]]:
    """The contenders in the order of this round: each is first, second, … as often as any other."""
    names = list(contenders)
    first = number % len(names)
    return {name: contenders[name] for name in names[first:] + names[:first]}


def _expected(done: Done) -> float:
    """The seconds that a round takes: those of the latest (the first may have made what is kept), or from experience."""
    return done.seconds[-1] if done.seconds else 60 * MINUTES.get(done.work.name, 0)


def _round(
    done: Done, contenders: Mapping[str, Callable[[], Measures]], counted: bool, ready: Callable[[], Begin]
) -> None:
    begun = time.monotonic()
    measured: dict[str, Measures] = {}
    begins: dict[str, Begin] = {}
    try:
        for name, contender in contenders.items():
            begins[name] = ready()
            measured[name] = contender()
            print(f"  {name}: {_told(measured[name])}", file=sys.stderr)
    except BenchmarkError as error:
        print(f"  FAILED {error}", file=sys.stderr)
        done.failures.append(str(error))
        return
    done.seconds.append(time.monotonic() - begun)
    if counted:
        done.rounds.append(measured)
        done.begins.append(begins)


def _told(measures: Measures) -> str:
    parts = []
    for name, value in measures.items():
        if name == "peak" or name.endswith("memory"):
            parts.append(f"{name} {value / 1e6:.0f} MB")
        else:
            parts.append(f"{name} {value:.3g}")
    return ", ".join(parts)
